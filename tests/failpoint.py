"""`spottui` that kills itself, as kill -9 does, before or after the N-th commit after its first sign or retry.

Whatever was done between two commits, calls to the cloud among it, is then done and not written down; whatever was
committed was not acted on. Arguments: `before` or `after`, N, and those of spottui.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

import sqlalchemy as sa

from spottui.cli.main import main
from spottui.journal.recoveries import Recoveries


def kill_at_commit(moment: str, number: int) -> None:
    """Arm the failpoint: each commit of the journal's writer counts."""
    commits = count(1)
    begun = False

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def look(_connection: sa.Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        nonlocal begun
        is_fact = statement.startswith("INSERT INTO fact")
        begun = begun or (is_fact and any(kind in repr(parameters) for kind in ("'sign'", "'retry'")))

    def die_in_turn() -> None:
        if begun and next(commits) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    if moment == "before":

        @sa.event.listens_for(sa.Engine, "commit")
        def before(_connection: sa.Connection) -> None:
            die_in_turn()

    else:
        took: Callable[..., None] = Recoveries.took

        def after(*args: Any) -> None:
            die_in_turn()
            took(*args)

        Recoveries.took = after  # type: ignore[method-assign]


if __name__ == "__main__":
    kill_at_commit(sys.argv.pop(1), int(sys.argv.pop(1)))
    main(prog_name="spottui")
