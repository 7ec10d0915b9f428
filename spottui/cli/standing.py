"""`spottui ready --protect` and `--undo`: let disks outlive their instances, or restore the setting they had."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from spottui.cli.common import agree
from spottui.cli.console import whoami
from spottui.cli.instances import fleets_of

if TYPE_CHECKING:
    from spottui.cloud.ecs import Ecs
    from spottui.domain.clock import CloudClock
    from spottui.domain.launch_spec import LaunchSpec
    from spottui.domain.settings import Settings
    from spottui.journal import Journal
    from spottui.recovery.standing_protection import Outcome


@dataclass(frozen=True, slots=True)
class Change:
    """The disks of one instance that are to be changed."""

    ecs: "Ecs"
    spec: "LaunchSpec"
    disk_ids: tuple[str, ...]


def change_protection(settings: "Settings", ids: Sequence[str], *, undo: bool, yes: bool, as_json: bool) -> bool:
    """Protect disks or put them back, after a yes; return whether every one of them was changed."""
    from spottui.domain.clock import CloudClock
    from spottui.domain.refusal import Refused
    from spottui.journal import Journal

    clock = CloudClock()
    with Journal(settings.journal) as journal:
        changes = _to_undo(settings, journal, ids, clock) if undo else _to_protect(settings, ids, clock)
        count = sum(len(change.disk_ids) for change in changes)
        if not as_json:
            click.echo("\n".join(_line(change) for change in changes) or "nothing to change")
        if count:
            agree(f"{'Put back' if undo else 'Protect'} {count} disk{'' if count == 1 else 's'}?", yes=yes)
        said: dict[str, str] = {}
        for change in changes:
            try:
                outcome = _change(journal, change, clock.now(), undo=undo)
            except Refused as refused:
                said |= dict.fromkeys(change.disk_ids, str(refused))
                continue
            said |= dict.fromkeys(change.disk_ids, "")
            said |= {disk_id: f"{error.line}. {error.advice}".strip() for disk_id, error in outcome.refused}
    _print(said, "as before" if undo else "protected", as_json=as_json)
    return not any(said.values())


def _to_protect(settings: "Settings", ids: Sequence[str], clock: "CloudClock") -> list[Change]:
    from spottui.domain.ready import kept_ready
    from spottui.recovery.standing_protection import to_protect

    fleets = fleets_of(settings, ids, clock)
    every = [spec for _, specs in fleets for spec in specs]
    kept = {ready.spec.instance.instance_id for ready in kept_ready(settings, every)}
    wanted = frozenset(ids) or kept
    changes = [
        Change(ecs, spec, tuple(disk.disk_id for disk in to_protect(spec)))
        for ecs, specs in fleets
        for spec in specs
        if spec.instance.instance_id in wanted
    ]
    return [change for change in changes if change.disk_ids]


def _to_undo(settings: "Settings", journal: "Journal", ids: Sequence[str], clock: "CloudClock") -> list[Change]:
    from spottui.recovery.standing_protection import protected_disks

    standing = protected_disks(journal)
    return [
        Change(ecs, spec, standing[spec.instance.region, spec.instance.instance_id])
        for ecs, specs in fleets_of(settings, ids, clock)
        for spec in specs
        if (spec.instance.region, spec.instance.instance_id) in standing
        and (not ids or spec.instance.instance_id in ids)
    ]


def _change(journal: "Journal", change: Change, now: datetime, *, undo: bool) -> "Outcome":
    from spottui.recovery import standing_protection

    who = whoami()
    if undo:
        return standing_protection.undo(journal, change.ecs, change.spec, change.disk_ids, who, now)
    return standing_protection.protect(journal, change.ecs, change.spec, who, now)


def _line(change: Change) -> str:
    from spottui.domain.text import plain

    old = change.spec.instance
    return f"{plain(old.instance_id)}  {plain(old.name, 24)}  {' '.join(map(plain, change.disk_ids))}"


def _print(said: dict[str, str], done: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"disks": {disk_id: why or done for disk_id, why in said.items()}}))
        return
    from spottui.domain.text import plain

    for disk_id, why in said.items():
        click.echo(f"{plain(disk_id)}  {f'not changed: {plain(why, 500)}' if why else done}")
