"""What runs in a forked process: all that a console or a command imports is here before the fork."""

import os
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection

import spottui.cli.guard
import spottui.cli.headless
import spottui.cli.recover
import spottui.cli.status  # noqa: F401
from spottui.__main__ import main


def run(arguments: Sequence[str], environment: dict[str, str], output: Connection, errors: Connection) -> None:
    """Run `spottui`; it ends the process."""
    os.environ.clear()
    os.environ.update(environment)
    for number, (name, stream) in enumerate((("stdout", output), ("stderr", errors)), 1):
        os.dup2(stream.fileno(), number)
        setattr(sys, name, os.fdopen(number, "w", buffering=1, encoding="utf-8", closefd=False))
        setattr(sys, f"__{name}__", getattr(sys, name))
    output.close()
    errors.close()
    sys.argv = ["spottui", *arguments]
    main()
