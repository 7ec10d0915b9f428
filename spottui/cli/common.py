"""What the commands share: the configuration, and errors as text with an exit code."""

import errno
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from spottui.cloud.errors import CloudError
    from spottui.domain.settings import Settings


_OF_OUTPUT = (errno.ENOSPC, errno.EIO, errno.EBADF)
"""Errors of a file without a name: the one that is printed to."""


class Failed(click.ClickException):
    """The command failed: exit 1."""

    def show(self, file: Any = None) -> None:
        """Print the message in the form that all commands share."""
        click.echo(f"spottui: {self.message}", file=file or sys.stderr)


class Wrong(Failed):
    """Wrong usage or a wrong configuration: exit 2."""

    exit_code = 2


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Pass `settings` to a command, from its own `--config` and `--profile` or from those before its name."""

    @click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="Configuration file to use.")
    @click.option("--profile", default="", help="Apply the [profile.NAME] table of the file.")
    @click.pass_context
    @functools.wraps(command)
    def opened(ctx: click.Context, /, config: Path | None, profile: str, **given: Any) -> None:
        from spottui.config import ConfigProblem, default_path, load

        above = ctx.find_root().params
        try:
            path = config or above.get("config") or default_path()
            settings = load(path, profile or above.get("profile") or "")
        except ConfigProblem as problem:
            raise Wrong(f"{problem} `spottui init` writes a configuration.") from None
        command(settings=settings, **given)

    return opened


def known_account(settings: "Settings", name: str) -> str:
    """Return the name of an account that has a region, or an empty one; raises `Wrong` for another."""
    known = settings.shown_accounts
    if name and name not in known:
        there_are = f"accounts: {', '.join(known)}" if known else "it has no [account.NAME]"
        raise Wrong(f'no account "{name}" in the configuration; {there_are}.')
    return name


def refuse_if_read_only() -> None:
    """Raise if an acting command was given `--read-only` or `SPOTTUI_READ_ONLY`."""
    if click.get_current_context().find_root().params.get("read_only"):
        raise Failed("read-only: drop --read-only and SPOTTUI_READ_ONLY to act.")


def agree(question: str, *, yes: bool) -> None:
    """Return after a yes on the terminal or on the command line; raise without one."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Wrong(f"{question} Not a terminal; pass --yes.")
    if not click.confirm(question, err=True):
        raise Failed("nothing done.")


def failed(error: "CloudError", next_step: str) -> Failed:
    """Return a failed call as text: the cloud's error, whether it may have taken effect, and what to do next."""
    unknown = "It is unknown whether it took effect." if error.kind.effect_unknown else ""
    return Failed(" ".join(part for part in (f"{error.line}.", unknown, error.advice, next_step) if part))


def fail_with(problem: Exception) -> NoReturn:
    """Raise a problem as a message with an exit code; a traceback goes only to the log."""
    from spottui.cloud.errors import CloudError
    from spottui.config import ConfigProblem
    from spottui.domain.refusal import Misconfigured, Refused
    from spottui.journal.store import JournalProblem

    match problem:
        case JournalProblem() | ConfigProblem() | Misconfigured():
            raise Wrong(str(problem)) from None
        case CloudError():
            raise Failed(f"{problem.line}. {problem.advice}".strip()) from None
        case Refused():
            raise Failed(str(problem)) from None
        case OSError(strerror=str(cause)):
            where = problem.filename or ("standard output" if problem.errno in _OF_OUTPUT else "")
            raise Failed(f"{where}: {cause}." if where else f"{cause}.") from None
    raise Failed(f"a bug in spottui: {type(problem).__name__}{_written_down(problem)}.") from None


def _written_down(problem: Exception) -> str:
    """Log a defect and return the log's location; a second defect here must not hide the first one."""
    try:
        import logging

        from spottui.cli.logfile import log_to
        from spottui.config import state_dir

        path = state_dir() / "spottui.log"
        log_to(path)
        logging.getLogger("spottui").error("a command failed", exc_info=problem)
    except Exception:
        return ""
    return f"; the traceback is in {path}"
