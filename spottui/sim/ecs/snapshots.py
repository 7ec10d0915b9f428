"""Snapshots: what there is."""

from spottui.sim.ecs import filters, rendering
from spottui.sim.paging import by_token_or_number
from spottui.sim.registry import Body, Call, action

_STATUSES = {"all": ""}


@action()
def describe_snapshots(call: Call) -> Body:
    """Snapshots of a region, of a disk, of an instance's disks or by id."""
    region, params = call.region_id, call.params
    status = params.text("Status")
    rows = (row for row in call.world.snapshots.values() if row.region == region)
    found = filters.keep(
        rows,
        filters.among("id", params.json_list("SnapshotIds")),
        filters.equals("disk_id", params.text("DiskId")),
        filters.equals("status", _STATUSES.get(status, status)),
        filters.equals("name", params.text("SnapshotName")),
        filters.among("disk_id", _disks_of(call)),
        filters.tagged(params.tags()),
    )
    call.refuse_if_dry_run()
    return by_token_or_number(
        call, found, lambda page: {"Snapshots": {"Snapshot": page}},
        lambda row: rendering.snapshot(row, call.now),
    )  # fmt: skip


def _disks_of(call: Call) -> list[str] | None:
    instance_id = call.params.text("InstanceId")
    if not instance_id:
        return None
    return call.world.instance(instance_id, call.region_id).disk_ids
