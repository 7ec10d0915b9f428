"""Why the cloud reclaims spot instances: for their price limit, or for the stock (docs/alibaba-facts.md 2.1)."""

from spottui.sim import notice, reclaim
from spottui.sim.model import Instance
from spottui.sim.schedule import happening
from spottui.sim.stock import price
from spottui.sim.world import World

NOTICE_S = 300.0
PROTECTION_S = 3600.0


def take_back(world: World, instance: Instance, now: float, notice_s: float = NOTICE_S) -> None:
    """Lock an instance, tell the queue, and release it when the notice is over."""
    happened = notice.about(world, instance.id, now, instance.region)
    world.notices.append(happened)
    reclaim.lock(world, instance, now + notice_s)
    notice.deliver(world, happened, notice.body(happened, world.account_id, "flat", "base64"), now)


def need_stock(
    world: World, instance_type: str, zone: str, amount: int, now: float, notice_s: float = NOTICE_S
) -> list[Instance]:
    """The cloud needs `amount` instances back and has none left: lowest bids first, ties by chance.

    An instance in its protection hour is spared.
    """
    world.stock[instance_type, zone] = 0
    free = [
        (bid(world, row, now), world.ids.pick(10**9), row.id)
        for row in world.instances.values()
        if row.is_spot and (row.type, row.zone) == (instance_type, zone) and not is_protected(row, now)
        and "Recycling" not in row.locks
    ]  # fmt: skip
    chosen = [world.instances[instance_id] for _, _, instance_id in sorted(free)[:amount]]
    for instance in chosen:
        take_back(world, instance, now, notice_s)
    return chosen


def bid(world: World, instance: Instance, now: float) -> float:
    """What an instance offers: its limit, or the current price where it takes any."""
    if instance.spot_strategy == "SpotWithPriceLimit":
        return instance.spot_price_limit
    return price(world, instance.type, instance.zone, now)


def is_protected(instance: Instance, now: float) -> bool:
    """Whether the instance is in its protection hour."""
    return instance.spot_duration == 1 and now - instance.created_at < PROTECTION_S


@happening
def check(world: World, at: float) -> None:
    """Take back what bids below the price, and plan the next check."""
    for row in list(world.instances.values()):
        if _is_outbid(world, row, at):
            take_back(world, row, at)
    if world.settings.market_check_s > 0:
        world.schedule.plan(at + world.settings.market_check_s, check)


def _is_outbid(world: World, row: Instance, at: float) -> bool:
    return (
        row.spot_strategy == "SpotWithPriceLimit"
        and row.spot_price_limit < price(world, row.type, row.zone, at)
        and not is_protected(row, at)
        and "Recycling" not in row.locks
        and row.status in ("Running", "Starting", "Pending")
    )
