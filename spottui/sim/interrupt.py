"""Reclaims on order: of named instances, or of as many as the cloud needs back."""

from typing import Any

from spottui.sim import market, notice, reclaim
from spottui.sim.catalog import TYPES
from spottui.sim.clock import iso_millis
from spottui.sim.control_request import Given
from spottui.sim.errors import ControlError
from spottui.sim.model import Notice
from spottui.sim.schedule import happening
from spottui.sim.world import World

_MAX_S = 30 * 86_400


def interrupt(world: World, given: Given, now: float) -> dict[str, Any]:
    """Take instances back: lock and event now (or `lock_after_s`, `queue_after_s` later), release after `notice_s`.

    A drill is an event only. Without a lock nothing is released. Without a queue no message is sent; the
    event stays in CloudMonitor's history (a drill's does not) unless `history` is false. `copies` of the message
    come together, or `spread_s` apart from each other.
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
    spread_s = given.number("spread_s", 0, 0, _MAX_S)
    lock_after_s = given.number("lock_after_s", 0, 0, _MAX_S)
    queue_after_s = given.number("queue_after_s", 0, 0, _MAX_S)
    given.end()
    if locks:
        _check_reclaimable(world, ids)
    for instance_id in ids:
        if locks:
            world.schedule.plan(now + lock_after_s, reclaim.lock_later, instance_id, now + notice_s)
        happened = _event(world, instance_id, now)
        if keeps:
            world.notices.append(happened)
        if sends:
            text = notice.body(happened, world.account_id, form, encoding)
            for copy in range(copies):
                at = now + queue_after_s + copy * spread_s
                world.schedule.plan(at, deliver, happened.name, happened.region, text)
    world.schedule.run_until(world, now)
    return {"instance_ids": ids, "release_at": iso_millis(now + notice_s) if locks else None}


def demand(world: World, given: Given, now: float) -> dict[str, Any]:
    """The cloud needs `amount` instances of a type in a zone back: lowest bids first, protected ones spared."""
    instance_type = given.choice("instance_type", tuple(TYPES))
    zone = given.choice("zone", [zone for region in world.regions.values() for zone in region.zones])
    amount = int(given.number("amount", 1, 1, 10**6))
    notice_s = given.number("notice_s", market.NOTICE_S, 0, _MAX_S)
    given.end()
    chosen = market.need_stock(world, instance_type, zone, amount, now, notice_s)
    return {"instance_ids": [instance.id for instance in chosen]}


@happening
def deliver(world: World, at: float, name: str, region: str, text: str) -> None:
    """One message of an event reaches the queues that want it."""
    notice.deliver(world, Notice("", name, at, region, "", "", ""), text, at)


def _check_reclaimable(world: World, ids: list[str]) -> None:
    for instance_id in ids:
        instance = world.instances.get(instance_id)
        if instance is None:
            raise ControlError("instance_ids", f"{instance_id} does not exist", "ids of /_sim/state")
        if not instance.is_spot:
            raise ControlError("instance_ids", f"{instance_id} is not a spot instance", "spot instances")


def _event(world: World, instance_id: str, now: float) -> Notice:
    instance = world.instances.get(instance_id)
    region = instance.region if instance else next(iter(world.regions))
    return notice.about(world, instance_id, now, region)
