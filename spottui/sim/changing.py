"""What somebody else does to the account: parts of launch specs deleted, instances made otherwise."""

from typing import Any

from spottui.sim import addresses
from spottui.sim.control_request import Given
from spottui.sim.errors import ControlError
from spottui.sim.model import Eni, Instance
from spottui.sim.world import World

_PARTS = ("key_pair", "ram_role", "security_group", "resource_group", "deployment_set", "vswitch", "kms_key")
_TEXTS = ("key_pair", "ram_role", "resource_group_id", "deployment_set_id", "user_data", "description")


def delete_parts(world: World, given: Given, now: float) -> dict[str, Any]:
    """Delete `parts` (security group, key pair, role, …) of an instance from the account; what runs goes on."""
    instance = _instance(world, given)
    parts = given.texts("parts")
    given.end()
    unknown = [part for part in parts if part not in _PARTS]
    if unknown:
        raise ControlError("parts", f"{unknown[0]!r} is not one", list(_PARTS))
    gone = [name for part in parts for name in _names(world, instance, part) if name]
    world.settings.gone += [name for name in gone if name not in world.settings.gone]
    return {"gone": gone}


def change_instance(world: World, given: Given, now: float) -> dict[str, Any]:
    """Let an instance have been made otherwise; `category`, `encrypted` and `kms_key` are of its cloud disks.

    `public_ip` is a public address that is no EIP, an EIP that is there is gone; `interfaces` are secondary ones, which
    stay when it goes unless `interfaces_stay` is false.
    """
    instance = _instance(world, given)
    texts = {name: given.text(name) for name in _TEXTS if name in given}
    behavior = given.choice("behavior", ("Terminate", "Stop"), instance.behavior)
    limit = given.number("spot_price_limit", instance.spot_price_limit, 0, 10**6)
    ipv6 = int(given.number("ipv6_addresses", len(instance.ipv6_addresses), 0, 10))
    category, kms_key = given.text("category", ""), given.text("kms_key", "")
    encrypted, public_ip = given.flag("encrypted", bool(kms_key)), given.text("public_ip", "")
    interfaces, stay = int(given.number("interfaces", 0, 0, 10)), given.flag("interfaces_stay", True)
    given.end()
    for name, value in texts.items():
        setattr(instance, name, value)
    instance.behavior = behavior
    if public_ip:
        world.eips.pop(instance.eip_id, None)
        instance.eip_id, instance.public_ip, instance.bandwidth_out = "", public_ip, 10
    for _ in range(interfaces):
        _add_interface(world, instance, now, stays=stay)
    if limit:
        instance.spot_strategy, instance.spot_price_limit = "SpotWithPriceLimit", limit
    instance.ipv6_addresses = tuple(f"2408:4005:3cb:b100::{instance.seq:x}:{n}" for n in range(1, ipv6 + 1))
    for disk in world.disks_of(instance):
        if not disk.is_local:
            disk.category = category or disk.category
            disk.encrypted, disk.kms_key_id = encrypted or disk.encrypted, kms_key or disk.kms_key_id
    return {"instance_id": instance.id}


def _add_interface(world: World, instance: Instance, now: float, *, stays: bool) -> None:
    vswitch = world.vswitches[instance.vswitch_id]
    eni = Eni(
        next(world.order), world.ids.resource("eni"), instance.region, vswitch.id, world.ids.mac(),
        (addresses.allocate(vswitch),), now, instance.id, delete_on_release=not stays,
        security_group_ids=instance.security_group_ids,
    )  # fmt: skip
    world.enis[eni.id] = eni


def _instance(world: World, given: Given) -> Instance:
    instance_id = given.text("instance_id")
    if instance_id not in world.instances:
        raise ControlError("instance_id", f"{instance_id} does not exist", "an id of /_sim/state")
    return world.instances[instance_id]


def _names(world: World, row: Instance, part: str) -> tuple[str, ...]:
    if part == "security_group":
        return row.security_group_ids
    if part == "kms_key":
        return tuple(disk.kms_key_id for disk in world.disks_of(row))
    of = {
        "key_pair": row.key_pair, "ram_role": row.ram_role, "resource_group": row.resource_group_id,
        "deployment_set": row.deployment_set_id, "vswitch": row.vswitch_id,
    }  # fmt: skip
    return (of[part],)
