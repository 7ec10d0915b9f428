"""`spottui` without a command: the console, or its headless twin."""

import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from spottui.cli.opening import Wrong
from spottui.domain.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from spottui.desk import Desk
    from spottui.domain.settings import Settings


def run(config: Path | None, profile: str, *, auto: bool, read_only: bool, headless: bool) -> NoReturn:
    """Run until the person, or a signal, ends it; exits 0, or 2 when the configuration is wrong."""
    from spottui.config import ConfigProblem, default_path, load

    if auto and read_only:
        raise click.UsageError("--auto and --read-only exclude each other: auto-mode acts.")
    try:
        settings = load(config or default_path(), profile)
    except ConfigProblem as problem:
        click.echo(f"spottui: {problem}", err=True)
        leave(2)
    if headless:
        from spottui.cli.headless import run_headless

        leave(run_headless(settings, auto=auto, read_only=read_only))
    need_terminal()
    leave(run_console(settings, config or default_path(), auto=auto, read_only=read_only))


def need_terminal() -> None:
    """Raise where there is no terminal to show the screen on and to read keys from: exit 2."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Wrong("no terminal; use --headless for one JSON line for each change.")


def run_console(
    settings: "Settings",
    config: Path,
    *,
    auto: bool,
    read_only: bool,
    last_resort: "Callable[[], None] | None" = None,
) -> int:
    """Run the screen and return its exit code; the desk is opened after the first frame.

    `last_resort` ends the process where a signal is to end it and something hangs.
    """
    from spottui.config import state_dir
    from spottui.console.app import SpottuiApp

    app = SpottuiApp(
        partial(_open_desk, settings, auto=auto, read_only=read_only),
        clock=SystemClock(),
        who=whoami(),
        title="spottui",
        bell=settings.console.bell,
        mouse=settings.console.mouse,
        keep_in=state_dir() / "console.json",
        paths={
            "configuration": config,
            "journal": settings.journal,
            "log": state_dir() / "spottui.log",
            "choices": state_dir() / "console.json",
        },
        last_resort=last_resort,
    )
    app.start()
    return app.return_code or 0


def whoami() -> str:
    """Return who sits here, as `user@host tty`, for the journal."""
    import getpass
    import socket

    try:
        tty = os.ttyname(sys.stdin.fileno()).removeprefix("/dev/")
    except (OSError, ValueError):
        tty = "no tty"
    return f"{getpass.getuser()}@{socket.gethostname()} {tty}"


def leave(code: int) -> NoReturn:
    """End the process at once: an SDK call under way cannot be stopped, and its token finds its effect next time."""
    with suppress(OSError):  # The terminal may be gone.
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _open_desk(settings: "Settings", *, auto: bool, read_only: bool) -> "Desk":
    from spottui.cli.assembly import open_desk

    return open_desk(settings, SystemClock(), auto=auto, read_only=read_only)
