"""A world as JSON and back: everything it owns, remembers and has planned, with its clock and its dice.

Not saved: the ledger and the log of requests, which tell what clients did to the world that was, the calls counted in
the running minute, and the nonces, which keep wall time.
"""

import json
import threading
from itertools import count
from typing import Any, TypeVar

import msgspec

from spottui.sim import catalog
from spottui.sim import model as m
from spottui.sim.balancers.model import Job, LoadBalancer, ServerGroup
from spottui.sim.clock import Clock
from spottui.sim.errors import ControlError
from spottui.sim.faults import Fault
from spottui.sim.ids import Ids
from spottui.sim.mns.queues import Queue
from spottui.sim.schedule import Planned
from spottui.sim.settings import Settings
from spottui.sim.tokens import Outcome
from spottui.sim.world import World

FORMAT = 1

_TABLES: dict[str, type] = {
    "regions": m.Region, "instances": m.Instance, "disks": m.Disk, "images": m.Image, "snapshots": m.Snapshot,
    "vswitches": m.VSwitch, "eips": m.Eip, "invocations": m.Invocation, "event_rules": m.EventRule,
    "security_tokens": m.SecurityToken, "enis": m.Eni, "snapshot_groups": m.SnapshotGroup,
    "launch_templates": m.LaunchTemplate, "role_keys": str, "topics": m.Topic, "services": m.Service,
    "load_balancers": LoadBalancer, "server_groups": ServerGroup, "jobs": Job, "dns_zones": m.DnsZone,
}  # fmt: skip
"""Tables of a world by key, with the type of their rows."""

_PAIRS: dict[str, Any] = {
    "stock": list[tuple[tuple[str, str], int]],
    "prices": list[tuple[tuple[str, str], list[tuple[float, float]]]],
}
"""Tables by instance type and zone: JSON has no such keys, so they are lists of key and value."""

_T = TypeVar("_T")

_READING = threading.Lock()
"""One thread at a time: the first conversion to a struct is not safe beside a second (docs/sdk-traps.md)."""


def save(world: World) -> dict[str, Any]:
    """Everything, in the plain types of JSON; two equal worlds give equal results.

    Raises:
        ControlError: there is more than one account.
    """
    if world.others:
        raise ControlError("world", "has several accounts, which is not saved", "a cloud of one account")
    now = world.settle()
    order = next(world.order)
    world.order = count(order)
    parts = {
        "format": FORMAT, "now": now, "speed": world.clock.speed, "account_id": world.account_id,
        "keys": world.keys, "ids": world.ids.save(), "order": order, "settings": world.settings,
        "notices": world.notices, "schedule": world.schedule.save(), "tokens": world.tokens.save(),
        "faults": world.faults.as_json(), "queues": [queue.save() for queue in world.queues],
        "queues_deleted": world.queues.deleted_at, "types": catalog.added(), "logging_bucket": world.logging_bucket,
        **{name: getattr(world, name) for name in _TABLES},
        **{name: list(getattr(world, name).items()) for name in _PAIRS},
    }  # fmt: skip
    # Through JSON: its own types only, and nothing shared with the world that lives on.
    saved = dict(json.loads(msgspec.json.encode(parts)))
    for vswitch in saved["vswitches"].values():
        vswitch["used"].sort()  # a set has no order of its own
    return saved


def load(saved: dict[str, Any]) -> World:
    """The world that was saved, at the time it was saved.

    Raises:
        ControlError: not what `save` gave.
    """
    if saved.get("format") != FORMAT:
        raise ControlError("format", f"{saved.get('format')!r} is not known", [FORMAT])
    try:
        with _READING:
            return _read(saved)
    except (KeyError, msgspec.ValidationError, ValueError, TypeError) as problem:
        raise ControlError("world", f"is not a saved one: {problem}", "the answer of GET /_sim/world/save") from None


def _read(saved: dict[str, Any]) -> World:
    for declared in _as(list[catalog.InstanceType], saved.get("types", [])):
        catalog.add(declared)
    ids = Ids(0)
    ids.load(saved["ids"])
    clock = Clock(_as(float, saved["speed"]), _as(float, saved["now"]))
    world = World(clock, ids, saved["account_id"], _as(dict[str, str], saved["keys"]), _as(Settings, saved["settings"]))
    for name, kind in _TABLES.items():
        setattr(world, name, {key: _as(kind, row) for key, row in saved.get(name, {}).items()})
    for name, kind in _PAIRS.items():
        setattr(world, name, dict(_as(kind, saved[name])))
    world.logging_bucket = saved.get("logging_bucket", "")
    world.notices = _as(list[m.Notice], saved["notices"])
    world.order = count(_as(int, saved["order"]))
    world.schedule.load([Planned(*row) for row in saved["schedule"]])
    world.tokens.load(_as(list[tuple[tuple[str, str, str], Outcome]], saved["tokens"]))
    for queue in saved["queues"]:
        world.queues.add(Queue.load(queue))
    world.queues.deleted_at = _as(dict[str, float], saved["queues_deleted"])
    for fault in _as(list[Fault], saved["faults"]):
        world.faults.order(fault)
    return world


def _as(kind: type[_T], value: Any) -> _T:
    return msgspec.convert(value, kind)
