"""Starting, stopping, rebooting and deleting instances, one or up to a hundred at a time."""

from collections.abc import Callable

from spottui.sim import reclaim, stock
from spottui.sim.boot import boot_stopped, reboot
from spottui.sim.ecs.launch_checks import check_keys
from spottui.sim.errors import ApiError, missing
from spottui.sim.model import Instance
from spottui.sim.registry import Body, Call, action
from spottui.sim.stock import price

_STOPPED_MODES = ("KeepCharging", "StopCharging")
_MOST = 100

Act = Callable[[Call, Instance], None]


@action()
def start_instance(call: Call) -> Body:
    """Start a stopped instance; in economical mode it needs stock again, at a price within its limit."""
    call.params.accept("InitLocalDisk")
    return _one(call, _check_startable, _start)


@action()
def start_instances(call: Call) -> Body:
    """Start several instances, all or as many as can be."""
    return _several(call, _check_startable, _start)


@action()
def stop_instance(call: Call) -> Body:
    """Stop a Running instance, with or without its compute."""
    call.params.accept("ForceStop", "ConfirmStop", "Hibernate")
    return _one(call, _check_stoppable, _stop)


@action()
def stop_instances(call: Call) -> Body:
    """Stop several instances, all or as many as can be."""
    call.params.accept("ForceStop")
    return _several(call, _check_stoppable, _stop)


@action()
def reboot_instance(call: Call) -> Body:
    """Stop a Running instance and start it again."""
    call.params.accept("ForceStop")
    return _one(call, _check_running, _reboot)


@action()
def reboot_instances(call: Call) -> Body:
    """Reboot several instances, all or as many as can be."""
    call.params.accept("ForceReboot")
    return _several(call, _check_running, _reboot)


@action()
def delete_instance(call: Call) -> Body:
    """Release an instance: a Stopped one, or with Force a Running one."""
    call.params.accept("TerminateSubscription", "ForceStop")
    return _one(call, _check_deletable, _delete)


@action()
def delete_instances(call: Call) -> Body:
    """Release several instances, all or none."""
    call.params.accept("TerminateSubscription", "ForceStop")
    rows = _rows(call)
    for row in rows:
        _check_deletable(call, row)
    call.refuse_if_dry_run()

    def act() -> tuple[Body, str]:
        for row in rows:
            _delete(call, row)
        return {}, f"{', '.join(row.id for row in rows)} deleted"

    return call.once("DeleteInstances", act, "changed")


def _one(call: Call, check: Act, act: Act) -> Body:
    row = call.world.instance(call.params.required("InstanceId"), call.any_region)
    check(call, row)
    call.refuse_if_dry_run()
    act(call, row)
    return {}


def _several(call: Call, check: Act, act: Act) -> Body:
    """AllTogether (the default) changes all or none; SuccessFirst says of each how it went."""
    call.region_id  # noqa: B018  mandatory here
    rows = _rows(call)
    one_by_one = call.params.choice(
        "BatchOptimization", ("AllTogether", "SuccessFirst"),
        ApiError("InvalidBatchOptimization", 400, "The specified BatchOptimization is not valid."),
    ) == "SuccessFirst"  # fmt: skip
    if not one_by_one:
        for row in rows:
            check(call, row)
    call.refuse_if_dry_run()
    answers = [_answer(call, row, check, act) for row in rows]
    call.changed(", ".join(row.id for row in rows))
    return {"InstanceResponses": {"InstanceResponse": answers}}


def _answer(call: Call, row: Instance, check: Act, act: Act) -> dict[str, str]:
    before, code, message = row.status, "200", "success"
    try:
        check(call, row)
        act(call, row)
    except ApiError as refusal:
        code, message = refusal.code, refusal.message
    return {
        "InstanceId": row.id, "PreviousStatus": before, "CurrentStatus": row.status, "Code": code, "Message": message,
    }  # fmt: skip


def _rows(call: Call) -> list[Instance]:
    ids = call.params.numbered("InstanceId")
    if not ids:
        raise missing("InstanceId")
    if len(ids) > _MOST:
        raise ApiError("InvalidParameter.InstanceIds", 400, f"The number of instances exceeds {_MOST}.")
    return [call.world.instance(instance_id, call.any_region) for instance_id in ids]


def _start(call: Call, row: Instance) -> None:
    stock.take(call.world, row.type, row.zone, 1 if row.stopped_mode == "StopCharging" else 0)
    boot_stopped(call.world, row, call.now)
    call.changed(f"{row.id} Starting")


def _stop(call: Call, row: Instance) -> None:
    frees = call.params.text("StoppedMode") == "StopCharging"
    if frees:
        stock.give_back(call.world, row.type, row.zone)
    reclaim.stop(call.world, row, call.now, charging=not frees)
    call.changed(f"{row.id} Stopping")


def _reboot(call: Call, row: Instance) -> None:
    reboot(call.world, row, call.now)
    call.changed(f"{row.id} rebooting")


def _delete(call: Call, row: Instance) -> None:
    stock.give_back(call.world, row.type, row.zone, 0 if row.stopped_mode == "StopCharging" else 1)
    reclaim.release(call.world, row, call.now)
    call.changed(f"{row.id} deleted")


def _check_startable(call: Call, row: Instance) -> None:
    if row.status != "Stopped":
        raise _wrong_status()
    _check_unlocked(row)
    disks = call.world.disks_of(row)
    if not any(disk.type == "system" for disk in disks):
        raise ApiError("InvalidInstance.NotFoundSystemDisk", 400, "The specified instance does not have system disk.")
    check_keys(call.world, (disk.kms_key_id for disk in disks))
    if row.stopped_mode == "StopCharging":
        _check_market(call, row)


def _check_market(call: Call, row: Instance) -> None:
    if not stock.has(call.world, row.type, row.zone):
        raise ApiError("OperationDenied.NoStock", 403, "The requested resource is sold out in the specified zone.")
    # No table of StartInstance names a price that rose; the words are those of a launch.
    if row.spot_strategy == "SpotWithPriceLimit" and row.spot_price_limit < price(
        call.world, row.type, row.zone, call.now
    ):
        raise ApiError(
            "InvalidSpotPriceLimit.LowerThanPublicPrice", 400,
            "The spotPriceLimit can't be lower than current public price.",
        )  # fmt: skip


def _check_stoppable(call: Call, row: Instance) -> None:
    if call.params.text("StoppedMode", "KeepCharging") not in _STOPPED_MODES:
        raise ApiError("InvalidStoppedMode", 400, "The specified StoppedMode is not valid.")
    _check_running(call, row)


def _check_running(call: Call, row: Instance) -> None:
    if row.status != "Running":
        raise _wrong_status()
    _check_unlocked(row)


def _check_unlocked(row: Instance) -> None:
    if row.locks:
        raise ApiError(f"InstanceLockedFor{row.locks[0]}", 403, "The specified operation is denied: locked.")


def _check_deletable(call: Call, row: Instance) -> None:
    if row.deletion_protection:
        raise ApiError("InvalidOperation.DeletionProtection", 403, "The instance is protected from deletion.")
    if row.status != "Stopped" and not (call.params.flag("Force") and row.status == "Running"):
        raise _wrong_status()


def _wrong_status() -> ApiError:
    return ApiError(
        "IncorrectInstanceStatus", 403, "The current status of the resource does not support this operation."
    )
