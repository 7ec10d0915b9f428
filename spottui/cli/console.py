"""`spottui` without a command: the console, with or without a screen."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from spottui.cli.common import Wrong, known_account
from spottui.cli.ending import Ending, leave
from spottui.domain.clock import CloudClock

if TYPE_CHECKING:
    from spottui.console.app import SpottuiApp
    from spottui.console.user_themes import Themes
    from spottui.desk import Desk
    from spottui.domain.settings import Settings

GOES_ON = "Recoveries resume at the next start."


def run(
    config: Path | None,
    profile: str,
    *,
    auto: bool,
    read_only: bool,
    headless: bool,
    view: str,
    account: str,
    mouse: bool,
) -> NoReturn:
    """Run until the person, or a signal, ends it; exits 0, or 2 when the configuration is wrong."""
    from spottui.config import ConfigProblem, default_path, load

    if auto and read_only:
        raise click.UsageError("--auto and --read-only are mutually exclusive: auto-mode acts.")
    if account and headless:
        raise click.UsageError("--account is for the screen: --headless prints the lines of every account.")
    try:
        path = config or default_path()
        settings = load(path, profile)
    except ConfigProblem as problem:
        click.echo(f"spottui: {problem}", err=True)
        leave(2)
    if not headless:
        need_terminal()
    with Ending(terminal=not headless) as ending:
        if headless:
            from spottui.cli.headless import run_headless

            code = run_headless(settings, ending, auto=auto, read_only=read_only)
        else:
            code = run_console(
                settings,
                path,
                ending,
                auto=auto,
                read_only=read_only,
                goes_on=GOES_ON,
                view=view,
                account=account,
                mouse=mouse,
            )
    leave(code)


def need_terminal() -> None:
    """Raise, with exit code 2, if there is no terminal for screen and keys."""
    if problem := terminal_problem():
        raise Wrong(f"{problem} Use --headless to print one JSON line per change.")


def terminal_problem() -> str:
    """Return why no screen can be shown here, empty if it can; an unlisted TERM is no reason."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "not a terminal."
    # Textual draws nothing there and never stops computing.
    if (name := os.environ.get("TERM", "").lower()) in ("dumb", "unknown"):
        return f"TERM={name}: this terminal cannot show a screen. If it can, set TERM, for example to xterm-256color."
    return ""


def run_console(
    settings: "Settings",
    config: Path,
    ending: Ending,
    *,
    auto: bool,
    read_only: bool,
    goes_on: str = "",
    view: str = "",
    account: str = "",
    mouse: bool = True,
) -> int:
    """Run the screen and return its exit code; the desk is opened after the first frame.

    Raises `Wrong` for a `view` that nobody saved, an `account` that the configuration does not name, and a wrong
    `themes.toml` beside it.
    """
    from spottui.cli.logfile import log_to
    from spottui.config import state_dir
    from spottui.console.app import SpottuiApp

    log_to(state_dir() / "spottui.log")
    clock, choices = CloudClock(), state_dir() / "console.json"

    def open_it() -> "Desk":
        from spottui.cli.assembly import open_desk

        show = app.session.worker.show_starting
        return open_desk(settings, clock, auto=auto, read_only=read_only, show=show)

    app = SpottuiApp(
        open_it,
        clock=clock,
        who=whoami(),
        title="spottui",
        bell=settings.console.bell,
        mouse=settings.console.mouse and mouse,
        keep_in=choices,
        view=known_view(choices, view),
        account=known_account(settings, account),
        themes=_themes(config.parent / "themes.toml"),
        paths={
            "configuration": config,
            "journal": settings.journal,
            "log": state_dir() / "spottui.log",
            "choices": choices,
        },
        goes_on=goes_on,
        hurry=ending.hurry,
    )
    return show(app, ending)


def show(app: "SpottuiApp", ending: Ending) -> int:
    """Run an app until it ends, and return its exit code."""
    from spottui.console.driver import terminal_as_it_is

    ending.owns(terminal_as_it_is())
    ending.ask = app.end_by
    app.start()
    return app.return_code or 0


def whoami() -> str:
    """Return the person at this terminal, as `user@host tty`, for the journal."""
    import getpass
    import socket

    try:
        tty = os.ttyname(sys.stdin.fileno()).removeprefix("/dev/")
    except (OSError, ValueError):
        tty = "no tty"
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # A container may run as a user id without a name.
        name = f"uid {os.getuid()}"
    return f"{name}@{socket.gethostname()} {tty}"


def known_view(choices: Path, name: str) -> str:
    """Return the name of a saved view, or an empty one; raises `Wrong` if there is no such view."""
    from spottui.console.preferences import Preferences

    views = Preferences.read(choices).views
    if name and name not in views:
        raise Wrong(f'no view "{name}" in {choices}; saved are: {", ".join(views) or "none, :save NAME saves one"}.')
    return name


def _themes(path: Path) -> "Themes":
    from spottui.console.user_themes import ThemeProblem, user_themes

    try:
        return user_themes(path)
    except ThemeProblem as problem:
        raise Wrong(str(problem)) from None
