"""The command line: heavy modules are imported only by the command that needs them."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from spottui import __version__

COMMANDS = {
    "completion": "Print a shell completion script.",
    "demo": "Try the console on a simulated cloud.",
    "doctor": "Check credentials, permissions, queue, rule and this machine.",
    "drill": "Send a test notice and check that it arrives.",
    "guard": "Run a workload on a spot instance and stop it in time.",
    "init": "Write a configuration.",
    "janitor": "List and delete leftover images, snapshots and disks.",
    "journal": "Back up, check and repair the journal.",
    "launch": "Launch spot instances from a template of the configuration.",
    "ready": "Show how each instance would come back; protect its disks.",
    "recover": "Recover one instance in the foreground.",
    "replay": "Replay a recorded incident.",
    "report": "Print a post-mortem, statistics or a shift hand-over.",
    "setup": "Create the queue and the CloudMonitor rule of each region.",
    "sim": "Serve a simulated Alibaba Cloud on loopback.",
    "status": "Show what is being reclaimed and recovered now.",
}
"""Every command with its line in the overview: the function of that name in the module of that name."""


class LazyGroup(click.Group):
    """Imports a command's module when that command is used, and none for the overview."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, which is the function of that name in its module."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"spottui.cli.{cmd_name}"), cmd_name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands or options with this prefix, importing no command."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=line) for name, line in COMMANDS.items() if name.startswith(incomplete)]

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the command line, and print a help or the version."""
        with _in_words():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; every problem is reported in words."""
        with _in_words():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
        raise
    except Exception as problem:
        from spottui.cli.common import fail_with

        fail_with(problem)


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.version_option(__version__, prog_name="spottui")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="Configuration file to use.")
@click.option("--profile", default="", help="Apply the [profile.NAME] table of the file.")
@click.option("--auto", is_flag=True, help="Arm auto-mode at start.")
@click.option("--read-only", is_flag=True, envvar="SPOTTUI_READ_ONLY", help="Watch only; refuse every action.")
@click.option("--headless", is_flag=True, help="No screen; print one JSON line per change.")
@click.option("--view", default="", help="Open a saved view of the console.")
@click.option("--account", default="", help="Show one account of the configuration; :account shows another.")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.pass_context
def main(
    ctx: click.Context,
    config: Path | None,
    profile: str,
    auto: bool,
    read_only: bool,
    headless: bool,
    view: str,
    account: str,
    no_mouse: bool,
) -> None:
    """Watch Alibaba Cloud spot instances and recover them when they are reclaimed.

    Without a command, open the console. Example: spottui --config prod.toml --read-only
    """
    if ctx.invoked_subcommand is None:
        from spottui.cli.console import run

        run(
            config,
            profile,
            auto=auto,
            read_only=read_only,
            headless=headless,
            view=view,
            account=account,
            mouse=not no_mouse,
        )
