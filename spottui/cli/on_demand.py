"""The second question of `recover --to-spot`: whether the on-demand instance is deleted."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from spottui.cli.console import whoami

if TYPE_CHECKING:
    from spottui.desk import Desk
    from spottui.domain.recovery import Recovery


def gone_back(desk: "Desk", instance_id: str, regions: Sequence[str]) -> "Recovery | None":
    """Return the completed way back to spot of an on-demand instance, or None."""
    from spottui.domain.recovery import RecoveryState

    records = (desk.record(region, instance_id) for region in regions)
    for recovery in (past.recovery for record in records for past in record.past):
        plan = desk.plan(recovery.recovery_id)
        if recovery.state is RecoveryState.RECOVERED and plan and plan.spec.back_to_spot:
            return recovery
    return None


def end_on_demand(desk: "Desk", instance_id: str, regions: Sequence[str], *, yes: bool) -> None:
    """Show what deletes the on-demand instance, and delete it after a yes.

    The way back has succeeded in any case; a refusal is raised only with `yes` on the command line. Standard output is
    reserved for the recovery's lines.
    """
    from spottui.domain.refusal import Refused
    from spottui.words.market import deletion

    back = gone_back(desk, instance_id, regions)
    if back is None:
        return
    try:
        lines = tuple(deletion(desk.deletion(back.region, instance_id)))
    except Refused as refusal:
        if yes:
            raise
        click.echo(f"spottui: {refusal}", err=True)
        return
    if not (yes or sys.stdin.isatty()):
        click.echo(f"{instance_id} is on-demand and still billed: --delete-on-demand deletes it.", err=True)
        return
    click.echo("\n".join(lines), err=True)
    if yes or click.confirm(f"Delete {instance_id}?", err=True):
        desk.delete_on_demand(back.region, instance_id, whoami())
        click.echo(f"{instance_id} deleted", err=True)
