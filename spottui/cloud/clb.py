"""CLB of one region (SLB 2014-05-15): default and vServer groups. Changes are immediate and have no ClientToken."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from spottui.cloud.batches import Answers, read_each
from spottui.cloud.ecs import Answer
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.fields import rows, text_of, whole_of
from spottui.cloud.rpc import Rpc
from spottui.domain.balancers import Backend, BackendStatus, Change, Product, Server, ServerType, action_of

PAGE = 100
CALLS_BEHIND = 4
"""Approximate number of calls that read all entries of one balancer; a look-up by server takes one each."""


class Clb:
    """The calls of one account and region (`cloud.balancers.Balancing`)."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def backends(self, servers: Sequence[Server]) -> Answers[tuple[Backend, ...]]:
        """Return the entries of each instance, with their weights."""
        ids = {server.instance_id: _ids(server) for server in servers}
        balancers = self._balancers_of([server_id for of_one in ids.values() for server_id in of_one])
        behind: defaultdict[str, list[_Row]] = defaultdict(list)
        for row in (row for balancer in balancers for row in self._rows_behind(balancer)):
            behind[row.server_id].append(row)

        def entries(instance_id: str) -> tuple[Backend, ...]:
            return tuple(row.entry() for server_id in ids[instance_id] for row in behind[server_id])

        return read_each(ids, entries)

    def group(self, backend: Backend, *, with_health: bool) -> tuple[BackendStatus, ...]:
        """Return all present entries of an entry's group."""
        entries = [row.entry() for row in self._rows(backend.balancer_id, backend.group_id, backend.name)]
        healthy = self._healthy(backend.balancer_id) if with_health else {}
        return tuple(BackendStatus(entry, settled=True, healthy=_is_healthy(entry, healthy)) for entry in entries)

    def change(self, change: Change, backends: Sequence[Backend], token: str) -> Answer:
        """Add entries of one group with their weights, set their weights, or remove them."""
        first, servers = backends[0], json.dumps([_row(backend) for backend in backends])
        group = {"VServerGroupId": first.group_id} if first.group_id else {"LoadBalancerId": first.balancer_id}
        body = self._rpc.call(action_of(first, change), {**group, "BackendServers": servers})
        return Answer("", text_of(body, "RequestId"))

    def _balancers_of(self, server_ids: Sequence[str]) -> Iterable[dict[str, Any]]:
        """Return the balancers with one of these servers, or all of a region that has few: that takes fewer calls."""
        few = len(server_ids) // CALLS_BEHIND
        if few:
            body = self._rpc.call(_BALANCERS, {"PageSize": few + 1, "PageNumber": 1})
            first = rows(_BALANCERS, body, "LoadBalancers", "LoadBalancer")
            if len(first) <= few:
                return first
        return {
            balancer["LoadBalancerId"]: balancer
            for server_id in server_ids
            for balancer in self._rpc.pages(_BALANCERS, {"ServerId": server_id}, "LoadBalancers", "LoadBalancer", PAGE)
        }.values()

    def _rows_behind(self, balancer: dict[str, Any]) -> Iterator["_Row"]:
        balancer_id, name, action = text_of(balancer, "LoadBalancerId"), text_of(balancer, "LoadBalancerName"), _GROUPS
        yield from self._rows(balancer_id, "", name)
        groups = rows(action, self._rpc.call(action, {"LoadBalancerId": balancer_id}), "VServerGroups", "VServerGroup")
        for group in groups:
            yield from self._rows(balancer_id, text_of(group, "VServerGroupId"), text_of(group, "VServerGroupName"))

    def _rows(self, balancer_id: str, group_id: str, name: str) -> Iterator["_Row"]:
        if group_id:
            action, query = "DescribeVServerGroupAttribute", {"VServerGroupId": group_id}
        else:
            action, query = "DescribeLoadBalancerAttribute", {"LoadBalancerId": balancer_id}
        for fields in rows(action, self._rpc.call(action, query), "BackendServers", "BackendServer"):
            yield _Row(action, fields, Backend(Product.CLB, balancer_id, group_id, "", name=name))

    def _healthy(self, balancer_id: str) -> dict[tuple[str, int], bool]:
        """Return by server and port whether every listener that checks it reports it healthy."""
        found: dict[tuple[str, int], bool] = {}
        body = self._rpc.call(_HEALTH, {"LoadBalancerId": balancer_id})
        for row in rows(_HEALTH, body, "BackendServers", "BackendServer"):
            key = text_of(row, "ServerId"), whole_of(row, "Port") or 0
            found[key] = found.get(key, True) and text_of(row, "ServerHealthStatus") == "normal"
        return found


_BALANCERS = "DescribeLoadBalancers"
_GROUPS, _HEALTH = "DescribeVServerGroups", "DescribeHealthStatus"


def _ids(server: Server) -> tuple[str, ...]:
    """CLB entries have no bare addresses."""
    return tuple(server_id for server_id in (server.instance_id, server.eni_id) if server_id)


class _Row(msgspec.Struct, frozen=True):
    """A backend server as answered, parsed only when it is needed."""

    action: str
    fields: dict[str, Any]
    group: Backend

    @property
    def server_id(self) -> str:
        return text_of(self.fields, "ServerId")

    def entry(self) -> Backend:
        fields = self.fields
        try:
            return replace(
                self.group,
                server_id=str(fields["ServerId"]),
                server_type=ServerType(text_of(fields, "Type") or ServerType.ECS),
                port=whole_of(fields, "Port") or 0,
                weight=int(fields["Weight"]),
                server_ip=text_of(fields, "ServerIp"),
                description=text_of(fields, "Description"),
            )
        except (KeyError, TypeError, ValueError) as error:
            message = f"a field of an unknown shape ({error})"
            raise CloudError(self.action, ErrorKind.BROKEN, message=message) from None


def _is_healthy(entry: Backend, healthy: dict[tuple[str, int], bool]) -> bool:
    """In the default group the port is the listener's: any of the server's counts."""
    of_port = [
        is_well
        for (server_id, port), is_well in healthy.items()
        if server_id == entry.server_id and entry.port in (0, port)
    ]
    return bool(of_port) and all(of_port)


def _row(backend: Backend) -> dict[str, str]:
    address = backend.server_ip if backend.server_type is ServerType.ENI else ""
    return {
        "ServerId": backend.server_id,
        "Type": backend.server_type.value,
        "Weight": str(backend.weight),
        **({"Port": str(backend.port)} if backend.port else {}),
        **({"ServerIp": address} if address else {}),
        **({"Description": backend.description} if backend.description else {}),
    }
