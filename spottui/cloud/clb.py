"""CLB of one region (SLB 2014-05-15): default and vServer groups. Changes are immediate and have no ClientToken."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from spottui.cloud.ecs import Answer
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.fields import rows, text_of, whole_of
from spottui.cloud.rpc import Rpc
from spottui.domain.balancers import Backend, BackendStatus, Change, Product, Server, ServerType, action_of

PAGE = 100


class Clb:
    """The calls of one account and region (`cloud.balancers.Balancing`)."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def backends(self, server: Server) -> tuple[Backend, ...]:
        """Return every entry of an instance, with its weight."""
        found = {
            balancer["LoadBalancerId"]: balancer
            for server_id in _ids(server)
            for balancer in self._balancers(server_id)
        }
        entries = (entry for balancer in found.values() for entry in self._entries_behind(balancer))
        return tuple(entry for entry in entries if entry.server_id in _ids(server))

    def group(self, backend: Backend, *, with_health: bool) -> tuple[BackendStatus, ...]:
        """Return all entries of the group that an entry is of, as they are now."""
        entries = tuple(self._entries(backend.balancer_id, backend.group_id, backend.name))
        healthy = self._healthy(backend.balancer_id) if with_health else {}
        return tuple(BackendStatus(entry, settled=True, healthy=_is_healthy(entry, healthy)) for entry in entries)

    def change(self, change: Change, backends: Sequence[Backend], token: str) -> Answer:
        """Add entries of one group with their weights, set their weights, or remove them."""
        first, servers = backends[0], json.dumps([_row(backend) for backend in backends])
        group = {"VServerGroupId": first.group_id} if first.group_id else {"LoadBalancerId": first.balancer_id}
        body = self._rpc.call(action_of(first, change), {**group, "BackendServers": servers})
        return Answer("", text_of(body, "RequestId"))

    def _balancers(self, server_id: str) -> Iterator[dict[str, Any]]:
        action, page = "DescribeLoadBalancers", 1
        while True:
            query = {"ServerId": server_id, "PageSize": PAGE, "PageNumber": page}
            found = rows(action, self._rpc.call(action, query), "LoadBalancers", "LoadBalancer")
            yield from found
            if len(found) < PAGE:
                return
            page += 1

    def _entries_behind(self, balancer: dict[str, Any]) -> Iterator[Backend]:
        balancer_id, name, action = text_of(balancer, "LoadBalancerId"), text_of(balancer, "LoadBalancerName"), _GROUPS
        yield from self._entries(balancer_id, "", name)
        groups = rows(action, self._rpc.call(action, {"LoadBalancerId": balancer_id}), "VServerGroups", "VServerGroup")
        for group in groups:
            yield from self._entries(balancer_id, text_of(group, "VServerGroupId"), text_of(group, "VServerGroupName"))

    def _entries(self, balancer_id: str, group_id: str, name: str) -> Iterator[Backend]:
        if group_id:
            action, query = "DescribeVServerGroupAttribute", {"VServerGroupId": group_id}
        else:
            action, query = "DescribeLoadBalancerAttribute", {"LoadBalancerId": balancer_id}
        for row in rows(action, self._rpc.call(action, query), "BackendServers", "BackendServer"):
            yield _entry(action, row, Backend(Product.CLB, balancer_id, group_id, "", name=name))

    def _healthy(self, balancer_id: str) -> dict[tuple[str, int], bool]:
        """Return by server and port whether every listener that checks it finds it healthy."""
        found: dict[tuple[str, int], bool] = {}
        body = self._rpc.call(_HEALTH, {"LoadBalancerId": balancer_id})
        for row in rows(_HEALTH, body, "BackendServers", "BackendServer"):
            key = text_of(row, "ServerId"), whole_of(row, "Port") or 0
            found[key] = found.get(key, True) and text_of(row, "ServerHealthStatus") == "normal"
        return found


_GROUPS, _HEALTH = "DescribeVServerGroups", "DescribeHealthStatus"


def _ids(server: Server) -> tuple[str, ...]:
    """A CLB knows no bare addresses."""
    return tuple(one for one in (server.instance_id, server.eni_id) if one)


def _entry(action: str, row: dict[str, Any], of: Backend) -> Backend:
    try:
        return Backend(
            of.product,
            of.balancer_id,
            of.group_id,
            str(row["ServerId"]),
            ServerType(text_of(row, "Type") or ServerType.ECS),
            whole_of(row, "Port") or 0,
            int(row["Weight"]),
            text_of(row, "ServerIp"),
            text_of(row, "Description"),
            of.name,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CloudError(action, ErrorKind.BROKEN, message=f"a field of an unknown shape ({error})") from None


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
