"""Server groups of ALB and NLB, whose APIs differ in a few names: changes are jobs that take their time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from spottui.sim.balancers.backends import Wanted, exists, new_server, wanted
from spottui.sim.balancers.model import BackendServer, Job, Listener, LoadBalancer, ServerGroup
from spottui.sim.ecs import filters
from spottui.sim.errors import ApiError, missing
from spottui.sim.paging import Row, place_of, token_of
from spottui.sim.registry import ALB, NLB, Body, Call, action
from spottui.sim.schedule import happening
from spottui.sim.world import World

_MOST_SERVERS, _MOST_IDS = 200, 40
_TYPES = {"ecs": "Ecs", "eni": "Eni", "ip": "Ip"}
_JOB_KINDS = {"AddServersToServerGroup": "Adding", "RemoveServersFromServerGroup": "Removing"}


@dataclass(frozen=True, slots=True)
class _Api:
    """Where the two APIs differ: `group` is how errors name a server group, `most_updates` the size of an update."""

    group: str
    most_updates: int
    answers_with_group: bool


_APIS = {
    ALB: _Api("ServerGroup", most_updates=40, answers_with_group=False),
    NLB: _Api("serverGroup", most_updates=200, answers_with_group=True),
}


def list_groups(call: Call, shown: Callable[[ServerGroup], Body]) -> Body:
    """Server groups by id, name, type, VPC or tag."""
    params = call.params
    server_groups = filters.keep(
        _every(call), filters.among("id", params.numbered("ServerGroupIds") or None),
        filters.among("name", params.numbered("ServerGroupNames") or None),
        filters.equals("vpc_id", params.text("VpcId")), filters.fixed(params.text("ServerGroupType"), "Instance"),
        filters.fixed(params.text("ResourceGroupId"), ""), filters.tagged(params.tags()),
    )  # fmt: skip
    return page(call, "ServerGroups", server_groups, shown)


def list_servers(call: Call, shown: Callable[[ServerGroup, BackendServer], Body]) -> Body:
    """Servers of one group or of all, by up to 40 ids."""
    params = call.params
    groups = [find(call)] if params.text("ServerGroupId") else _every(call)
    ids, addresses = up_to(call, "ServerIds", _MOST_IDS), up_to(call, "ServerIps", _MOST_IDS)
    of = {server.seq: group for group in groups for server in group.servers}
    servers = filters.keep(
        sorted((server for group in groups for server in group.servers), key=lambda server: server.seq),
        filters.among("server_id", ids or None), filters.among("ip", addresses or None),
    )  # fmt: skip
    return page(call, "Servers", servers, lambda server: shown(of[server.seq], server))


@action(ALB)
@action(NLB)
def add_servers_to_server_group(call: Call) -> Body:
    """Put up to 200 servers into a group: Adding, then Available."""

    def check(group: ServerGroup, wants: list[Wanted]) -> None:
        for want in wants:
            if not exists(call, want):
                kind = _TYPES[want.type]
                raise ApiError(f"ResourceNotFound.{kind}", 404, f"The specified resource of {kind} is not found.")
            # No table of errors names this one; the words follow those of NLB.
            if any(want.means(server) for server in group.servers):
                raise ApiError("ResourceAlreadyExist.BackendServer", 400, f"{want.server_id} is in the group already.")

    return _change(call, "AddServersToServerGroup", _MOST_SERVERS, check)


@action(ALB)
@action(NLB)
def remove_servers_from_server_group(call: Call) -> Body:
    """Take up to 200 servers out of a group: Removing, then gone."""
    return _change(call, "RemoveServersFromServerGroup", _MOST_SERVERS, _check_members)


@action(ALB)
@action(NLB)
def update_server_group_servers_attribute(call: Call) -> Body:
    """Set weights and descriptions of servers; a weight that is not said becomes 100, as documented."""
    return _change(call, "UpdateServerGroupServersAttribute", _api(call).most_updates, _check_members)


def find(call: Call) -> ServerGroup:
    """The group of a call, or 404 ResourceNotFound."""
    group = call.world.server_groups.get(call.params.required("ServerGroupId"))
    if group is None or group.product != call.product or call.any_region not in ("", group.region):
        raise ApiError(
            f"ResourceNotFound.{_api(call).group}", 404, f"The specified resource of {_api(call).group} is not found."
        )  # fmt: skip
    return group


def listener(call: Call) -> tuple[LoadBalancer, Listener]:
    """The listener of a call with its load balancer, or 404 ResourceNotFound."""
    wanted_id = call.params.required("ListenerId")
    for balancer, found in listeners(call):
        if found.id == wanted_id:
            return balancer, found
    raise ApiError("ResourceNotFound.Listener", 404, "The specified resource of listener is not found.")


def listeners(call: Call) -> Iterable[tuple[LoadBalancer, Listener]]:
    """All listeners of the product in the region of the call."""
    rows = (row for row in call.world.load_balancers.values() if row.product == call.product)
    return ((row, listener) for row in rows if call.any_region in ("", row.region) for listener in row.listeners)


def page_of_listeners(call: Call, shown: Callable[[LoadBalancer, Listener], Body], port: str = "") -> Body:
    """Listeners by id, load balancer, protocol and port."""
    params = call.params
    ids, of = params.numbered("ListenerIds"), params.numbered("LoadBalancerIds")
    balancers = {listener.id: row for row, listener in listeners(call)}
    rows = filters.keep(
        (listener for _, listener in listeners(call)),
        filters.among("id", ids or None), filters.equals("protocol", params.text("ListenerProtocol").upper()),
        (lambda listener: balancers[listener.id].id in of) if of else None,
        (lambda listener: str(listener.port) == port) if port else None,
    )  # fmt: skip
    return page(call, "Listeners", rows, lambda listener: shown(balancers[listener.id], listener))


def page(call: Call, name: str, rows: Iterable[Row], shown: Callable[[Any], Body], most: int = 100) -> Body:
    """A page of up to MaxResults rows, 20 unless asked for; NextToken leads to the next one."""
    size = call.params.whole("MaxResults", 20, 1, most)
    after = place_of(call.params.text("NextToken"), _illegal("NextToken", "is none that was given out"))
    every = [] if call.blind else list(rows)
    found = list(islice((row for row in every if row.seq > after), size + 1))
    more = token_of(found[size - 1]) if len(found) > size else ""
    return {
        "TotalCount": len(every), "MaxResults": size, "NextToken": more, name: [shown(row) for row in found[:size]]
    }  # fmt: skip


def up_to(call: Call, name: str, most: int) -> list[str]:
    """A numbered list of a call, with no more than `most` values."""
    values = call.params.numbered(name)
    if len(values) > most:
        raise _illegal(name, f"has more than {most} values")
    return values


def server(group: ServerGroup, server: BackendServer) -> Body:
    """A server as both APIs show it."""
    return {
        "ServerGroupId": group.id, "ServerId": server.server_id, "ServerType": _TYPES[server.type],
        "ServerIp": server.ip, "Port": server.port, "Weight": server.weight, "Status": server.status,
        "Description": server.description,
    }  # fmt: skip


@happening
def finish(world: World, at: float, job_id: str, changes: list[list[Any]]) -> None:
    """A job is done: what it was to do holds from now on. A change is server, port, address, weight, description."""
    job = world.jobs[job_id]
    group = world.server_groups.get(job.group_id)
    if group is None:
        return
    group.status = "Available"
    of = {(change[0], change[1], change[2]): (change[3], change[4]) for change in changes}
    if job.action == "RemoveServersFromServerGroup":
        group.servers = [server for server in group.servers if server.key not in of]
    for server in group.servers:
        if server.key in of:
            server.status, (server.weight, server.description) = "Available", of[server.key]


def balancers_of(call: Call, group: ServerGroup) -> list[str]:
    """The ids of the load balancers that forward to a group."""
    return [
        balancer.id for balancer in call.world.load_balancers.values()
        if any(listener.group_id == group.id for listener in balancer.listeners)
    ]  # fmt: skip


def _api(call: Call) -> _Api:
    return _APIS[call.version]


def _change(call: Call, name: str, most: int, check: Callable[[ServerGroup, list[Wanted]], None]) -> Body:
    group = find(call)
    wants = _wants(call, most)

    def act() -> tuple[Body, str]:
        if group.status != "Available":
            raise ApiError(
                f"IncorrectStatus.{_api(call).group}", 400, f"The status of servergroup [{group.id}] is incorrect."
            )  # fmt: skip
        check(group, wants)
        return _start(call, group, name, wants)

    if call.params.flag("DryRun"):
        check(group, wants)
        call.refuse_if_dry_run()
    return call.once(f"{call.product} {name}", act, "changed")


def _start(call: Call, group: ServerGroup, name: str, wants: list[Wanted]) -> tuple[Body, str]:
    world = call.world
    if name == "AddServersToServerGroup":
        group.servers += [new_server(call, group, want) for want in wants]
    touched = [(want, server) for want in wants for server in group.servers if want.means(server)]
    for _, server in touched:
        server.status = _JOB_KINDS.get(name, "Configuring")
    group.status = "Configuring"
    takes_s = world.settings.server_group_s
    job = Job(
        next(world.order), world.ids.event().lower(), call.product, name, group.id, call.now, call.now + takes_s
    )  # fmt: skip
    world.jobs[job.id] = job
    changes = [
        [*server.key, want.weight, server.description if want.description is None else want.description]
        for want, server in touched
    ]
    if takes_s > 0:
        world.schedule.plan(job.done_at, finish, job.id, changes)
    else:
        finish(world, call.now, job.id, changes)
    names = ", ".join(f"{want.server_id} weight {want.weight}" for want in wants)
    body = {"JobId": job.id, **({"ServerGroupId": group.id} if _api(call).answers_with_group else {})}
    return body, f"job of {group.id}: {names}"


def _wants(call: Call, most: int) -> list[Wanted]:
    rows = call.params.groups("Servers")
    if not rows:
        raise missing("Servers")
    if len(rows) > most:
        raise _illegal("Servers", f"has more than {most} values")
    wants = []
    for number, row in enumerate(rows, 1):
        if not row.get("ServerId") or not row.get("ServerType"):
            raise missing(f"Servers.{number}.{'ServerType' if row.get('ServerId') else 'ServerId'}")
        want = wanted(row, "IllegalParam")
        if want.port == 0:
            raise _illegal("Port", "is missing; no group here is of any port")
        if want.type not in _TYPES:
            raise _illegal("ServerType", "is none that this cloud has")
        if want.description and not 2 <= len(want.description) <= 256:
            raise ApiError("IllegalParam.description", 400, "The parameter description of server is illegal.")
        wants.append(want)
    if len({(want.server_id, want.port, want.ip) for want in wants}) < len(wants):
        raise ApiError("DuplicatedParam.Server", 400, "The param of Server is duplicated.")
    return wants


def _check_members(group: ServerGroup, wants: list[Wanted]) -> None:
    if not all(any(want.means(server) for server in group.servers) for want in wants):
        raise ApiError("ResourceNotFound.BackendServer", 404, "The specified resource of BackendServer is not found.")


def _every(call: Call) -> list[ServerGroup]:
    return [
        row for row in call.world.server_groups.values()
        if row.product == call.product and call.any_region in ("", row.region)
    ]  # fmt: skip


def _illegal(name: str, why: str) -> ApiError:
    return ApiError("IllegalParam", 400, f"The param of {name} is illegal: it {why}.")
