"""What runs in a forked process: `spottui`, of which all that is heavy is there and was done once before the fork."""

import gc
import os
import sys
import threading
from collections.abc import Sequence
from io import FileIO, TextIOWrapper
from multiprocessing.connection import Connection
from tempfile import TemporaryDirectory

from spottui.__main__ import main
from spottui.journal import Journal
from tests.compiled_once import compile_once

compile_once()
# One that does not act has no heartbeat: that thread may outlast it.
with TemporaryDirectory() as directory, Journal(f"{directory}/journal.db") as journal:
    journal.run(lambda _: None)
gc.freeze()
assert threading.active_count() == 1, "whoever is forked from a process with threads may wait for one of them for ever"


def run(
    arguments: Sequence[str], environment: dict[str, str], directory: str, output: Connection, errors: Connection
) -> None:
    """Run `spottui`; it ends the process."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    sys.argv = ["spottui", *arguments]
    sys.__stdin__ = sys.stdin
    sys.stdout = sys.__stdout__ = _written_to(1, output, "strict")
    sys.stderr = sys.__stderr__ = _written_to(2, errors, "backslashreplace")
    output.close()
    errors.close()
    main()


def _written_to(number: int, stream: Connection, errors: str) -> TextIOWrapper:
    """As the interpreter opens them when PYTHONUNBUFFERED is set (`driving.clean_environment`)."""
    os.dup2(stream.fileno(), number)
    raw = FileIO(number, "w", closefd=False)
    return TextIOWrapper(raw, encoding="utf-8", errors=errors, newline="\n", write_through=True)  # type: ignore[arg-type]
