"""What the zones have left of each instance type."""

from spottui.sim.world import World

LOW = 3


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
