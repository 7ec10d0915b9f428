"""`spottui ready`: how each instance would come back if its notice came now, and what keeping it ready costs."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from spottui.cli.common import Wrong, refuse_if_read_only, with_settings
from spottui.cli.instances import fleets_of
from spottui.domain.region_key import fields_of

if TYPE_CHECKING:
    from spottui.cloud.ecs import Ecs
    from spottui.domain.launch_spec import LaunchSpec
    from spottui.domain.readiness import Readiness
    from spottui.domain.ready import KeptReady
    from spottui.domain.settings import Settings

_EXAMPLES = """\b
Examples:
  spottui ready                      how each instance would come back
  spottui ready --dry-run            what [[ready]] will create, and its cost
  spottui ready --protect i-bp1abc   keep its disks when it is released
  spottui ready --undo               undo --protect everywhere
"""
_DAY_S = 86_400.0


@click.command(epilog=_EXAMPLES)
@with_settings
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--dry-run", is_flag=True, help="Show what [[ready]] will create in the next 24 hours, and its cost per month."
)
@click.option(
    "--protect",
    is_flag=True,
    help="Keep the disks when their instance is released; without IDs, wherever [[ready]] matches.",
)
@click.option("--undo", is_flag=True, help="Undo --protect; without IDs, everywhere.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--json", "as_json", is_flag=True, help="{instances[], cost_per_month}; with --protect {disks{ID: words}}"
)
def ready(
    settings: "Settings", ids: tuple[str, ...], dry_run: bool, protect: bool, undo: bool, yes: bool, as_json: bool
) -> None:
    """Show by which route each spot instance would come back now, how old its images are, and what is missing.

    --protect and --undo change disks; exit 1 if one of them could not be changed.
    """
    if protect + undo + dry_run > 1:
        raise Wrong("pass only one of --dry-run, --protect and --undo.")
    if protect or undo:
        from spottui.cli.standing import change_protection

        refuse_if_read_only()
        changed = change_protection(settings, ids, undo=undo, yes=yes, as_json=as_json)
        click.get_current_context().exit(0 if changed else 1)
    from spottui.domain.clock import CloudClock

    clock = CloudClock()
    fleets = fleets_of(settings, ids, clock)
    if dry_run:
        _show_schedule(settings, [spec for _, specs in fleets for spec in specs], ids, as_json=as_json)
    else:
        _show_readiness(settings, fleets, ids, clock.now(), as_json=as_json)


def _show_readiness(
    settings: "Settings",
    fleets: "list[tuple[Ecs, tuple[LaunchSpec, ...]]]",
    ids: Sequence[str],
    now: datetime,
    *,
    as_json: bool,
) -> None:
    from spottui.journal import Journal
    from spottui.recovery.readiness import readiness_of_fleet

    with Journal(settings.journal, read_only=True) as journal:
        every = readiness_of_fleet(settings, journal, fleets, now)
    readinesses = [readiness for readiness in every if not ids or readiness.spec.instance.instance_id in ids]
    per_month = _sum([readiness.per_month for readiness in readinesses])
    if as_json:
        records = [_record(readiness, now) for readiness in readinesses]
        click.echo(json.dumps({"instances": records, "cost_per_month": per_month}))
        return
    head = f"{'instance':<24}{'name':<13}{'route now':<26}{'system':<8}{'data':<8}{'per month':<11}missing"
    rows = [_row(readiness, now) for readiness in readinesses]
    click.echo("\n".join([click.style(head, bold=True), *rows, _total(len(readinesses), per_month)]))


def _record(readiness: "Readiness", now: datetime) -> dict[str, Any]:
    old, image = readiness.spec.instance, readiness.system_image
    return {
        "instance_id": old.instance_id,
        "name": old.name,
        **fields_of(old.region),
        "route": readiness.route,
        "verdict": readiness.verdict.value,
        "image_s": round(readiness.image_s),
        "system_image": image.image_id if image else None,
        "system_age_s": round((now - image.made).total_seconds()) if image else None,
        "data_age_s": round((now - readiness.data_made).total_seconds()) if readiness.data_made else None,
        "missing": [what.value for what in readiness.missing],
        "cost_per_month": readiness.per_month,
    }


def _row(readiness: "Readiness", now: datetime) -> str:
    from spottui.domain.text import plain
    from spottui.words.reasons import missing

    old, image = readiness.spec.instance, readiness.system_image
    lacks = "; ".join(map(missing, readiness.missing)) or "nothing"
    by = f"{readiness.route}, {readiness.verdict}"
    return (
        f"{plain(old.instance_id):<24}{plain(old.name, 12):<13}{by:<26}{_age(image.made if image else None, now):<8}"
        f"{_age(readiness.data_made, now):<8}{_money(readiness.per_month):<11}{lacks}"
    )


def _show_schedule(settings: "Settings", specs: "list[LaunchSpec]", ids: Sequence[str], *, as_json: bool) -> None:
    from spottui.domain.ready import kept_ready

    kept = [ready for ready in kept_ready(settings, specs) if not ids or ready.spec.instance.instance_id in ids]
    made = [ready for ready in kept if not ready.beyond_cap]
    per_month = _sum([ready.per_month for ready in made])
    if as_json:
        records = [_schedule_record(ready) for ready in kept]
        click.echo(json.dumps({"instances": records, "cost_per_month": per_month}))
        return
    head = f"{'instance':<24}{'name':<13}{'images a day':<14}{'snapshot groups a day':<23}{'kept':<6}per month"
    rows = [_schedule_row(ready) for ready in kept]
    click.echo("\n".join([click.style(head, bold=True), *rows, _total(len(made), per_month)]))
    if len(made) < len(kept):
        click.echo(f"max_cost_per_month leaves no room for {len(kept) - len(made)} of {len(kept)}")
    if kept and per_month is None:
        click.echo("no cost: set storage_price.snapshot, the price of a GiB of snapshots a month")


def _a_day(ready: "KeptReady") -> tuple[int, int]:
    """Images and snapshot groups that a day brings."""
    from spottui.domain.ready import image_every_s, snapshots_every_s

    groups_s = snapshots_every_s(ready.schedule) if ready.spec.data_disks else None
    return round(_DAY_S / image_every_s(ready.schedule)), round(_DAY_S / groups_s) if groups_s else 0


def _schedule_record(ready: "KeptReady") -> dict[str, Any]:
    images, groups = _a_day(ready)
    return {
        "instance_id": ready.spec.instance.instance_id,
        "name": ready.spec.instance.name,
        **fields_of(ready.spec.instance.region),
        "images_per_day": 0 if ready.beyond_cap else images,
        "snapshot_groups_per_day": 0 if ready.beyond_cap else groups,
        "keep": ready.schedule.keep,
        "cost_per_month": ready.per_month,
        "beyond_cap": ready.beyond_cap,
    }


def _schedule_row(ready: "KeptReady") -> str:
    from spottui.domain.text import plain

    images, groups = _a_day(ready)
    old, cost = ready.spec.instance, _money(ready.per_month)
    cost = f"{cost}, above the cap: nothing is made" if ready.beyond_cap else cost
    name = f"{plain(old.instance_id):<24}{plain(old.name, 12):<13}"
    return f"{name}{images:<14}{groups or '-':<23}{ready.schedule.keep:<6}{cost}"


def _sum(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return round(sum(known), 2) if known else None


def _total(number: int, per_month: float | None) -> str:
    cost = f", at most {per_month:.2f} a month" if per_month is not None else ""
    return f"{number} instance{'' if number == 1 else 's'}{cost}"


def _money(cost: float | None) -> str:
    return "-" if cost is None else f"{cost:.2f}"


def _age(made: datetime | None, now: datetime) -> str:
    from spottui.tables.moments import age

    return age((now - made).total_seconds()) if made else "-"
