"""`spottui` that kills itself, as kill -9 does, before the N-th commit after its first interruption.

Whatever was done between two commits, calls to the cloud among it, is then done and not written down.
"""

import os
import signal
import sys
from itertools import count
from typing import Any

import sqlalchemy as sa

from spottui.cli.main import main

READS = ("SELECT", "PRAGMA", "BEGIN", "UPDATE main.workflow_status")
"""Statements after which a commit is no new point: DBOS also marks its own row again and again while it polls."""


def kill_before_commit(number: int) -> None:
    """Arm the failpoint; DBOS's commits count as well as the journal's own."""
    commits = count(1)
    begun = False

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def look(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal begun
        begun = begun or statement.startswith("INSERT INTO interruption")
        if begun and not statement.lstrip().startswith(READS):
            connection.info["writes"] = True

    @sa.event.listens_for(sa.Engine, "commit")
    def die(connection: sa.Connection) -> None:
        if connection.info.pop("writes", False) and next(commits) == number:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    kill_before_commit(int(sys.argv.pop(1)))
    main(prog_name="spottui")
