"""CLB (API slb 2014-05-15): default groups and vServer groups; changes are immediate and have no ClientToken."""

from collections.abc import Callable, Iterable
from typing import Any

from spottui.sim.balancers import health
from spottui.sim.balancers.backends import Wanted, new_server, wanted_of_json
from spottui.sim.balancers.model import CLB, BackendServer, Listener, LoadBalancer, ServerGroup
from spottui.sim.clock import iso_seconds
from spottui.sim.ecs import filters
from spottui.sim.errors import ApiError
from spottui.sim.paging import by_number
from spottui.sim.registry import SLB, Body, Call, action

_MOST_SERVERS = 20
_HEALTH = {"Healthy": "normal", "Unhealthy": "abnormal", "Initial": "unavailable"}
Row = dict[str, Any]


@action(SLB, refuses=("Tags",))
def describe_load_balancers(call: Call) -> Body:
    """The CLBs of a region, among others by a server of any of their groups."""
    params, world, region = call.params, call.world, call.region_id
    server, address = params.text("ServerId"), params.text("ServerIntranetAddress")
    ids = params["LoadBalancerId"].split(",") if params.text("LoadBalancerId") else None
    load_balancers = filters.keep(
        (row for row in world.load_balancers.values() if row.product == CLB and row.region == region),
        filters.among("id", ids), filters.equals("name", params.text("LoadBalancerName")),
        filters.equals("address", params.text("Address")), filters.equals("vpc_id", params.text("VpcId")),
        filters.equals("vswitch_id", params.text("VSwitchId")), filters.equals("zone", params.text("MasterZoneId")),
        filters.fixed(params.text("LoadBalancerStatus"), "active"), filters.fixed(params.text("NetworkType"), "vpc"),
        filters.fixed(params.text("AddressType"), "intranet"), filters.fixed(params.text("AddressIPVersion"), "ipv4"),
        filters.fixed(params.text("PayType"), "PayOnDemand"),
        filters.fixed(params.text("InternetChargeType"), "paybytraffic"),
        filters.fixed(params.text("SlaveZoneId"), ""), filters.fixed(params.text("ResourceGroupId"), ""),
        filters.tagged(params.tags()),
        (lambda row: any(server == backend.server_id for backend in _servers(call, row))) if server else None,
        (lambda row: any(backend.ip in address.split(",") for backend in _servers(call, row))) if address else None,
    )  # fmt: skip
    return by_number(call, load_balancers, lambda page: {"LoadBalancers": {"LoadBalancer": page}}, _balancer)


@action(SLB)
def describe_load_balancer_attribute(call: Call) -> Body:
    """One CLB with its listeners and the servers of its default group."""
    balancer = _wanted_balancer(call)
    ports = [
        {"ListenerPort": listener.port, "ListenerProtocol": listener.protocol.lower(), "Description": ""}
        for listener in balancer.listeners
    ]
    return {
        **_balancer(balancer),
        "ListenerPorts": {"ListenerPort": [listener.port for listener in balancer.listeners]},
        "ListenerPortsAndProtocol": {"ListenerPortAndProtocol": ports},
        "BackendServers": {
            "BackendServer": [_shown(server) for server in call.world.server_groups[balancer.id].servers]
        },
    }  # fmt: skip


@action(SLB)
def add_backend_servers(call: Call) -> Body:
    """Put up to 20 running servers into the default group; those that are in it already are refused."""
    return _of_balancer(call, lambda group, wanted: _add(call, group, wanted))


@action(SLB)
def remove_backend_servers(call: Call) -> Body:
    """Take up to 20 servers out of the default group; those that are not in it are ignored."""
    return _of_balancer(call, lambda group, wanted: _remove(call, group, wanted))


@action(SLB)
def set_backend_servers(call: Call) -> Body:
    """Set the weights of up to 20 servers of the default group."""
    return _of_balancer(call, lambda group, wanted: _set(call, group, wanted))


@action(SLB)
def describe_vserver_groups(call: Call) -> Body:
    """The vServer groups of a CLB."""
    params, balancer = call.params, _wanted_balancer(call)
    params.accept("IncludeRule")
    server_groups = filters.keep(
        _vserver_groups(call, balancer), filters.equals("name", params.text("Description")),
        filters.tagged(params.tags()),
    )  # fmt: skip
    listeners = balancer.listeners if params.flag("IncludeListener") else []
    return {"VServerGroups": {"VServerGroup": [] if call.blind else [_group(row, listeners) for row in server_groups]}}


@action(SLB)
def describe_vserver_group_attribute(call: Call) -> Body:
    """One vServer group with its servers."""
    group = _wanted_group(call)
    return {
        "VServerGroupId": group.id, "VServerGroupName": group.name, "LoadBalancerId": group.load_balancer_id,
        "CreateTime": iso_seconds(group.created_at), "Tags": _tags(group.tags), **_backend_servers(group.servers),
    }  # fmt: skip


@action(SLB)
def add_vserver_group_backend_servers(call: Call) -> Body:
    """Put up to 20 running servers with their ports into a vServer group."""
    return _of_group(call, lambda group, wanted: _add(call, group, wanted))


@action(SLB)
def remove_vserver_group_backend_servers(call: Call) -> Body:
    """Take up to 20 servers out of a vServer group; those that are not in it are ignored."""
    return _of_group(call, lambda group, wanted: _remove(call, group, wanted))


@action(SLB)
def set_vserver_group_attribute(call: Call) -> Body:
    """Change the name of a vServer group, or the weights of up to 20 of its servers."""
    group = _wanted_group(call)
    group.name = call.params.text("VServerGroupName", group.name)
    if not call.params.text("BackendServers"):
        call.changed(group.id)
        return {"VServerGroupId": group.id, "VServerGroupName": group.name, **_backend_servers(group.servers)}
    return {
        **_of_group(call, lambda server_group, wanted: _set(call, server_group, wanted)),
        "VServerGroupName": group.name,
    }


@action(SLB)
def modify_vserver_group_backend_servers(call: Call) -> Body:
    """Put new servers in the place of old ones, in one change."""
    group = _wanted_group(call)
    old, new = _read(call, "OldBackendServers", group), _read(call, "NewBackendServers", group)
    _take_turn(call, group)
    before = list(group.servers)
    _remove(call, group, old)
    try:
        _add(call, group, new)
    except ApiError:
        group.servers = before
        raise
    call.changed(f"{group.id}: {_names(old)} → {_names(new)}")
    return {"VServerGroupId": group.id, **_backend_servers(group.servers)}


@action(SLB)
def describe_master_slave_server_groups(call: Call) -> Body:
    """Primary/secondary groups, of which this cloud has none."""
    _wanted_balancer(call)
    call.params.accept("Description", "IncludeListener", "Tag")
    return {"MasterSlaveServerGroups": {"MasterSlaveServerGroup": []}}


@action(SLB)
def describe_health_status(call: Call) -> Body:
    """What health checks say of the servers behind each listener, or behind one."""
    balancer, params = _wanted_balancer(call), call.params
    port, protocol = params.whole("ListenerPort", 0, 1, 65_535), params.text("ListenerProtocol").upper()
    rows = [
        _health(call, listener, server)
        for listener in balancer.listeners
        if port in (0, listener.port) and protocol in ("", listener.protocol)
        for server in call.world.server_groups[listener.group_id].servers
    ]
    return {"BackendServers": {"BackendServer": rows}}


def _of_balancer(call: Call, change: Callable[[ServerGroup, list[Wanted]], None]) -> Body:
    balancer = _wanted_balancer(call)
    group = call.world.server_groups[balancer.id]
    wanted = _read(call, "BackendServers", group)
    _take_turn(call, group)
    change(group, wanted)
    call.changed(f"{balancer.id}: {_names(wanted)}")
    return {"LoadBalancerId": balancer.id, **_backend_servers(group.servers)}


def _of_group(call: Call, change: Callable[[ServerGroup, list[Wanted]], None]) -> Body:
    group = _wanted_group(call)
    wanted = _read(call, "BackendServers", group)
    _take_turn(call, group)
    change(group, wanted)
    call.changed(f"{group.id}: {_names(wanted)}")
    return {"VServerGroupId": group.id, **_backend_servers(group.servers)}


def _read(call: Call, name: str, group: ServerGroup) -> list[Wanted]:
    wanted = wanted_of_json(call, name)
    if len(wanted) > _MOST_SERVERS:
        raise _invalid(f"At most {_MOST_SERVERS} backend servers can be specified in {name}.")
    if group.id == group.load_balancer_id:
        return [want.without_port() for want in wanted]
    if any(want.port == 0 for want in wanted):
        raise _invalid("The Port of a backend server of a vServer group is missing.")
    return wanted


def _take_turn(call: Call, group: ServerGroup) -> None:
    """One change of a CLB at a time."""
    balancer = call.world.load_balancers[group.load_balancer_id]
    if call.now < balancer.busy_until and group.id == balancer.id:
        said = "A previous configuration of the load balancer is pending; please try again later."
        raise ApiError("BackendServer.configuring", 409, said)
    if call.now < balancer.busy_until:
        said = "A previous configuration of the VServer group is pending; please try again later."
        raise ApiError("VServerGroupProcessing", 400, said)
    balancer.busy_until = call.now + call.world.settings.clb_busy_s


def _add(call: Call, group: ServerGroup, wanted: list[Wanted]) -> None:
    made = [new_server(call, group, want) for want in wanted]
    for server in made:
        instance = health.instance_of(call.world, server)
        if instance is None or instance.status != "Running":
            raise ApiError(
                "ObtainIpFail", 400, "The specified BackendServers is invalid; some of the specified backend servers "
                "do not exist or are not running."
            )  # fmt: skip
    known = {server.key for server in group.servers}
    if any(server.key in known for server in made):
        raise _invalid("The resource already exists.")
    # Of servers that are named twice in one request the first counts.
    group.servers += {server.key: server for server in reversed(made)}.values()


def _remove(call: Call, group: ServerGroup, wanted: list[Wanted]) -> None:
    group.servers = [server for server in group.servers if not any(want.means(server) for want in wanted)]


def _set(call: Call, group: ServerGroup, wanted: list[Wanted]) -> None:
    pairs = [(want, server) for want in wanted for server in group.servers if want.means(server)]
    if len({id(want) for want, _ in pairs}) < len(wanted):
        raise _invalid("The specified resource does not exist.")
    for want, server in pairs:
        server.weight = want.weight
        server.description = want.description if want.description is not None else server.description


def _wanted_balancer(call: Call) -> LoadBalancer:
    wanted, region = call.params.required("LoadBalancerId"), call.any_region
    load_balancer = call.world.load_balancers.get(wanted)
    if load_balancer is None or load_balancer.product != CLB or region not in ("", load_balancer.region):
        raise ApiError("InvalidLoadBalancerId.NotFound", 404, "The specified LoadBalancerId does not exist.")
    return load_balancer


def _wanted_group(call: Call) -> ServerGroup:
    server_group = call.world.server_groups.get(call.params.required("VServerGroupId"))
    if (
        server_group is None
        or server_group.product != CLB
        or server_group.region != call.region_id
        or server_group.id == server_group.load_balancer_id
    ):
        raise _invalid("The specified VServerGroupId does not exist.")
    return server_group


def _vserver_groups(call: Call, balancer: LoadBalancer) -> Iterable[ServerGroup]:
    of = (row for row in call.world.server_groups.values() if row.load_balancer_id == balancer.id)
    return (row for row in of if row.id != balancer.id)


def _servers(call: Call, balancer: LoadBalancer) -> Iterable[BackendServer]:
    groups = [call.world.server_groups[balancer.id], *_vserver_groups(call, balancer)]
    return (server for group in groups for server in group.servers)


def _names(wanted: list[Wanted]) -> str:
    return ", ".join(f"{want.server_id} weight {want.weight}" for want in wanted)


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameter", 400, message)


def _backend_servers(servers: list[BackendServer]) -> Row:
    return {"BackendServers": {"BackendServer": [_shown(server) for server in servers]}}


def _shown(server: BackendServer) -> Row:
    return {
        "ServerId": server.server_id, "ServerIp": server.ip, "Type": server.type, "Weight": server.weight,
        "Description": server.description, **({"Port": server.port} if server.port else {}),
    }  # fmt: skip


def _health(call: Call, listener: Listener, server: BackendServer) -> Row:
    return {
        "ServerId": server.server_id, "ServerIp": server.ip, "Port": server.port or listener.backend_port,
        "ListenerPort": listener.port, "Protocol": listener.protocol.lower(),
        "ServerHealthStatus": _HEALTH[server.health],
    }  # fmt: skip


def _balancer(row: LoadBalancer) -> Row:
    return {
        "LoadBalancerId": row.id, "LoadBalancerName": row.name, "LoadBalancerStatus": "active", "Address": row.address,
        "AddressType": "intranet", "AddressIPVersion": "ipv4", "NetworkType": "vpc", "VpcId": row.vpc_id,
        "VSwitchId": row.vswitch_id, "RegionId": row.region, "RegionIdAlias": row.region, "MasterZoneId": row.zone,
        "SlaveZoneId": "", "LoadBalancerSpec": "slb.lcu.elastic", "PayType": "PayOnDemand", "ResourceGroupId": "",
        "InstanceChargeType": "PayByCLCU", "InternetChargeType": "paybytraffic", "Bandwidth": 5120,
        "DeleteProtection": "off", "ModificationProtectionStatus": "NonProtection",
        "CreateTime": iso_seconds(row.created_at), "CreateTimeStamp": int(row.created_at * 1000),
        "Tags": _tags(row.tags),
    }  # fmt: skip


def _group(row: ServerGroup, listeners: list[Listener]) -> Row:
    of = [
        {"Port": listener.port, "Protocol": listener.protocol.lower()}
        for listener in listeners
        if listener.group_id == row.id
    ]
    return {
        "VServerGroupId": row.id, "VServerGroupName": row.name, "ServerCount": len(row.servers),
        "CreateTime": iso_seconds(row.created_at), "Tags": _tags(row.tags),
        "AssociatedObjects": {"Listeners": {"Listener": of}, "Rules": {"Rule": []}},
    }  # fmt: skip


def _tags(tags: dict[str, str]) -> Row:
    return {"Tag": [{"TagKey": key, "TagValue": value} for key, value in tags.items()]}
