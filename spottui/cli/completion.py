"""`spottui completion`: what a shell must read to complete spottui's commands and options."""

import click

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
