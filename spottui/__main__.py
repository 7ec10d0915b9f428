"""`python -m spottui` and the `spottui` command."""

import sys
from io import TextIOWrapper

from spottui.cli.main import main as spottui


def main() -> None:
    """Run the command line, by the name that help, errors and the shells' completion use, however it was started."""
    print_what_can_be_shown()
    spottui(prog_name="spottui")


def print_what_can_be_shown() -> None:
    """Replace what a terminal or pipe has no character for: a name from outside must not end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    main()
