"""Starting, stopping and deleting instances, and what the cloud has done to them."""

import json
from typing import Any

from spottui.sim import events, notice, reclaim, stock
from spottui.sim.boot import boot_stopped
from spottui.sim.clock import iso_seconds
from spottui.sim.errors import ApiError
from spottui.sim.model import Instance, Notice
from spottui.sim.paging import by_number
from spottui.sim.registry import Body, Call, action

_STOPPED_MODES = ("KeepCharging", "StopCharging")


@action()
def start_instance(call: Call) -> Body:
    """Start a stopped instance; in economical mode it needs stock again."""
    row = call.world.instance(call.params.required("InstanceId"), call.any_region)
    _check_startable(call, row)
    call.refuse_if_dry_run()
    stock.take(call.world, row.type, row.zone, 1 if row.stopped_mode == "StopCharging" else 0)
    boot_stopped(call.world, row, call.now)
    call.changed(f"{row.id} Starting")
    return {}


@action()
def stop_instance(call: Call) -> Body:
    """Stop a Running instance, with or without its compute."""
    row = call.world.instance(call.params.required("InstanceId"), call.any_region)
    mode = call.params.text("StoppedMode", "KeepCharging")
    if mode not in _STOPPED_MODES:
        raise ApiError("InvalidStoppedMode", 400, "The specified StoppedMode is not valid.")
    if row.status != "Running":
        raise _wrong_status()
    if row.locks:
        raise ApiError(f"InstanceLockedFor{row.locks[0]}", 403, "The specified operation is denied: locked.")
    call.refuse_if_dry_run()
    if mode == "StopCharging":
        stock.give_back(call.world, row.type, row.zone)
    reclaim.stop(call.world, row, call.now, charging=mode == "KeepCharging")
    call.changed(f"{row.id} Stopped")
    return {}


@action()
def delete_instance(call: Call) -> Body:
    """Release an instance: a Stopped one, or with Force a Running one."""
    row = call.world.instance(call.params.required("InstanceId"), call.any_region)
    if row.deletion_protection:
        raise ApiError("InvalidOperation.DeletionProtection", 403, "The instance is protected from deletion.")
    if row.status != "Stopped" and not (call.params.flag("Force") and row.status == "Running"):
        raise _wrong_status()
    call.refuse_if_dry_run()
    stock.give_back(call.world, row.type, row.zone, 0 if row.stopped_mode == "StopCharging" else 1)
    reclaim.release(call.world, row, call.now)
    call.changed(f"{row.id} deleted")
    return {}


@action()
def describe_instance_history_events(call: Call) -> Body:
    """System events of instances that had to do with maintenance: launches that failed, reclaims."""
    region, params = call.region_id, call.params
    wanted = params.text("InstanceId")
    kinds = (events.LAUNCH_FAILED, notice.EVENT)
    rows = [
        n for n in call.world.notices
        if n.region == region and n.name in kinds and wanted in ("", n.instance_id)
        and params.text("EventType", _type(n)) == _type(n)
    ]  # fmt: skip
    return by_number(call, rows, lambda page: {"InstanceSystemEventSet": {"InstanceSystemEventType": page}}, _row)


def _check_startable(call: Call, row: Instance) -> None:
    if row.status != "Stopped":
        raise _wrong_status()
    if row.locks:
        raise ApiError(f"InstanceLockedFor{row.locks[0]}", 403, "The specified operation is denied: locked.")
    if not any(disk.type == "system" for disk in call.world.disks_of(row)):
        raise ApiError("InvalidSystemDisk.NotFound", 403, "The instance has no system disk.")
    if row.stopped_mode == "StopCharging" and not stock.has(call.world, row.type, row.zone):
        raise ApiError("OperationDenied.NoStock", 403, "The requested resource is sold out in the specified zone.")


def _wrong_status() -> ApiError:
    return ApiError(
        "IncorrectInstanceStatus", 403, "The current status of the resource does not support this operation."
    )


def _type(row: Notice) -> str:
    return row.name.split(":")[1]


def _row(row: Notice) -> dict[str, Any]:
    return {
        "EventId": f"e-{row.id[:8].lower()}", "InstanceId": row.instance_id, "ResourceType": "instance",
        "EventType": {"Code": 1, "Name": _type(row)}, "EventCycleStatus": {"Code": 30, "Name": "Executed"},
        "EventPublishTime": iso_seconds(row.at), "EventFinishTime": iso_seconds(row.at),
        "NotBefore": iso_seconds(row.at), "Reason": json.dumps(notice.content(row)), "ImpactLevel": "100",
    }  # fmt: skip
