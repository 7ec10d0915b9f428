"""`python -m spottui` and the `spottui` command."""

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and end the process, which waits for no thread.

    It has one name in help, errors and the shells' completion, however it was started.
    """
    open_standard_streams()
    # Imports make 90,000 objects and hardly any garbage; by default the collector looks at them 226 times.
    gc.set_threshold(50_000)
    try:
        from spottui.cli.main import main as spottui

        spottui(prog_name="spottui")
    except SystemExit as ended:
        if "threading" not in sys.modules:
            raise
        code = ended.code if isinstance(ended.code, int) else 1 if ended.code else 0
    except KeyboardInterrupt:
        code = 1
    except BaseException as problem:
        sys.stderr.write(f"spottui: a defect of spottui: {type(problem).__name__}.\n")
        code = 1
    from spottui.cli.ending import leave

    leave(code)


def open_standard_streams() -> None:
    """Give a stream that was closed a place to go, and let no character be one that a stream cannot take.

    A file that is opened later would get the number of a closed one, and what is printed would go into it.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
            setattr(sys, f"__{name}__", getattr(sys, name))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
