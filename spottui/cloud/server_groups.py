"""Server groups of ALB (2020-06-16) and NLB (2022-04-30) in one region: two nearly equal APIs.

A change is a job: the call returns before it has taken effect.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

from msgspec.structs import replace

from spottui.cloud.batches import Answers, read_each
from spottui.cloud.ecs import Answer
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.fields import numbered, text_of, whole_of
from spottui.cloud.rpc import Rpc
from spottui.domain.balancers import Backend, BackendStatus, Change, Product, Server, ServerType, action_of

PAGE = 100
MOST_GROUPS = 20
HAS_GROUPS_S = 5.0
LISTENERS_S = 60.0
"""How long the listeners of a group are cached: each health check queries all of them."""

_SERVERS, _GROUPS = "ListServerGroupServers", "ListServerGroups"
_LISTENERS, _HEALTH = "ListListeners", "GetListenerHealthStatus"


class ServerGroups:
    """The calls of one product, account and region (`cloud.balancers.Balancing`)."""

    def __init__(self, product: Product, rpc: Rpc) -> None:
        self._product = product
        self._rpc = rpc
        self._listeners: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._may_have_groups, self._looked_at = True, float("-inf")

    def backends(self, servers: Sequence[Server]) -> Answers[tuple[Backend, ...]]:
        """Return the entries of each instance, with their weights."""
        ids = {server.instance_id: server.ids for server in servers}
        if len(servers) > 1 and not self._has_groups():
            return Answers(dict.fromkeys(ids, ()), {})
        behind: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self._pages(_SERVERS, numbered("ServerIds", chain.from_iterable(ids.values())), "Servers"):
            behind[text_of(row, "ServerId")].append(row)
        names = self._names({text_of(row, "ServerGroupId") for rows in behind.values() for row in rows})

        def entries(instance_id: str) -> tuple[Backend, ...]:
            backends = (self._entry(row).backend for server_id in ids[instance_id] for row in behind[server_id])
            return tuple(replace(backend, name=names.get(backend.group_id, "")) for backend in backends)

        return read_each(ids, entries)

    def group(self, backend: Backend, *, with_health: bool) -> tuple[BackendStatus, ...]:
        """Return all present entries of an entry's group."""
        entries = self._entries({"ServerGroupId": backend.group_id})
        if not with_health:
            return tuple(entries)
        ill = self._ill(backend.group_id)
        return tuple(
            replace(backend_status, healthy=(backend_status.backend.server_id, backend_status.backend.port) not in ill)
            for backend_status in entries
        )

    def change(self, change: Change, backends: Sequence[Backend], token: str) -> Answer:
        """Add entries of one group with their weights, set their weights, or remove them."""
        query: dict[str, object] = {"ServerGroupId": backends[0].group_id, "ClientToken": token}
        for number, backend in enumerate(backends, 1):
            query |= {f"Servers.{number}.{name}": value for name, value in _server(backend, change).items()}
        body = self._rpc.call(action_of(backends[0], change), query)
        return Answer("", text_of(body, "RequestId"))

    def _entries(self, query: Mapping[str, object]) -> list[BackendStatus]:
        return [self._entry(row) for row in self._pages(_SERVERS, query, "Servers")]

    def _entry(self, row: dict[str, Any]) -> BackendStatus:
        try:
            backend = Backend(
                self._product,
                "",
                str(row["ServerGroupId"]),
                str(row["ServerId"]),
                ServerType(str(row["ServerType"]).lower()),
                whole_of(row, "Port") or 0,
                int(row["Weight"]),
                text_of(row, "ServerIp"),
                text_of(row, "Description"),
            )
        except (KeyError, TypeError, ValueError) as error:
            message = f"a field of an unknown shape ({error})"
            raise CloudError(_SERVERS, ErrorKind.BROKEN, message=message) from None
        return BackendStatus(backend, settled=text_of(row, "Status") == "Available", healthy=False)

    def _has_groups(self) -> bool:
        """Whether there may be any group, as of a moment ago: in a storm one call answers for a region without."""
        if time.monotonic() - self._looked_at > HAS_GROUPS_S:
            try:
                body = self._rpc.call(_GROUPS, {"MaxResults": 1})
                self._may_have_groups = body.get("ServerGroups") != []
            except CloudError:
                self._may_have_groups = True
            self._looked_at = time.monotonic()
        return self._may_have_groups

    def _names(self, group_ids: Iterable[str]) -> dict[str, str]:
        """Return the names of groups, as far as permitted: they are for people only."""
        names: dict[str, str] = {}
        wanted = sorted(group_ids)
        with suppress(CloudError):
            for start in range(0, len(wanted), MOST_GROUPS):
                query = numbered("ServerGroupIds", wanted[start : start + MOST_GROUPS])
                for group in self._pages(_GROUPS, query, "ServerGroups"):
                    names[text_of(group, "ServerGroupId")] = text_of(group, "ServerGroupName")
        return names

    def _ill(self, group_id: str) -> frozenset[tuple[str, int]]:
        """Return servers and ports that a listener of the group reports as unhealthy."""
        statuses = (row for listener_id in self._listeners_of(group_id) for row in self._health(listener_id))
        infos = (info for row in statuses for info in _list(row, "ServerGroupInfos"))
        ill = (server for info in infos if text_of(info, "ServerGroupId") == group_id for server in _list(info, _ILL))
        return frozenset((text_of(server, "ServerId"), whole_of(server, "Port") or 0) for server in ill)

    def _health(self, listener_id: str) -> Iterator[dict[str, Any]]:
        """Return the health of the groups to which a listener forwards, for ALB also those of its rules."""
        query = {"ListenerId": listener_id, **({"IncludeRule": "true"} if self._product is Product.ALB else {})}
        yield from self._pages(_HEALTH, query, "ListenerHealthStatus", "RuleHealthStatus")

    def _listeners_of(self, group_id: str) -> tuple[str, ...]:
        kept = self._listeners.get(group_id)
        if kept and time.monotonic() - kept[0] < LISTENERS_S:
            return kept[1]
        groups = self._pages(_GROUPS, numbered("ServerGroupIds", [group_id]), "ServerGroups")
        behind = sorted({str(name) for group in groups for name in group.get("RelatedLoadBalancerIds") or ()})
        rows = self._pages(_LISTENERS, numbered("LoadBalancerIds", behind), "Listeners") if behind else ()
        listener_ids = tuple(text_of(row, "ListenerId") for row in rows)
        self._listeners[group_id] = (time.monotonic(), listener_ids)
        return listener_ids

    def _pages(self, action: str, query: Mapping[str, object], *lists: str) -> Iterator[dict[str, Any]]:
        # Health of an NLB is the one list whose pages have a size of their own.
        size = {} if action == _HEALTH else {"MaxResults": PAGE}
        token = ""
        while True:
            body = self._rpc.call(action, {**query, **size, **({"NextToken": token} if token else {})})
            if not isinstance(body.get(lists[0]), list):
                raise CloudError(action, ErrorKind.BROKEN, message=f"an answer without {lists[0]}")
            for name in lists:
                yield from _list(body, name)
            token = text_of(body, "NextToken")
            if not token:
                return


_ILL = "NonNormalServers"


def _list(item: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = item.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _server(backend: Backend, change: Change) -> dict[str, object]:
    """Return the fields of one server. An omitted weight becomes 100 in an update, so it is always sent."""
    fields: dict[str, object] = {
        "ServerId": backend.server_id,
        "ServerType": backend.server_type.value.capitalize(),
        "Port": backend.port,
    }
    if change is not Change.REMOVE:
        fields["Weight"] = backend.weight
        if backend.description:
            fields["Description"] = backend.description
    if backend.server_type is not ServerType.ECS and backend.server_ip:
        fields["ServerIp"] = backend.server_ip
    return fields
