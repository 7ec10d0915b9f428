"""`spottui drill`: a notice that is none, sent the way a real one comes, and what would have been done about it."""

import json
from typing import TYPE_CHECKING, Any

import click

from spottui.cli.check import Check, ok, wrong
from spottui.cli.common import Failed, Wrong, refuse_if_read_only, with_settings
from spottui.cli.progress import Progress
from spottui.cli.suggestions import scenarios, spot_instances

if TYPE_CHECKING:
    from spottui.cloud.region_tools import RegionTools
    from spottui.domain.settings import Settings

_EXAMPLES = """\b
Examples:
  spottui drill i-bp1abcdef                CloudMonitor, rule, queue, spottui
  spottui drill i-bp1abcdef --via queue    needs no CloudMonitor rule
  spottui drill --game-day demo            practise; --list-scenarios of `sim`
  spottui --headless drill --game-day storm-100
"""
LIVE_ID = "i-spottui0doctor0nobody"
LIVE_S = 60.0


def _game_day(ctx: click.Context, _option: click.Parameter, scenario: str | None) -> None:
    """Run before anything else is asked for: a game-day needs no configuration."""
    if scenario is None or ctx.resilient_parsing:
        return
    from spottui.cli.ending import leave
    from spottui.cli.game_day import play

    leave(play(scenario, headless=bool(ctx.find_root().params.get("headless"))))


@click.command(epilog=_EXAMPLES)
@click.option(
    "--game-day", metavar="SCENARIO", is_eager=True, expose_value=False, callback=_game_day, shell_complete=scenarios,
    help="Instead: a night on the simulated cloud, with a score at the end.",
)  # fmt: skip
@with_settings
@click.argument("instance", shell_complete=spot_instances)
@click.option(
    "--via", type=click.Choice(["cloudmonitor", "queue"]), default="cloudmonitor", show_default=True,
    help="How it is sent: as CloudMonitor's debug event, or put on the queue itself.",
)  # fmt: skip
@click.option("--timeout", "timeout_s", default=60.0, show_default=True, help="Seconds to wait for it.")
@click.option("--dry-run", is_flag=True, help="Send nothing; say what auto-mode would do.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def drill(settings: "Settings", instance: str, via: str, timeout_s: float, dry_run: bool, as_json: bool) -> None:
    """Send a drill about INSTANCE (an id, or a name), see it arrive, and say what auto-mode would have done.

    Nothing is launched: a drill sets no lock, and only a lock lets auto-mode go on. A console that watches shows it
    as suspected, keeps the instance's disks (DeleteWithInstance=false) and closes it as a drill after its deadline.
    A `spottui guard --queue` on the instance warns and ends its workload as at a reclaim, and goes on with it.
    """
    from spottui.cli.naming import find_instance
    from spottui.cli.what_if import what_auto_mode_would_do
    from spottui.cloud.region_tools import credentials_of, region_tools

    tools, found = find_instance(region_tools(settings, credentials_of(settings)), instance)
    if not found.is_spot:
        raise Wrong(f"{found.instance_id} is not a spot instance: it is never reclaimed.")
    would = what_auto_mode_would_do(settings, tools.ecs, found.instance_id)
    result: dict[str, Any] = {"instance_id": found.instance_id, "region": tools.settings.id, "via": via, "would": would}
    if not dry_run:
        refuse_if_read_only()
        _tell(f"{found.instance_id} in {tools.settings.id}: sending a drill through {via}", as_json)
        result |= _sent(settings, tools, found.instance_id, via, timeout_s, as_json)
    for line in would:
        _tell(f"  {line}", as_json)
    if as_json:
        click.echo(json.dumps(result))
    elif not dry_run:
        click.secho("proven: a notice arrives here. Nothing was launched.", fg="green")


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
            f"the drill [{call_id}] was not seen within {timeout_s:.0f} s. `spottui doctor` looks at queue and rule; "
            "a console with another journal may have taken it: look at its events."
        )
    _tell(f"arrived at {arrival.where} after {arrival.seconds:.1f} s [{call_id}]", as_json)
    if arrival.shown_as:
        _tell(f"  shown as {arrival.shown_as}", as_json)
    return {"sent": call_id, "arrived_s": round(arrival.seconds, 3), "shown_as": arrival.shown_as or None}


def live_check(settings: "Settings", tools: "RegionTools", progress: Progress) -> Check:
    """Send the debug event about an instance that does not exist and return how long it took to come."""
    from spottui.cli.drilling import Lost, await_drill
    from spottui.cloud.errors import CloudError

    subject = f"live {tools.settings.id}"
    try:
        call_id, arrival = await_drill(
            settings, tools, LIVE_ID, LIVE_S, lambda: tools.rules.send_drill(LIVE_ID), progress
        )
    except CloudError as error:
        return wrong(subject, error.line, error.advice or "try again")
    except Lost as problem:
        return wrong(subject, str(problem), "try again")
    if arrival is None:
        return wrong(subject, f"the debug event [{call_id}] did not come within {LIVE_S:.0f} s", "spottui setup")
    return ok(subject, f"the debug event came to {arrival.where} after {arrival.seconds:.1f} s")


def _tell(text: str, as_json: bool) -> None:
    if not as_json:
        click.echo(text)
