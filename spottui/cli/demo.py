"""`spottui demo`: the console against a simulated cloud of its own, with reclaims within seconds."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spottui.cli.console import need_terminal
from spottui.cli.ending import Ending, leave
from spottui.cli.own_cloud import own_directory, simulated_cloud, use_private_state

if TYPE_CHECKING:
    from spottui.domain.settings import Settings
    from spottui.domain.view import DeskView

SCENARIO = "demo"
DEADLINE_S = 300


_EXAMPLES = """\b
Examples:
  spottui demo                       then press y and enter, a, ?
  spottui demo --headless --auto     exit 0 when all three are recovered
"""

_FOR_A_PERSON_S = 20.0
"""The veto window when a person watches; without a screen the scenario's shorter one applies."""


@click.command(epilog=_EXAMPLES)
@click.option("--headless", is_flag=True, help="No screen: JSON lines and a summary; exit 0 if all recovered.")
@click.option("--auto", is_flag=True, help="Arm auto-mode at start.")
@click.option("--read-only", is_flag=True, help="Watch only.")
def demo(headless: bool, auto: bool, read_only: bool) -> None:
    """Try the console on a simulated cloud: 24 instances, three reclaims within ten seconds.

    Needs no account and touches nothing but this machine.
    """
    if auto and read_only:
        raise click.UsageError("--auto and --read-only are mutually exclusive: auto-mode acts.")
    if headless and not auto:
        raise click.UsageError("--headless needs --auto here: nobody else could confirm.")
    if not headless:
        need_terminal()
    with Ending(terminal=not headless) as ending, own_directory("demo", ending) as directory:
        use_private_state(directory)
        with simulated_cloud(directory, SCENARIO, ending) as config:
            code = _run(config, ending, headless=headless, auto=auto, read_only=read_only)
    leave(code)


def _run(config: Path, ending: Ending, *, headless: bool, auto: bool, read_only: bool) -> int:
    from msgspec.structs import replace

    from spottui.config import load

    settings = replace(load(config), profile="demo")
    if headless:
        return _run_headless(settings, ending)
    from spottui.cli.console import run_console

    unhurried = replace(settings, policy=replace(settings.policy, veto_window_s=_FOR_A_PERSON_S))
    return run_console(unhurried, config, ending, auto=auto, read_only=read_only)


def _run_headless(settings: "Settings", ending: Ending) -> int:
    from spottui.cli.headless import run_headless
    from spottui.sim.scenario import load as load_scenario

    interrupted = [entry for entry in load_scenario(SCENARIO).timeline if entry.what == "interrupt"]
    outcome = _Outcome(expected=sum(len(entry.args["instances"]) for entry in interrupted))
    code = run_headless(settings, ending, auto=True, read_only=False, until=outcome.is_complete)
    outcome.show()
    return code or (0 if outcome.all_recovered else 1)


@dataclass
class _Outcome:
    """How the reclaims of the scenario ended."""

    expected: int
    rows: list[tuple[str, str, str, float, str]] = field(default_factory=list)

    def is_complete(self, view: "DeskView") -> bool:
        """Whether every expected recovery has ended, or its deadline has passed."""
        from spottui import words

        over = [recovery for recovery in view.recoveries if recovery.state.is_final]
        self.rows = [
            (
                recovery.name,
                recovery.instance_id,
                recovery.state.value,
                ((recovery.ended or view.at) - recovery.started).total_seconds(),
                words.reason(recovery.reason, recovery.region),
            )
            for recovery in view.recoveries
        ]
        late = any((view.at - recovery.started).total_seconds() > DEADLINE_S for recovery in view.recoveries)
        return late or (len(over) >= self.expected and len(over) == len(view.recoveries))

    @property
    def all_recovered(self) -> bool:
        """Whether each of them runs again."""
        return len(self.rows) == self.expected and all(row[2] == "recovered" for row in self.rows)

    def show(self) -> None:
        """Print the summary table."""
        click.echo(f"\n{'name':<12}{'instance':<26}{'state':<12}{'seconds':>8}  reason")
        for name, instance_id, state, seconds, reason in self.rows:
            click.echo(f"{name:<12}{instance_id:<26}{state:<12}{seconds:>8.1f}  {reason}")
        recovered = sum(row[2] == "recovered" for row in self.rows)
        click.echo(f"{recovered} of {self.expected} recovered")
