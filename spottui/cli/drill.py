"""`spottui drill`: sends a test notice along the path of a real one, and shows what would be done."""

import json
from typing import TYPE_CHECKING, Any

import click

from spottui.cli.check import Check, ok, wrong
from spottui.cli.common import Failed, Wrong, refuse_if_read_only, with_settings
from spottui.cli.completion import scenarios, spot_instances
from spottui.cli.progress import Progress
from spottui.domain.region_key import fields_of

if TYPE_CHECKING:
    from spottui.cloud.region_tools import RegionTools
    from spottui.domain.settings import Settings

_EXAMPLES = """\b
Examples:
  spottui drill i-bp1abcdef                CloudMonitor, rule, queue, spottui
  spottui drill i-bp1abcdef --via queue    needs no CloudMonitor rule
  spottui drill --game-day demo            rehearse; see sim --list-scenarios
  spottui --headless drill --game-day storm-100
"""
LIVE_ID = "i-spottui0doctor0nobody"
LIVE_S = 60.0


def _game_day(ctx: click.Context, _option: click.Parameter, scenario: str | None) -> None:
    """Handled before all other options: a game day needs no configuration."""
    if scenario is None or ctx.resilient_parsing:
        return
    from spottui.cli.ending import leave
    from spottui.cli.game_day import play

    leave(play(scenario, headless=bool(ctx.find_root().params.get("headless"))))


@click.command(epilog=_EXAMPLES)
@click.option(
    "--game-day", metavar="SCENARIO", is_eager=True, expose_value=False, callback=_game_day, shell_complete=scenarios,
    help="Play a scenario on the simulated cloud instead, with a score at the end.",
)  # fmt: skip
@with_settings
@click.argument("instance", shell_complete=spot_instances)
@click.option(
    "--via", type=click.Choice(["cloudmonitor", "queue"]), default="cloudmonitor", show_default=True,
    help="Send it as CloudMonitor's debug event, or put it on the queue directly.",
)  # fmt: skip
@click.option("--timeout", "timeout_s", default=60.0, show_default=True, help="Seconds to wait for its arrival.")
@click.option("--dry-run", is_flag=True, help="Send nothing; only show what auto-mode would do.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def drill(settings: "Settings", instance: str, via: str, timeout_s: float, dry_run: bool, as_json: bool) -> None:
    """Send a drill for INSTANCE (an id or a name), check that it arrives, and show what auto-mode would do.

    Nothing is launched: a drill sets no lock, and auto-mode needs a lock to proceed. A running console shows it as
    suspected, protects the instance's disks (DeleteWithInstance=false) and closes it as a drill after its deadline.
    A `spottui guard --queue` on the instance warns its workload as in a reclaim, then restarts it.
    """
    from spottui.cli.instances import find_instance
    from spottui.cli.what_if import what_auto_mode_would_do
    from spottui.cloud.region_tools import credentials_of, region_tools

    tools, spot = find_instance(region_tools(settings, credentials_of(settings)), instance)
    if not spot.is_spot:
        raise Wrong(f"{spot.instance_id} is not a spot instance, so it is never reclaimed.")
    would = what_auto_mode_would_do(settings, tools.ecs, spot.instance_id)
    where = fields_of(tools.settings.key)
    result: dict[str, Any] = {"instance_id": spot.instance_id, **where, "via": via, "would": would}
    if not dry_run:
        refuse_if_read_only()
        _print(f"{spot.instance_id} in {tools.settings.key}: sending a drill through {via}", as_json)
        result |= _sent(settings, tools, spot.instance_id, via, timeout_s, as_json)
    for line in would:
        _print(f"  {line}", as_json)
    if as_json:
        click.echo(json.dumps(result))
    elif not dry_run:
        click.secho("passed: a notice arrives here. Nothing was launched.", fg="green")


def _sent(
    settings: "Settings", tools: "RegionTools", instance_id: str, via: str, timeout_s: float, as_json: bool
) -> dict[str, Any]:
    from spottui.cli.drilling import Lost, await_drill, send_drill

    try:
        with Progress() as progress:
            call_id, arrival = await_drill(
                settings,
                tools,
                instance_id,
                timeout_s,
                lambda: send_drill(tools, instance_id, via_queue=via == "queue"),
                progress,
            )
    except Lost as problem:
        raise Failed(str(problem).strip()) from None
    if arrival is None:
        raise Failed(
            f"the drill [{call_id}] did not arrive within {timeout_s:.0f} s. `spottui doctor` checks queue and rule; "
            "a console with another journal may have received it: check its events."
        )
    _print(f"arrived at {arrival.where} after {arrival.seconds:.1f} s [{call_id}]", as_json)
    if arrival.shown_as:
        _print(f"  shown as {arrival.shown_as}", as_json)
    return {"sent": call_id, "arrived_s": round(arrival.seconds, 3), "shown_as": arrival.shown_as or None}


def live_check(settings: "Settings", tools: "RegionTools", progress: Progress) -> Check:
    """Send the debug event about an instance that does not exist and return how long it took to arrive."""
    from spottui.cli.drilling import Lost, await_drill
    from spottui.cloud.errors import CloudError

    subject = f"live {tools.settings.key}"
    try:
        call_id, arrival = await_drill(
            settings, tools, LIVE_ID, LIVE_S, lambda: tools.rules.send_drill(LIVE_ID), progress
        )
    except CloudError as error:
        return wrong(subject, error.line, error.advice or "try again")
    except Lost as problem:
        return wrong(subject, str(problem), "try again")
    if arrival is None:
        return wrong(subject, f"the debug event [{call_id}] did not arrive within {LIVE_S:.0f} s", "spottui setup")
    return ok(subject, f"the debug event arrived at {arrival.where} after {arrival.seconds:.1f} s")


def _print(text: str, as_json: bool) -> None:
    if not as_json:
        click.echo(text)
