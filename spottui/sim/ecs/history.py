"""System events of instances: launches that failed, reclaims."""

import json
from collections.abc import Iterator
from typing import Any

from spottui.sim import events, notice
from spottui.sim.clock import iso_seconds
from spottui.sim.ecs import filters
from spottui.sim.ecs.filters import Keep
from spottui.sim.model import Notice
from spottui.sim.paging import by_number
from spottui.sim.params import Params
from spottui.sim.registry import Body, Call, action

_KINDS = (events.LAUNCH_FAILED, notice.EVENT)
_CYCLE = "Executed"


@action()
def describe_instance_history_events(call: Call) -> Body:
    """System events of instances that had to do with maintenance: launches that failed, reclaims."""
    region = call.region_id
    rows = (n for n in call.world.notices if n.region == region and n.name in _KINDS)
    notices = filters.keep(rows, *_filters(call.params))
    return by_number(call, notices, lambda page: {"InstanceSystemEventSet": {"InstanceSystemEventType": page}}, _row)


def _filters(params: Params) -> Iterator[Keep | None]:
    cycles = [*params.numbered("InstanceEventCycleStatus"), *filter(None, [params.text("EventCycleStatus")])]
    kinds = [*params.numbered("InstanceEventType"), *filter(None, [params.text("EventType")])]
    ids, resources = params.numbered("EventId"), params.numbered("ResourceId")
    yield filters.equals("instance_id", params.text("InstanceId"))
    yield filters.among("instance_id", resources or None)
    yield (lambda row: _type(row) in kinds) if kinds else None
    yield (lambda row: _id(row) in ids) if ids else None
    yield None if not cycles or _CYCLE in cycles else lambda row: False
    yield filters.fixed(params.text("ResourceType"), "instance")
    yield filters.fixed(params.text("ImpactLevel"), "100")
    yield filters.fixed(params.text("ResourceGroupId"), "")
    for name in ("NotBefore", "EventPublishTime"):
        yield _between(params.text(f"{name}.Start"), params.text(f"{name}.End"))


def _between(start: str, end: str) -> Keep | None:
    if not start and not end:
        return None
    return lambda row: start <= iso_seconds(row.at) <= (end or "9")


def _id(row: Notice) -> str:
    return f"e-{row.id[:8].lower()}"


def _type(row: Notice) -> str:
    return row.name.split(":")[1]


def _row(row: Notice) -> dict[str, Any]:
    return {
        "EventId": _id(row), "InstanceId": row.instance_id, "ResourceType": "instance",
        "EventType": {"Code": 1, "Name": _type(row)}, "EventCycleStatus": {"Code": 30, "Name": _CYCLE},
        "EventPublishTime": iso_seconds(row.at), "EventFinishTime": iso_seconds(row.at),
        "NotBefore": iso_seconds(row.at), "Reason": json.dumps(notice.content(row)), "ImpactLevel": "100",
    }  # fmt: skip
