"""`spottui completion`, and the values that the shell then offers: names known on this machine; never an error."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click import Context, Parameter
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from spottui.domain.settings import Settings

_EXAMPLES = """\b
Examples:
  spottui completion bash >> ~/.bashrc
  spottui completion zsh > "${fpath[1]}/_spottui"
  spottui completion fish > ~/.config/fish/completions/spottui.fish
"""


@click.command(epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that completes spottui's commands and options in SHELL."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made:
        click.echo(made(ctx.find_root().command, {}, "spottui", "_SPOTTUI_COMPLETE").source())


def templates(ctx: Context, _param: Parameter, begun: str) -> list[CompletionItem]:
    """Offer the templates of the configuration."""
    settings = _settings(ctx)
    names = sorted(settings.templates) if settings else []
    return [CompletionItem(name) for name in names if name.startswith(begun)]


def spot_instances(ctx: Context, _param: Parameter, begun: str) -> list[CompletionItem]:
    """Offer the spot instances in the journal by name or id, as begun; asks no cloud."""
    settings = _settings(ctx)
    if settings is None:
        return []
    from spottui.domain.text import plain
    from spottui.journal import Journal
    from spottui.journal.store import JournalProblem

    try:
        journal = Journal(settings.journal, read_only=True)
    except JournalProblem:
        return []
    captured = [seen for region in settings.region_keys for seen in journal.fleet.load(region).values()]
    journal.close()
    spot = [seen.spec.instance for seen in captured if seen.spec.instance.is_spot]
    by_id = begun.startswith("i-")
    ids = {
        (instance.instance_id if by_id else instance.name): (instance.name if by_id else instance.instance_id)
        for instance in spot
    }
    # Names are untrusted: those that a shell would have to quote are not offered.
    return [
        CompletionItem(value, help=plain(other))
        for value, other in sorted(ids.items())
        if value.startswith(begun) and value.replace("-", "").replace("_", "").replace(".", "").isalnum()
    ]


def scenarios(_ctx: Context, _param: Parameter, begun: str) -> list[CompletionItem]:
    """Offer the scenarios of the simulated cloud."""
    from spottui.sim.scenario import names

    return [CompletionItem(name) for name in names() if name.startswith(begun)]


def _settings(ctx: Context) -> "Settings | None":
    from spottui.config import ConfigProblem, default_path, load

    above = ctx.find_root().params
    path = ctx.params.get("config") or above.get("config") or default_path()
    profile = ctx.params.get("profile") or above.get("profile") or ""
    try:
        return load(Path(path), profile)
    except ConfigProblem:
        return None
