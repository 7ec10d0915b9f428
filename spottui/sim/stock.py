"""What the zones have left of each instance type, and what it costs there and when."""

import math
import zlib
from fnmatch import fnmatchcase

from spottui.sim.catalog import TYPES, spot_price
from spottui.sim.world import World

LOW = 3
INTERRUPTION_RATES = {"0-3%": 0.02, "3-5%": 0.04, "5-10%": 0.07, "10-100%": 0.15}
"""The cloud's words for how often spot instances were reclaimed, and a rate that is meant by each."""


def left(world: World, instance_type: str, zone: str) -> int | None:
    """How many are left; None is plenty."""
    return world.stock.get((instance_type, zone))


def has(world: World, instance_type: str, zone: str, amount: int = 1) -> bool:
    """Whether `amount` can be launched."""
    remaining = left(world, instance_type, zone)
    return remaining is None or remaining >= amount


def take(world: World, instance_type: str, zone: str, amount: int = 1) -> None:
    """`amount` fewer are left."""
    remaining = left(world, instance_type, zone)
    if remaining is not None:
        world.stock[instance_type, zone] = remaining - amount


def give_back(world: World, instance_type: str, zone: str, amount: int = 1) -> None:
    """`amount` more are left."""
    take(world, instance_type, zone, -amount)


def category(world: World, instance_type: str, zone: str) -> str:
    """`WithStock`, `ClosedWithStock` (low) or `WithoutStock`, as DescribeAvailableResource says it."""
    remaining = left(world, instance_type, zone)
    if remaining is None or remaining > LOW:
        return "WithStock"
    return "ClosedWithStock" if remaining > 0 else "WithoutStock"


HOUR_S = 3600


def price(world: World, instance_type: str, zone: str, at: float) -> float:
    """The price in CNY an hour: the last one set before `at`, else the base with the swing of its hour."""
    for since, value in reversed(world.prices.get((instance_type, zone), [])):
        if since <= at:
            return value
    swing = world.settings.price_swing * _wave(instance_type, zone, at)
    return round(min(spot_price(instance_type, zone) * (1 + swing), TYPES[instance_type].list_price), 3)


def set_price(world: World, instance_type: str, zone: str, value: float, now: float) -> None:
    """From now on the price is `value`."""
    world.prices.setdefault((instance_type, zone), []).append((now, value))


def interruption_rate(world: World, instance_type: str, zone: str) -> str:
    """How often a type is interrupted in a zone: what the last setting that matches says, else always the same."""
    said = [
        words for pattern, words in world.settings.interruption_rates.items()
        if fnmatchcase(instance_type, pattern) or fnmatchcase(zone, pattern)
    ]  # fmt: skip
    own = list(INTERRUPTION_RATES)[zlib.crc32(f"{instance_type}!{zone}".encode()) % len(INTERRUPTION_RATES)]
    return said[-1] if said else own


def _wave(instance_type: str, zone: str, at: float) -> float:
    # Each place has a phase of its own, the same in every run: a price depends on its hour and nothing else.
    phase = zlib.crc32(f"{instance_type}/{zone}".encode()) % 628 / 100
    return math.sin(at // HOUR_S * 0.7 + phase)
