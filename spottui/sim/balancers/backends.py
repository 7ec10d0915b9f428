"""Backend servers as requests name them: in JSON for CLB, flattened for ALB and NLB."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from spottui.sim.balancers.model import CLB, BackendServer, ServerGroup
from spottui.sim.errors import ApiError
from spottui.sim.model import Instance
from spottui.sim.registry import Call
from spottui.sim.services import instance_at
from spottui.sim.world import World

DEFAULT_WEIGHT = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """One server of a request. `description` None: it says nothing of it."""

    server_id: str
    type: str
    port: int
    ip: str
    weight: int
    description: str | None

    def without_port(self) -> "Wanted":
        """As in a default group of CLB, which knows no ports."""
        return replace(self, port=0)

    def means(self, server: BackendServer) -> bool:
        """Whether an entry is the one: an address that is not said is any."""
        return (self.server_id, self.port) == (server.server_id, server.port) and self.ip in ("", server.ip)


def wanted_of_json(call: Call, name: str) -> list[Wanted]:
    """The JSON array of CLB, whose numbers may be strings; 400 InvalidParameter for what is none."""
    try:
        rows = json.loads(call.params.required(name))
    except ValueError:
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("ServerId") for row in rows):
        raise ApiError("InvalidParameter", 400, f"The specified {name} is not valid.")
    return [wanted(row, "InvalidParameter") for row in rows]


def wanted(row: Mapping[str, object], code: str) -> Wanted:
    """One server from its fields; a number out of bounds is refused with `code`."""
    said = row.get("Description")
    return Wanted(
        str(row["ServerId"]), str(row.get("Type") or row.get("ServerType") or "ecs").lower(),
        _whole(row, "Port", 0, 65_535, code), str(row.get("ServerIp") or ""),
        _whole(row, "Weight", DEFAULT_WEIGHT, 100, code), None if said is None else str(said),
    )  # fmt: skip


def new_server(call: Call, group: ServerGroup, want: Wanted) -> BackendServer:
    """An entry for a group; its address is found where the request does not say it."""
    return BackendServer(
        next(call.world.order), want.server_id, want.type, want.ip or _address(call, want), want.port, want.weight,
        want.description or "",
    )  # fmt: skip


def exists(call: Call, want: Wanted) -> bool:
    """Whether there is such an instance, interface or address in the account."""
    world = call.world
    if want.type == "ip":
        return instance_at(world, want.server_id) is not None
    if want.type == "ecs":
        return want.server_id in world.instances
    return want.server_id in world.enis or _with_primary(call, want.server_id) is not None


def _address(call: Call, want: Wanted) -> str:
    if want.type == "ip":
        return want.server_id
    if want.type == "eni":
        eni = call.world.enis.get(want.server_id)
        if eni:
            return eni.private_ips[0]
        instance = _with_primary(call, want.server_id)
    else:
        instance = call.world.instances.get(want.server_id)
    return instance.private_ip if instance else ""


def _with_primary(call: Call, eni_id: str) -> Instance | None:
    """The instance whose primary interface this is: the world keeps the secondary ones only."""
    return next((row for row in call.world.instances.values() if row.eni_id == eni_id), None)


def _whole(row: Mapping[str, object], name: str, default: int, most: int, code: str) -> int:
    text = str(row.get(name, "") if row.get(name) is not None else "").strip()
    if not text:
        return default
    if not text.isdigit() or int(text) > most:
        raise ApiError(code, 400, f"The param of {name} is illegal: {text!r} is not between 0 and {most}.")
    return int(text)


def leave(world: World, instance: Instance) -> None:
    """A released instance drops out of CLBs; whether out of ALB and NLB too is a switch."""
    for group in world.server_groups.values():
        if group.product == CLB or not world.settings.dead_servers_stay:
            group.servers = [server for server in group.servers if server.server_id != instance.id]
