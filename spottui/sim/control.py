"""What a test or a scenario may do to the world: reclaim, break, send, restock, turn knobs, move time."""

from collections.abc import Callable
from typing import Any

from spottui.sim import notice, reclaim
from spottui.sim.catalog import TYPES
from spottui.sim.clock import iso_millis
from spottui.sim.errors import ControlError
from spottui.sim.faults import KINDS, Fault
from spottui.sim.given import Given
from spottui.sim.model import Notice
from spottui.sim.world import World

Json = dict[str, Any]
PERMISSIONS = ("allow", "empty", "forbidden")
_MAX_S = 30 * 86_400


def interrupt(world: World, given: Given, now: float) -> Json:
    """Take instances back: lock and event now (or `lock_after_s`, `queue_after_s` later), release after `notice_s`.

    A drill is an event only. Without a lock nothing is released. Without a queue no message is sent; the
    event stays in CloudMonitor's history (a drill's does not) unless `history` is false.
    An id that is not in the world, or an on-demand instance, can only be the subject of an event without lock.
    """
    ids = given.texts("instance_ids")
    notice_s = given.number("notice_s", 300, 0, _MAX_S)
    form = given.choice("format", notice.FORMATS, "flat")
    encoding = given.choice("encoding", notice.ENCODINGS, "base64")
    locks = given.flag("lock", True) and form != "drill"
    sends = given.flag("queue", True)
    keeps = given.flag("history", True) and form != "drill"
    copies = int(given.number("copies", 1, 1, 100))
    lock_after_s = given.number("lock_after_s", 0, 0, _MAX_S)
    queue_after_s = given.number("queue_after_s", 0, 0, _MAX_S)
    given.end()
    if locks:
        _check_reclaimable(world, ids)
    for instance_id in ids:
        if locks:
            _plan_lock(world, instance_id, now + lock_after_s, now + notice_s)
        happened = _event(world, instance_id, now)
        if keeps:
            world.notices.append(happened)
        if sends:
            text = notice.body(happened, world.account_id, form, encoding)
            _plan_messages(world, happened, text, now + queue_after_s, copies)
    world.schedule.run_until(now)
    return {"instance_ids": ids, "release_at": iso_millis(now + notice_s) if locks else None}


def _check_reclaimable(world: World, ids: list[str]) -> None:
    for instance_id in ids:
        instance = world.instances.get(instance_id)
        if instance is None:
            raise ControlError("instance_ids", f"{instance_id} does not exist", "ids of /_sim/state")
        if not instance.is_spot:
            raise ControlError("instance_ids", f"{instance_id} is not a spot instance", "spot instances")


def _plan_lock(world: World, instance_id: str, at: float, release_at: float) -> None:
    instance = world.instances[instance_id]
    world.schedule.plan(at, lambda due: reclaim.lock(world, instance, max(due, release_at)))


def _event(world: World, instance_id: str, now: float) -> Notice:
    instance = world.instances.get(instance_id)
    region = instance.region if instance else next(iter(world.regions))
    return notice.about(world, instance_id, now, region)


def _plan_messages(world: World, happened: Notice, text: str, at: float, copies: int) -> None:
    def deliver(due: float) -> None:
        for _ in range(copies):
            notice.deliver(world, happened, text, due)

    world.schedule.plan(at, deliver)


def order_fault(world: World, given: Given, now: float) -> Json:
    """Let the next calls of an action go wrong; `times` 0 is for ever."""
    action = given.text("action")
    kind = given.choice("kind", KINDS)
    times = int(given.number("times", 1, 0, 10**6))
    fault = Fault(action, kind, given.mapping("match"), times or None)
    fault.code = given.text("code", fault.code)
    fault.status = int(given.number("status", fault.status, 100, 599))
    fault.message = given.text("message", fault.message)
    fault.delay_s = given.number("delay_s", None, 0, 3600) if "delay_s" in given else None
    fault.retry_after_ms = int(given.number("retry_after_ms", None, 1, 10**7)) if "retry_after_ms" in given else None
    given.end()
    world.faults.order(fault)
    return {"ordered": 1}


def send(world: World, given: Given, now: float) -> Json:
    """Put a raw body on a queue, exactly as it is."""
    name = given.text("queue", next(iter(world.regions.values())).queue)
    body = given.text("body")
    delay_s = given.number("delay_s", 0, 0, 604_800)
    copies = int(given.number("copies", 1, 1, 10_000))
    given.end()
    queue = world.queues.get(name)
    if queue is None:
        raise ControlError("queue", f"{name} does not exist", [q.name for q in world.queues])
    return {"message_ids": [queue.send(body, now, delay_s=delay_s).id for _ in range(copies)]}


def set_stock(world: World, given: Given, now: float) -> Json:
    """Set what is left of a type in a zone; without a type or zone, of all of them. `stock` null is plenty."""
    zones = [zone for region in world.regions.values() for zone in region.zones]
    kinds = [given.choice("instance_type", tuple(TYPES))] if "instance_type" in given else list(TYPES)
    wanted = [given.choice("zone", zones)] if "zone" in given else zones
    left = int(given.number("stock", -1, 0, 10**9)) if "stock" in given else None
    given.end()
    for pair in ((kind, zone) for kind in kinds for zone in wanted):
        if left is None:
            world.stock.pop(pair, None)
        else:
            world.stock[pair] = left
    return {"pairs": len(kinds) * len(wanted)}


def turn_knobs(world: World, given: Given, now: float) -> Json:
    """Change how the world behaves from now on; images already being made keep their time."""
    knobs = world.settings
    for name in ("image_base_s", "image_s_per_gib", "boot_s", "image_usable_s"):
        if name in given:
            setattr(knobs, name, given.number(name, None, 0, _MAX_S))
    if "image_incremental" in given:
        knobs.image_incremental = given.number("image_incremental", None, 0, 1)
    if "skew_wall_s" in given:
        knobs.skew_wall_s = given.number("skew_wall_s", None, -_MAX_S, _MAX_S)
    if "locked_status" in given:
        knobs.locked_status = given.choice("locked_status", ("Running", "Stopping", "Stopped"))
    knobs.queue_down = given.flag("queue_down", knobs.queue_down)
    permissions = given.mapping("permissions")
    if any(value not in PERMISSIONS for value in permissions.values()):
        raise ControlError("permissions", "has a value that is not allowed", list(PERMISSIONS))
    given.end()
    knobs.permissions.update(permissions)
    return {"permissions": knobs.permissions}


def move_clock(world: World, given: Given, now: float) -> Json:
    """Set the `speed` (0 stands still, at most 600) or jump `advance_s` ahead, or both."""
    if "speed" not in given and "advance_s" not in given:
        raise ControlError("speed", "is missing", ["speed", "advance_s"])
    speed = given.number("speed", world.clock.speed, 0, 600)
    advance_s = given.number("advance_s", 0, 0, 10 * 365 * 86_400)
    given.end()
    world.clock.set_speed(speed)
    world.advance(advance_s)
    return {"now": iso_millis(world.settle()), "speed": world.clock.speed}


CALLS: dict[str, Callable[[World, Given, float], Json]] = {
    "interrupt": interrupt, "faults": order_fault, "send": send, "stock": set_stock, "world": turn_knobs,
    "clock": move_clock,
}  # fmt: skip
"""Every way to act on the world, by the last part of its path and by its name in a scenario."""
