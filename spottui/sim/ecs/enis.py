"""Network interfaces: the primary ones, which are parts of their instances, and secondary ones, which may move."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from spottui.sim import addresses
from spottui.sim.catalog import TYPES
from spottui.sim.clock import iso_seconds
from spottui.sim.ecs import filters, rendering
from spottui.sim.ecs.launch_checks import security_groups
from spottui.sim.errors import ApiError, missing
from spottui.sim.model import Eni, Instance, VSwitch
from spottui.sim.paging import by_token_or_number
from spottui.sim.registry import Body, Call, action
from spottui.sim.schedule import happening
from spottui.sim.world import World

_MOST_SECONDARY, _MOST_IPV6 = 49, 10
"""Secondary private and IPv6 addresses of one interface."""


@dataclass(slots=True)
class _Shown:
    """An interface of either kind, as it is looked up."""

    seq: int
    type: str
    eni: Eni
    zone: str
    vpc_id: str

    @property
    def status(self) -> str:
        return self.eni.busy or ("InUse" if self.eni.instance_id else "Available")


@action()
def describe_network_interfaces(call: Call) -> Body:
    """Interfaces of a region, the primary ones of its instances too."""
    params = call.params
    every = _every(call.world, call.region_id)
    status, kind, group = params.text("Status"), params.text("Type"), params.text("SecurityGroupId")
    name, wanted = params.text("NetworkInterfaceName"), params.numbered("NetworkInterfaceId")
    ips, ipv6 = set(params.numbered("PrivateIpAddress")), set(params.numbered("Ipv6Address"))
    primary, tags = params.text("PrimaryIpAddress"), params.tags()
    showns = filters.keep(
        every,
        filters.equals("zone", params.text("ZoneId")), filters.equals("vpc_id", params.text("VpcId")),
        filters.equals("type", kind), filters.equals("status", status),
        (lambda row: row.eni.instance_id == params["InstanceId"]) if params.text("InstanceId") else None,
        (lambda row: row.eni.vswitch_id == params["VSwitchId"]) if params.text("VSwitchId") else None,
        (lambda row: row.eni.id in wanted) if wanted else None,
        (lambda row: row.eni.name == name) if name else None,
        (lambda row: group in row.eni.security_group_ids) if group else None,
        (lambda row: row.eni.private_ips[0] == primary) if primary else None,
        (lambda row: bool(ips & set(row.eni.private_ips))) if ips else None,
        (lambda row: bool(ipv6 & set(row.eni.ipv6_addresses))) if ipv6 else None,
        (lambda row: all(v in ("", row.eni.tags.get(k)) and k in row.eni.tags for k, v in tags.items())),
        filters.switched(params, "ServiceManaged", lambda row: False),
        filters.fixed(params.text("ResourceGroupId"), ""),
    )  # fmt: skip
    return by_token_or_number(
        call, showns, lambda page: {"NetworkInterfaceSets": {"NetworkInterfaceSet": page}},
        lambda row: _row(call.world, row), most=500,
    )  # fmt: skip


@action()
def create_network_interface(call: Call) -> Body:
    """A secondary interface in a vSwitch, attached to nothing."""
    region, params = call.region, call.params
    vswitch = call.world.vswitch(params.required("VSwitchId"), region.id)
    groups = security_groups(call, region.security_group_id)

    def create() -> tuple[Body, str]:
        eni = _create(call, vswitch, groups, params.text("PrimaryIpAddress"))
        eni.name, eni.description = params.text("NetworkInterfaceName"), params.text("Description")
        eni.tags, eni.delete_on_release = params.tags(), params.flag("DeleteOnRelease", default=True)
        call.world.enis[eni.id] = eni
        return _row(call.world, _secondary(call.world, eni)), eni.id

    return call.once("CreateNetworkInterface", create)


@action()
def delete_network_interface(call: Call) -> Body:
    """Delete an interface that is attached to nothing."""
    eni = _wanted(call)
    if eni.instance_id or eni.busy:
        raise _wrong_status("InvalidOperation.InvalidEniState", "The ENI is in use.")
    for address in eni.private_ips:
        addresses.give_back(call.world.vswitches[eni.vswitch_id], address)
    del call.world.enis[eni.id]
    call.changed(f"{eni.id} deleted")
    return {}


@action()
def attach_network_interface(call: Call) -> Body:
    """Attach an interface to a Running or Stopped instance of its zone."""
    call.params.accept("NetworkCardIndex", "WaitForNetworkConfigurationReady")
    eni = _wanted(call)
    instance = call.world.instance(call.params.required("InstanceId"), eni.region)
    if instance.status not in ("Running", "Stopped"):
        raise _wrong_status("IncorrectInstanceStatus", "The current status of the instance is not supported.")
    _check_attachable(call.world, eni, instance.zone, instance.type, instance.id)
    eni.instance_id = instance.id
    _take_time(call, eni, "Attaching")
    call.changed(f"{eni.id} attached to {instance.id}")
    return {}


@action()
def detach_network_interface(call: Call) -> Body:
    """Detach a secondary interface from a Running or Stopped instance."""
    eni = _wanted(call)
    if eni.instance_id != call.params.required("InstanceId") or eni.busy:
        raise _wrong_status("InvalidOperation.InvalidEniState", "The ENI is not attached to the instance.")
    if call.world.instances[eni.instance_id].status not in ("Running", "Stopped"):
        raise _wrong_status("IncorrectInstanceStatus", "The current status of the instance is not supported.")
    eni.instance_id = ""
    _take_time(call, eni, "Detaching")
    call.changed(f"{eni.id} detached")
    return {}


@action()
def modify_network_interface_attribute(call: Call) -> Body:
    """Change name, description, security groups, or whether a secondary interface goes with its instance."""
    eni, params = _wanted(call), call.params
    eni.name = params.text("NetworkInterfaceName", eni.name)
    eni.description = params.text("Description", eni.description)
    eni.delete_on_release = params.flag("DeleteOnRelease", default=eni.delete_on_release)
    eni.security_group_ids = tuple(params.numbered("SecurityGroupId")) or eni.security_group_ids
    call.changed(eni.id)
    return {}


@action()
def assign_private_ip_addresses(call: Call) -> Body:
    """More private addresses for an interface, named or as many as asked for; named ones all or none."""
    eni, owner = _of_either_kind(call)
    vswitch = call.world.vswitches[eni.vswitch_id]
    named = call.params.numbered("PrivateIpAddress")
    number = call.params.whole("SecondaryPrivateIpAddressCount", 0, 1, _MOST_SECONDARY)
    if not named and not number:
        raise missing("SecondaryPrivateIpAddressCount")
    if named and number:
        raise _conflict("PrivateIpAddress.N", "SecondaryPrivateIpAddressCount")

    def assign() -> tuple[Body, str]:
        if len(eni.private_ips) + (len(named) or number) > _MOST_SECONDARY + 1:
            raise ApiError("InvalidIp.IpAddressLimitExceeded", 403, "The interface has too many private addresses.")
        more = _take_all(vswitch, named) or [addresses.allocate(vswitch) for _ in range(number)]
        _set_private_ips(eni, owner, (*eni.private_ips, *more))
        body = {"NetworkInterfaceId": eni.id, "PrivateIpSet": {"PrivateIpAddress": more}}
        return {"AssignedPrivateIpAddressesSet": body}, f"{eni.id} {', '.join(more)}"

    return call.once("AssignPrivateIpAddresses", assign, "changed")


@action()
def unassign_private_ip_addresses(call: Call) -> Body:
    """Give secondary private addresses of an interface back."""
    eni, owner = _of_either_kind(call)
    wanted = call.params.numbered("PrivateIpAddress")
    for address in set(wanted) & set(eni.private_ips[1:]):
        addresses.give_back(call.world.vswitches[eni.vswitch_id], address)
    kept = (eni.private_ips[0], *(private_ip for private_ip in eni.private_ips[1:] if private_ip not in wanted))
    _set_private_ips(eni, owner, kept)
    call.changed(eni.id)
    return {}


@action()
def assign_ipv6_addresses(call: Call) -> Body:
    """IPv6 addresses for an interface, named or as many as asked for."""
    eni, owner = _of_either_kind(call)
    if not call.world.settings.ipv6:
        raise ApiError("InvalidVSwitch.Ipv6NotTurnOn", 400, "The specified VSwitch has not turned on IPv6.")
    named, number = call.params.numbered("Ipv6Address"), call.params.whole("Ipv6AddressCount", 0, 1, _MOST_IPV6)
    if not named and not number:
        raise missing("Ipv6AddressCount")
    if named and number:
        raise _conflict("Ipv6Address.N", "Ipv6AddressCount")

    def assign() -> tuple[Body, str]:
        if len(eni.ipv6_addresses) + (len(named) or number) > _MOST_IPV6:
            raise ApiError("InvalidIp.IpAddressLimitExceeded", 403, "The interface has too many IPv6 addresses.")
        if any(address in row.eni.ipv6_addresses for row in _every(call.world, eni.region) for address in named):
            raise ApiError("InvalidIp.IpAssigned", 403, "An IPv6 address is in use.")
        more = named or _new_ipv6(call, number)
        _set_ipv6(eni, owner, (*eni.ipv6_addresses, *more))
        return {"NetworkInterfaceId": eni.id, "Ipv6Sets": {"Ipv6Address": more}}, f"{eni.id} {', '.join(more)}"

    return call.once("AssignIpv6Addresses", assign, "changed")


@action()
def unassign_ipv6_addresses(call: Call) -> Body:
    """Give IPv6 addresses of an interface back."""
    eni, owner = _of_either_kind(call)
    wanted = call.params.numbered("Ipv6Address")
    _set_ipv6(eni, owner, tuple(ipv6_address for ipv6_address in eni.ipv6_addresses if ipv6_address not in wanted))
    call.changed(eni.id)
    return {}


@happening
def be_ready(world: World, at: float, eni_id: str) -> None:
    """An interface is attached, or free, at last."""
    if eni_id in world.enis:
        world.enis[eni_id].busy = ""


def check_launch(call: Call, vswitch: VSwitch, instance_type: str) -> None:
    """Raise for secondary interfaces that a launch names and cannot have."""
    for eni in _named_at_launch(call):
        _check_attachable(call.world, eni, vswitch.zone, instance_type, "")


def attach_at_launch(call: Call, row: Instance) -> None:
    """The interfaces a launch brings with it, and the IPv6 addresses it asks for."""
    for eni in _named_at_launch(call):
        eni.instance_id = row.id
    row.ipv6_addresses = tuple(
        call.params.numbered("Ipv6Address") or _new_ipv6(call, call.params.whole("Ipv6AddressCount", 0, 0, 10))
    )


def _take_time(call: Call, eni: Eni, status: str) -> None:
    if call.world.settings.eni_s > 0:
        eni.busy = status
        call.world.schedule.plan(call.now + call.world.settings.eni_s, be_ready, eni.id)


def _named_at_launch(call: Call) -> Iterator[Eni]:
    for group in call.params.groups("NetworkInterface"):
        if group.get("NetworkInterfaceId"):
            yield call.world.eni(group["NetworkInterfaceId"], call.any_region)


def _check_attachable(world: World, eni: Eni, zone: str, instance_type: str, instance_id: str) -> None:
    if eni.instance_id or eni.busy:
        raise _wrong_status("InvalidOperation.InvalidEniState", "The ENI is in use.")
    if world.vswitches[eni.vswitch_id].zone != zone:
        raise _wrong_status("InvalidOperation.AvailabilityZoneMismatch", "The ENI is in another zone.")
    has = sum(1 for eni in world.enis.values() if instance_id and eni.instance_id == instance_id)
    if has + 1 >= TYPES[instance_type].enis:
        raise ApiError("EniLimitExceeded", 403, "The ENI quota of the instance type is exceeded.")


def _create(call: Call, vswitch: VSwitch, groups: tuple[str, ...], wanted: str) -> Eni:
    world, params = call.world, call.params
    address = addresses.take(vswitch, wanted) if wanted else addresses.allocate(vswitch)
    more = tuple(addresses.allocate(vswitch) for _ in range(params.whole("SecondaryPrivateIpAddressCount", 0, 0, 49)))
    return Eni(
        next(world.order), world.ids.resource("eni"), vswitch.region, vswitch.id, world.ids.mac(), (address, *more),
        call.now, security_group_ids=groups,
    )  # fmt: skip


def _new_ipv6(call: Call, number: int) -> list[str]:
    return [f"2408:4005:3cb:b100::{call.world.ids.pick(0xFFFF) + 1:x}" for _ in range(number)]


def _wanted(call: Call) -> Eni:
    return call.world.eni(call.params.required("NetworkInterfaceId"), call.any_region)


def _of_either_kind(call: Call) -> tuple[Eni, Instance | None]:
    """The interface, and for a primary one the instance that it is a part of."""
    wanted = call.params.required("NetworkInterfaceId")
    for row in call.world.instances.values():
        if row.eni_id == wanted:
            return _primary(call.world, row).eni, row
    return call.world.eni(wanted, call.any_region), None


def _take_all(vswitch: VSwitch, wanted: list[str]) -> list[str]:
    taken: list[str] = []
    try:
        for address in wanted:
            taken.append(addresses.take(vswitch, address))
    except ApiError:
        for address in taken:
            addresses.give_back(vswitch, address)
        raise
    return taken


def _conflict(one: str, other: str) -> ApiError:
    return ApiError("InvalidParameter.Conflict", 400, f"{one} and {other} can not be used together.")


def _set_private_ips(eni: Eni, owner: Instance | None, private_ips: tuple[str, ...]) -> None:
    if owner is None:
        eni.private_ips = private_ips
    else:
        owner.more_private_ips = private_ips[1:]


def _set_ipv6(eni: Eni, owner: Instance | None, ipv6_addresses: tuple[str, ...]) -> None:
    (owner or eni).ipv6_addresses = ipv6_addresses


def _wrong_status(code: str, message: str) -> ApiError:
    return ApiError(code, 403, message)


def _every(world: World, region: str) -> Iterable[_Shown]:
    primary = (_primary(world, row) for row in world.instances.values() if row.region == region)
    return sorted(
        [*primary, *(_secondary(world, eni) for eni in world.enis.values() if eni.region == region)],
        key=lambda row: row.seq,
    )


def _primary(world: World, row: Instance) -> _Shown:
    eni = Eni(
        row.seq, row.eni_id, row.region, row.vswitch_id, row.mac, (row.private_ip, *row.more_private_ips),
        row.created_at, row.id, security_group_ids=row.security_group_ids, ipv6_addresses=row.ipv6_addresses,
    )  # fmt: skip
    return _Shown(row.seq, "Primary", eni, row.zone, world.vswitches[row.vswitch_id].vpc_id)


def _secondary(world: World, eni: Eni) -> _Shown:
    vswitch = world.vswitches[eni.vswitch_id]
    return _Shown(eni.seq, "Secondary", eni, vswitch.zone, vswitch.vpc_id)


def _row(world: World, row: _Shown) -> rendering.Row:
    eni = row.eni
    return {
        "NetworkInterfaceId": eni.id, "NetworkInterfaceName": eni.name, "Description": eni.description,
        "Type": row.type, "Status": row.status, "InstanceId": eni.instance_id, "VpcId": row.vpc_id,
        "VSwitchId": eni.vswitch_id, "ZoneId": row.zone, "MacAddress": eni.mac, "OwnerId": world.account_id,
        "PrivateIpAddress": eni.private_ips[0], "PrivateIpSets": rendering.private_ips(eni.private_ips),
        "Ipv6Sets": {"Ipv6Set": [{"Ipv6Address": address, "Primary": False} for address in eni.ipv6_addresses]},
        "Ipv4PrefixSets": {"Ipv4PrefixSet": []}, "Ipv6PrefixSets": {"Ipv6PrefixSet": []},
        "SecurityGroupIds": {"SecurityGroupId": list(eni.security_group_ids)},
        "AssociatedPublicIp": {}, "DeleteOnRelease": eni.delete_on_release, "ServiceManaged": False,
        "Attachment": {"InstanceId": eni.instance_id, "DeviceIndex": 0} if eni.instance_id else {},
        "SourceDestCheck": False, "ResourceGroupId": "", "QueueNumber": 1, "NetworkInterfaceTrafficMode": "Standard",
        "CreationTime": iso_seconds(eni.created_at), "Tags": rendering.tags(eni.tags),
    }  # fmt: skip
