"""`spottui janitor`: lists leftover images, snapshots and disks, and deletes them on command."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from spottui.cli.common import Wrong, agree, refuse_if_read_only, with_settings
from spottui.cli.console import whoami
from spottui.cli.printing import Printing
from spottui.cli.progress import Progress
from spottui.domain.region_key import fields_of

if TYPE_CHECKING:
    from spottui.domain.billed_resources import Leftover
    from spottui.domain.settings import Settings
    from spottui.recovery.janitor import Janitor

_EXAMPLES = """\b
Examples:
  spottui janitor                          list what is left
  spottui janitor --delete m-bp1abc d-bp1def
  spottui janitor --delete-expired --yes   delete what has expired
"""
GONE = "deleted"
WOULD_GO = "would be deleted"


@click.command(epilog=_EXAMPLES)
@with_settings
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--delete", is_flag=True, help="Delete the resources with these IDs.")
@click.option("--delete-expired", is_flag=True, help="Delete every deletable resource that has expired.")
@click.option("--dry-run", is_flag=True, help="Show what would be deleted and exit.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="{leftovers[]}; with --delete also {outcome{ID: words}}.")
def janitor(
    settings: "Settings",
    ids: tuple[str, ...],
    delete: bool,
    delete_expired: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """List leftover images, snapshots and disks of recoveries and of `[[ready]]`, and delete what is no longer needed.

    What a recovery created may be deleted once its replacement is seen running; what may be the last copy of the data
    is never deleted. An image's own snapshots are deleted with it. A console may be running. Exit 1 when something
    could not be deleted.
    """
    if bool(ids) != delete or (delete and delete_expired):
        raise Wrong("pass --delete with the IDs to delete, or --delete-expired, or neither to list the leftovers.")
    with _janitor(settings) as janitor:
        leftovers = janitor.leftovers()
        if not (delete or delete_expired):
            _list(leftovers, as_json=as_json)
            return
        known = {left.resource_id: left for left in leftovers}
        wanted = ids or tuple(left.resource_id for left in leftovers if left.expired(_today()))
        outcome = _delete(janitor, known, wanted, dry_run=dry_run, yes=yes, as_json=as_json)
    click.get_current_context().exit(0 if set(outcome.values()) <= {GONE, WOULD_GO} else 1)


@contextmanager
def _janitor(settings: "Settings") -> "Iterator[Janitor]":
    """Only journal and clients are opened: a desk would resume every open recovery."""
    from spottui.cloud.region_tools import credentials_of, region_tools
    from spottui.domain.clock import SystemClock
    from spottui.journal import Journal
    from spottui.recovery.janitor import Janitor

    journal = Journal(settings.journal)
    try:
        every = (tools.ecs for tools in region_tools(settings, credentials_of(settings)))
        yield Janitor(journal, {ecs.region: ecs for ecs in every}, SystemClock(), settings)
    finally:
        journal.close()


def _list(leftovers: "Sequence[Leftover]", *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"leftovers": [_record(left) for left in leftovers]}))
    else:
        click.echo(_table(leftovers) if leftovers else "no recovery left anything that costs money")


def _delete(
    janitor: "Janitor", known: "dict[str, Leftover]", wanted: Iterable[str], *, dry_run: bool, yes: bool, as_json: bool
) -> dict[str, str]:
    """Delete the wanted leftovers that may be deleted, after a yes; return the result of each."""
    stays = {resource_id: _why_it_stays(known.get(resource_id)) for resource_id in wanted}
    going = [known[resource_id] for resource_id, why in stays.items() if not why]
    outcome = {resource_id: why for resource_id, why in stays.items() if why}
    if not as_json:
        click.echo(_table(going) if going else "nothing is deletable")
    _print(outcome, as_json=as_json)
    if dry_run:
        outcome |= {left.resource_id: WOULD_GO for left in going}
    elif going:
        refuse_if_read_only()
        agree(f"Delete {_sum(going)}?", yes=yes)
        with Printing(), Progress() as progress:
            progress.show("deleting", 0, len(going))
            cleaned = janitor.clean_up([left.resource_id for left in going], whoami())
            for number, (resource_id, why) in enumerate(cleaned, 1):
                outcome[resource_id] = why or GONE
                progress.clear()
                _print({resource_id: why}, as_json=as_json)
                progress.show("deleting", number, len(going))
    if as_json:
        click.echo(json.dumps({"leftovers": [_record(left) for left in going], "outcome": outcome}))
    return outcome


def _why_it_stays(left: "Leftover | None") -> str:
    return left.held_by if left else "not a leftover of a recovery"


def _print(outcome: "dict[str, str]", *, as_json: bool) -> None:
    from spottui.domain.text import plain

    for resource_id, why in outcome.items():
        click.echo(f"{plain(resource_id)}  {f'not deleted: {plain(why, 500)}' if why else GONE}", err=as_json)


def _table(rows: "Sequence[Leftover]") -> str:
    from spottui.domain.text import plain

    head = f"{'kind':<14} {'id':<23} {'GiB':>5}  {'of':<23} {'expires':<10}  deletable"
    lines = [
        f"{left.kind:<14} {plain(left.resource_id):<23} {left.gib or '-':>5}  "
        f"{plain(left.instance_id or left.recovery_id or '-'):<23} {left.expires or '-'!s:<10}  "
        + (f"no: {plain(left.held_by)}" if left.held_by else "yes, expired" if left.expired(_today()) else "yes")
        for left in rows
    ]
    going = [left for left in rows if left.may_go]
    deletable = f"{_sum(going)} deletable" if going else "none deletable"
    total = _sum(rows) + (f", {deletable}" if len(going) < len(rows) else "")
    return "\n".join([click.style(head, bold=True), *lines, total])


def _sum(leftovers: "Sequence[Leftover]") -> str:
    things = f"{len(leftovers)} resource{'' if len(leftovers) == 1 else 's'}"
    return f"{things}, {sum(left.gib for left in leftovers)} GiB"


def _record(left: "Leftover") -> dict[str, Any]:
    return {
        "kind": left.kind.value,
        "id": left.resource_id,
        "gib": left.gib or None,
        **fields_of(left.region),
        "instance_id": left.instance_id or None,
        "recovery_id": left.recovery_id or None,
        "expires": left.expires.isoformat() if left.expires else None,
        "expired": left.expired(_today()),
        "may_go": left.may_go,
        "held_by": left.held_by or None,
    }


def _today() -> date:
    return datetime.now(UTC).date()
