"""A fresh world: regions with zones and vSwitches, a mixed fleet, a queue and an event rule per region."""

import base64
import random
from dataclasses import dataclass, replace

from spottui.sim import addresses
from spottui.sim.catalog import TYPES, spot_price
from spottui.sim.clock import Clock
from spottui.sim.ids import Ids
from spottui.sim.mns.queues import Attributes
from spottui.sim.model import Disk, Eip, EventRule, Image, Instance, Mapping, Region, VSwitch
from spottui.sim.notice import EVENT
from spottui.sim.settings import Settings
from spottui.sim.world import World

QUEUE = "spot-interruption"
_ZONES = ("h", "i", "j")
_ROLES = ("web", "api", "etl", "cache", "batch", "train", "ci")
_TYPES = tuple(name for name, t in TYPES.items() if not t.local_gib and t.architecture == "X86")
_LOCAL_TYPE = next(name for name, t in TYPES.items() if t.local_gib)
_DAY_S = 86_400
_FIRST_ACCOUNT, _NEXT_ACCOUNT = 1690700000000030, 10**15


@dataclass(frozen=True, slots=True)
class Plan:
    """The size and seed of a world. `bare`: no queue and no event rule yet, for trying `setup`.

    `accounts` is how many more accounts there are, each with a fleet of its own of the same size.
    """

    instances: int = 24
    regions: tuple[str, ...] = ("cn-hangzhou",)
    seed: int = 7
    bare: bool = False
    accounts: int = 0


def build(plan: Plan, clock: Clock, settings: Settings) -> World:
    """A world by the plan; the same plan gives the same ids, names, types and sizes."""
    home = _of_account(plan, clock, settings, 0)
    for number in range(1, plan.accounts + 1):
        other = _of_account(replace(plan, seed=plan.seed + number), clock, settings, number)
        other.ledger, other.faults, other.coverage = home.ledger, home.faults, home.coverage
        other.security_tokens, other.traffic = home.security_tokens, home.traffic
        home.others[other.account_id] = other
    return home


def _of_account(plan: Plan, clock: Clock, settings: Settings, number: int) -> World:
    ids = Ids(plan.seed)
    keys = {f"LTAI5t{ids.text(18)}": ids.text(30)}
    world = World(clock, ids, str(_FIRST_ACCOUNT + number * _NEXT_ACCOUNT), keys, settings)
    for number, region_id in enumerate(plan.regions):
        _add_region(world, region_id, QUEUE if number == 0 else f"{QUEUE}-{region_id}", bare=plan.bare)
    dice = random.Random(plan.seed)
    for number in range(1, plan.instances + 1):
        region = world.regions[plan.regions[(number - 1) % len(plan.regions)]]
        _add_instance(world, dice, region, number)
    return world


def _add_region(world: World, region_id: str, queue: str, *, bare: bool) -> None:
    now = world.clock.now()
    zones = tuple(f"{region_id}-{letter}" for letter in _ZONES)
    vpc_id = world.ids.resource("vpc")
    vswitches = {zone: _add_vswitch(world, region_id, vpc_id, zone, n) for n, zone in enumerate(zones)}
    group = world.ids.resource("sg")
    world.regions[region_id] = Region(region_id, zones, vpc_id, group, vswitches, queue)
    _add_base_image(world, region_id, now)
    if not bare:
        world.queues.create(queue, Attributes(), now)
        world.event_rules[queue] = EventRule(
            queue, event_names=(EVENT,), products=("ecs",), targets={"1": (region_id, queue)}
        )


def _add_vswitch(world: World, region: str, vpc_id: str, zone: str, number: int) -> str:
    vswitch = VSwitch(
        world.ids.resource("vsw"), region, zone, vpc_id, f"172.16.{number * 64}.0/18", tags={"use": "spot"}
    )
    world.vswitches[vswitch.id] = vswitch
    return vswitch.id


def _add_base_image(world: World, region: str, now: float) -> None:
    image = Image(
        next(world.order), f"ubuntu_22_04_x64_20G_alibase_{region.replace('-', '')}.vhd", region,
        "ubuntu_22_04_x64_20G_alibase", "system", now - 90 * _DAY_S, now - 90 * _DAY_S, now - 90 * _DAY_S,
        (Mapping("/dev/xvda", "system", 20, ""),), status="Available",
    )  # fmt: skip
    world.images[image.id] = image


def _add_instance(world: World, dice: random.Random, region: Region, number: int) -> None:
    zone = region.zones[(number - 1) // len(world.regions) % len(region.zones)]
    vswitch = world.vswitches[region.vswitches[zone]]
    role = _ROLES[(number - 1) % len(_ROLES)]
    created = world.clock.now() - dice.randrange(_DAY_S // 12, 20 * _DAY_S)
    base_image = next(i for i in world.images.values() if i.region == region.id and i.owner == "system")
    instance = Instance(
        next(world.order), world.ids.resource("i"), f"{role}-{number}", region.id, zone,
        _LOCAL_TYPE if number % 24 == 20 else dice.choice(_TYPES), vswitch.id, addresses.allocate(vswitch),
        base_image.id, created, host_name=f"{role}-{number}", key_pair="ops",
        security_group_ids=(region.security_group_id,), started_at=created + 40,
        eni_id=world.ids.resource("eni"), mac=world.ids.mac(), serial=world.ids.event().lower(),
        tags={"app": role, "env": "prod" if number % 3 else "staging"},
    )  # fmt: skip
    world.instances[instance.id] = instance
    _make_spot(instance, dice, number)
    _equip(world, instance, dice, number)


def _make_spot(instance: Instance, dice: random.Random, number: int) -> None:
    if number % 8 == 0:
        return
    instance.spot_strategy = "SpotAsPriceGo" if number % 3 else "SpotWithPriceLimit"
    if instance.spot_strategy == "SpotWithPriceLimit":
        instance.spot_price_limit = round(spot_price(instance.type, instance.zone) * 1.5, 3)
    instance.spot_duration = dice.choice((0, 1))
    if number % 6 == 5 and not TYPES[instance.type].local_gib:
        instance.behavior = "Stop"


def _equip(world: World, instance: Instance, dice: random.Random, number: int) -> None:
    _add_disk(world, instance, "system", "/dev/xvda", dice.choice((20, 40, 60)))
    if number % 4 == 2:
        _add_disk(world, instance, "data", "/dev/xvdb", dice.choice((20, 40, 100)))
    if TYPES[instance.type].local_gib:
        _add_disk(world, instance, "data", "/dev/xvdc", TYPES[instance.type].local_gib, "ephemeral_ssd")
    if number % 5 == 1:
        _add_eip(world, instance, dice)
    if number % 3 == 1:
        instance.user_data = base64.b64encode(f"#!/bin/sh\necho {instance.name}\n".encode()).decode()
    if number % 7 == 3:
        instance.ram_role = "etl-reader"


def _add_disk(
    world: World, instance: Instance, kind: str, device: str, size_gib: int, category: str = "cloud_essd"
) -> None:
    disk = Disk(
        next(world.order), world.ids.resource("d"), instance.region, instance.zone, "", kind, device,
        category, size_gib, instance.created_at, instance_id=instance.id,
        performance_level="PL0" if category == "cloud_essd" else "", image_id=instance.image_id,
    )  # fmt: skip
    world.disks[disk.id] = disk
    instance.disk_ids.append(disk.id)


def _add_eip(world: World, instance: Instance, dice: random.Random) -> None:
    address = f"121.40.{dice.randrange(1, 255)}.{dice.randrange(1, 255)}"
    eip = Eip(world.ids.resource("eip"), instance.region, address, instance.created_at, 5, instance.id)
    world.eips[eip.id] = eip
    instance.eip_id = eip.id
