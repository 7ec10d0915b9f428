"""A plan as `recover` prints it, before its yes and with --dry-run."""

from typing import TYPE_CHECKING

import click

from spottui.domain.region_key import fields_of

if TYPE_CHECKING:
    from spottui.domain.plan import Plan


def show_plan(plan: "Plan", reused: str = "") -> None:
    """Show a plan; that of a retry with what is `reused`."""
    from spottui import words
    from spottui.domain.text import plain

    old = plan.spec.instance
    verb = "retry" if reused else "recover"
    click.secho(f"{verb} {old.instance_id} {plain(old.name)} by {', else '.join(plan.routes)}", bold=True)
    if reused:
        click.echo(f"  reused: {reused}")
    for number, candidate in enumerate(plan.candidates, 1):
        click.echo(
            f"  {number}. {candidate.instance_type} in {candidate.zone}, {candidate.vswitch_id}"
            f"  ({plain(candidate.reason)})"
        )
    for warning in words.warnings(plan):
        click.echo(f"  note: {warning}")


def plan_record(plan: "Plan") -> dict[str, object]:
    """Return a plan as `recover --dry-run --json` prints it."""
    from spottui import words

    return {
        "instance_id": plan.spec.instance.instance_id,
        "name": plan.spec.instance.name,
        **fields_of(plan.spec.instance.region),
        "routes": [route.value for route in plan.routes],
        "places": [
            {
                "instance_type": candidate.instance_type,
                "zone": candidate.zone,
                "vswitch_id": candidate.vswitch_id,
                "on_demand": candidate.on_demand,
                "reason": candidate.reason,
            }
            for candidate in plan.candidates
        ],
        "notes": list(words.warnings(plan)),
    }
