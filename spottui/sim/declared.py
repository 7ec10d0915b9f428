"""A world as somebody declares it, in TOML or as the same tables in Python: types, regions, fleet, prices, stock.

[[type]]      name, vcpu, memory_gib, price; architecture, local_gib
[[region]]    id; queue, security_group, vpc; [[region.vswitch]] zone, cidr, id; [[region.image]] id, architecture, size
[[instance]]  name, type, zone; count, spot, spot_price_limit, spot_duration, behavior, key_pair, ram_role, user_data,
              private_ip, eip, age_s, tags, ports;
              disks, the system disk first, = [{size, category, delete_with_instance, kms_key}]
[[load_balancer]] and [[dns_zone]]: as of the control calls `balancer` (`balancers.declaring`) and `dns` (`pvtz`)
[[price]]     type, zone, price
[[stock]]     type, zone, stock
[settings]    knobs
"""

import base64
import tomllib
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from spottui.sim import addresses, catalog, pvtz, services, settings_update, stock
from spottui.sim.balancers import declaring
from spottui.sim.catalog import TYPES, InstanceType
from spottui.sim.clock import Clock
from spottui.sim.control_request import Given
from spottui.sim.errors import ApiError, ControlError
from spottui.sim.ids import Ids
from spottui.sim.mns.queues import Attributes
from spottui.sim.model import Disk, Eip, EventRule, Image, Instance, Region, VSwitch
from spottui.sim.model import Mapping as DiskMapping
from spottui.sim.notice import EVENT
from spottui.sim.populate import QUEUE
from spottui.sim.settings import Settings
from spottui.sim.world import World

_DAY_S = 86_400
_TABLES = ("type", "region", "instance", "load_balancer", "dns_zone", "price", "stock", "settings", "account_id")
_CATEGORIES = ("cloud", "cloud_efficiency", "cloud_ssd", "cloud_essd", "cloud_auto", "cloud_essd_entry")


def read(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        ControlError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as problem:
        raise ControlError("world", f"{path}: {problem}", "a TOML file that declares a world") from None


def build(declared: Mapping[str, Any], clock: Clock, seed: int) -> World:
    """The world that is declared; the same tables, seed and start give the same one.

    Raises:
        ControlError: a table or field is wrong; named with its place, `instance[3].type`.
    """
    unknown = sorted(set(declared) - set(_TABLES))
    if unknown:
        raise ControlError(unknown[0], "is not a table of a world", list(_TABLES))
    ids = Ids(seed)
    keys = {f"LTAI5t{ids.text(18)}": ids.text(30)}
    world = World(clock, ids, str(declared.get("account_id", "1690700000000030")), keys, Settings())
    _each(declared, "type", _add_type)
    _each(declared, "region", lambda given: _add_region(world, given))
    if not world.regions:
        raise ControlError("region", "is missing", "at least one [[region]] with a [[region.vswitch]]")
    _each(declared, "instance", lambda given: _add_instances(world, given))
    _each(declared, "load_balancer", lambda given: declaring.add(world, given, world.clock.now()))
    _each(declared, "dns_zone", lambda given: pvtz.declare(world, given, world.clock.now()))
    _each(declared, "price", lambda given: _set_price(world, given))
    _each(declared, "stock", lambda given: _set_stock(world, given))
    settings_update.turn(world.settings, Given(declared.get("settings", {})))
    return world


def _each(table: Mapping[str, Any], name: str, add: Callable[[Given], object]) -> None:
    rows = table.get(name, [])
    if not isinstance(rows, list):
        raise ControlError(name, "must be a list of tables", f"[[{name}]]")
    for number, row in enumerate(rows, 1):
        try:
            given = Given(row)
            add(given)
            given.end()
        except ControlError as refusal:
            place = f"{name}[{number}].{refusal.field}"
            raise ControlError(place, refusal.message, refusal.allowed) from None


def _add_type(given: Given) -> None:
    kind = InstanceType(
        given.text("name"), int(given.number("vcpu", None, 1, 1024)),
        int(given.number("memory_gib", None, 0.25, 65_536) * 1024), given.number("price", None, 0.001, 10**6),
        int(given.number("local_gib", 0, 0, 10**6)), given.choice("architecture", ("X86", "ARM"), "X86"),
    )  # fmt: skip
    instance_type = TYPES.get(kind.name)
    if instance_type not in (None, kind):
        raise ControlError("name", f"{kind.name} is another type of this cloud already", "a new name, or no [[type]]")
    catalog.add(kind)


def _add_region(world: World, given: Given) -> None:
    region_id = given.text("id")
    queue = given.text("queue", QUEUE if not world.regions else f"{QUEUE}-{region_id}")
    vpc_id = given.text("vpc", "") or world.ids.resource("vpc")
    group = given.text("security_group", "") or world.ids.resource("sg")
    vswitches: dict[str, str] = {}
    _each(
        {"vswitch": given.tables("vswitch")},
        "vswitch",
        lambda vswitch: _add_vswitch(world, region_id, vpc_id, vswitches, vswitch),
    )
    if not vswitches:
        raise ControlError("vswitch", "is missing", "at least one [[region.vswitch]] with its zone")
    world.regions[region_id] = Region(region_id, tuple(vswitches), vpc_id, group, vswitches, queue)
    images = given.tables("image") or [{"id": f"ubuntu_22_04_x64_20G_alibase_{region_id.replace('-', '')}.vhd"}]
    _each({"image": images}, "image", lambda image: _add_image(world, region_id, image))
    world.queues.create(queue, Attributes(), world.clock.now())
    world.event_rules[queue] = EventRule(
        queue, event_names=(EVENT,), products=("ecs",), targets={"1": (region_id, queue)}
    )  # fmt: skip


def _add_vswitch(world: World, region: str, vpc_id: str, vswitches: dict[str, str], given: Given) -> None:
    zone, cidr = given.text("zone"), given.text("cidr", f"172.16.{len(vswitches) * 64}.0/18")
    if zone in vswitches:
        raise ControlError("zone", f"{zone} has a vSwitch already", "one vSwitch in each zone")
    try:
        ip_network(cidr)
    except ValueError as problem:
        raise ControlError("cidr", str(problem), "a network such as 10.0.0.0/24") from None
    vswitch = VSwitch(given.text("id", "") or world.ids.resource("vsw"), region, zone, vpc_id, cidr)
    world.vswitches[vswitch.id], vswitches[zone] = vswitch, vswitch.id


def _add_image(world: World, region: str, given: Given) -> None:
    image_id, made = given.text("id"), world.clock.now() - 90 * _DAY_S
    world.images[image_id] = Image(
        next(world.order), image_id, region, given.text("name", image_id), "system", made, made, made,
        (DiskMapping("/dev/xvda", "system", int(given.number("size", 20, 1, 2048)), ""),), status="Available",
        architecture=given.choice("architecture", ("x86_64", "arm64"), "x86_64"),
        boot_mode=given.choice("boot_mode", ("BIOS", "UEFI", "UEFI-Preferred"), "UEFI-Preferred"),
    )  # fmt: skip


def _add_instances(world: World, given: Given) -> None:
    zones = {zone: region for region in world.regions.values() for zone in region.zones}
    name, kind = given.text("name"), TYPES[given.choice("type", tuple(TYPES))]
    zone = given.choice("zone", tuple(zones))
    count = int(given.number("count", 1, 1, 100_000))
    made = _details(world, given)
    disks, eip = [Given(row) for row in given.tables("disks")] or [Given({})], given.flag("eip", False)
    specs = [_disk(disk, first=number == 0) for number, disk in enumerate(disks)]
    wanted, ports = given.text("private_ip", ""), given.ports("ports")
    if wanted and count > 1:
        raise ControlError("private_ip", "is for one instance only", "a count of 1")
    for number in range(1, count + 1):
        shown = name if count == 1 else f"{name}-{number}"
        row = _instance(world, zones[zone], zone, kind, shown, wanted, made)
        for spec in specs:
            _add_disk(world, row, dict(spec))
        world.disks[row.disk_ids[0]].ports = ports
        services.install(world, row, services.Mode.UP)
        if kind.local_gib:
            _add_disk(world, row, {"size": kind.local_gib, "category": "ephemeral_ssd"})
        if eip:
            _add_eip(world, row)


def _details(world: World, given: Given) -> dict[str, Any]:
    limit = given.number("spot_price_limit", 0, 0, 10**6)
    spot = given.flag("spot", True)
    user_data = given.text("user_data", "")
    return {
        "created_at": world.clock.now() - given.number("age_s", 7 * _DAY_S, 0, 10**9),
        "spot_strategy": ("SpotWithPriceLimit" if limit else "SpotAsPriceGo") if spot else "NoSpot",
        "spot_price_limit": limit, "spot_duration": int(given.number("spot_duration", 1, 0, 1)),
        "behavior": given.choice("behavior", ("Terminate", "Stop"), "Terminate"),
        "key_pair": given.text("key_pair", "ops"), "ram_role": given.text("ram_role", ""),
        "user_data": base64.b64encode(user_data.encode()).decode() if user_data else "",
        "tags": given.mapping("tags"),
    }  # fmt: skip


def _instance(
    world: World, region: Region, zone: str, kind: InstanceType, name: str, private_ip: str, details: dict[str, Any]
) -> Instance:
    vswitch = world.vswitches[region.vswitches[zone]]
    architecture = kind.image_architecture
    fitting = [i for i in world.images.values() if i.region == region.id and i.architecture == architecture]
    if not fitting:
        raise ControlError("type", f"{kind.name} needs an image of {architecture}", "a [[region.image]] with it")
    try:
        address = addresses.take(vswitch, private_ip) if private_ip else addresses.allocate(vswitch)
    except ApiError as refusal:
        raise ControlError("private_ip", refusal.message, vswitch.cidr) from None
    row = Instance(
        next(world.order), world.ids.resource("i"), name, region.id, zone, kind.name, vswitch.id, address,
        fitting[0].id, host_name=name, security_group_ids=(region.security_group_id,),
        started_at=details["created_at"] + 40, eni_id=world.ids.resource("eni"), mac=world.ids.mac(),
        serial=world.ids.event().lower(), **{**details, "tags": dict(details["tags"])},
    )  # fmt: skip
    world.instances[row.id] = row
    return row


def _disk(given: Given, *, first: bool) -> dict[str, Any]:
    spec = {
        "size": int(given.number("size", 40 if first else 100, 1, 65_536)),
        "category": given.choice("category", _CATEGORIES, "cloud_essd"),
        "delete_with_instance": given.flag("delete_with_instance", True), "kms_key": given.text("kms_key", ""),
    }  # fmt: skip
    given.end()
    return spec


def _add_disk(world: World, row: Instance, spec: dict[str, Any]) -> None:
    first = not row.disk_ids
    device = f"/dev/xvd{'abcdefghijklmnopqrstuvwxyz'[len(row.disk_ids)]}"
    disk = Disk(
        next(world.order), world.ids.resource("d"), row.region, row.zone, "", "system" if first else "data", device,
        spec["category"], spec["size"], row.created_at, instance_id=row.id,
        delete_with_instance=spec.get("delete_with_instance", True), image_id=row.image_id,
        performance_level="PL0" if spec["category"] == "cloud_essd" else "",
        encrypted=bool(spec.get("kms_key")), kms_key_id=spec.get("kms_key", ""),
    )  # fmt: skip
    world.disks[disk.id] = disk
    row.disk_ids.append(disk.id)


def _add_eip(world: World, row: Instance) -> None:
    address = f"121.40.{row.seq // 250 % 250 + 1}.{row.seq % 250 + 1}"
    eip = Eip(world.ids.resource("eip"), row.region, address, row.created_at, 5, row.id)
    world.eips[eip.id], row.eip_id = eip, eip.id


def _set_price(world: World, given: Given) -> None:
    kind, zone = given.choice("type", tuple(TYPES)), given.choice("zone", _zones(world))
    stock.set_price(world, kind, zone, given.number("price", None, 0.001, 10**6), 0.0)


def _set_stock(world: World, given: Given) -> None:
    kind, zone = given.choice("type", tuple(TYPES)), given.choice("zone", _zones(world))
    world.stock[kind, zone] = int(given.number("stock", None, 0, 10**9))


def _zones(world: World) -> tuple[str, ...]:
    return tuple(zone for region in world.regions.values() for zone in region.zones)
