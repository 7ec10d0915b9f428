"""CloudMonitor's event rules of one region: which events go to which queue, and drills (docs/alibaba-facts.md 9.6)."""

import json
from pathlib import Path
from typing import Any

import msgspec

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.messages import RECLAIM_EVENT
from spottui.cloud.rpc import CLOUD_MONITOR, Rpc

PAGE = 100


class EventRule(msgspec.Struct, frozen=True):
    """One rule; `covers_reclaims` when the reclaim event of ECS matches its pattern."""

    name: str
    enabled: bool
    covers_reclaims: bool


class Target(msgspec.Struct, frozen=True):
    """A queue that a rule sends to."""

    region: str
    queue: str


class EventRules:
    """Reads and writes the rules of one region. Every method raises `CloudError`."""

    def __init__(self, region: str, endpoint: str, credentials: CredentialSource, ca_file: Path | None = None) -> None:
        self._region = region
        self._rpc = Rpc(CLOUD_MONITOR, region, endpoint or f"metrics.{region}.aliyuncs.com", credentials, ca_file)

    def all(self) -> tuple[EventRule, ...]:
        """Return every rule of the account."""
        event_rules: list[EventRule] = []
        page = 1
        while True:
            body = self._rpc.call("DescribeEventRuleList", {"PageNumber": page, "PageSize": PAGE})
            rows = _rows(body, "EventRules", "EventRule")
            event_rules += [_rule(row) for row in rows]
            if len(rows) < PAGE:
                return tuple(event_rules)
            page += 1

    def targets(self, rule_name: str) -> tuple[Target, ...]:
        """Return the queues that a rule sends to."""
        body = self._rpc.call("DescribeEventRuleTargetList", {"RuleName": rule_name})
        rows = _rows(body, "MnsParameters", "MnsParameter")
        return tuple(Target(str(row.get("Region", "")), str(row.get("Queue", ""))) for row in rows)

    def put(self, rule_name: str) -> None:
        """Create a rule for the reclaim event, or correct and enable the one of that name; its targets stay."""
        self._rpc.call(
            "PutEventRule",
            {
                "RuleName": rule_name,
                "EventType": "SYSTEM",
                "State": "ENABLED",
                "Description": "spottui: reclaims of spot instances",
                "EventPattern.1.Product": "ecs",
                "EventPattern.1.EventTypeList.1": "StatusNotification",
                "EventPattern.1.LevelList.1": "*",
                "EventPattern.1.NameList.1": RECLAIM_EVENT,
            },
        )

    def put_target(self, rule_name: str, queue: str) -> None:
        """Add a queue of this region to a rule's targets; the target's id is the queue, so this is idempotent."""
        target = {"Id": queue, "Region": self._region, "Queue": queue}
        query = {f"MnsParameters.1.{key}": value for key, value in target.items()}
        body = self._rpc.call("PutEventRuleTargets", {"RuleName": rule_name, **query})
        if str(body.get("FailedParameterCount", "0")) != "0":
            raise CloudError(
                "PutEventRuleTargets", ErrorKind.REFUSED, message=f"the queue {queue} was not accepted as a target"
            )

    def send_drill(self, instance_id: str) -> str:
        """Make CloudMonitor send its debug event about an instance to all targets; return the RequestId."""
        content = json.dumps(drill_body(self._region, instance_id))
        query = {"Product": "ecs", "EventName": RECLAIM_EVENT, "EventContent": content}
        return str(self._rpc.call("SendDryRunSystemEvent", query).get("RequestId", ""))


def drill_body(region: str, instance_id: str) -> dict[str, object]:
    """Return the body that CloudMonitor's own debugging proposes: no id, no time, no account.

    Source: docs/alibaba-facts.md 9.1.
    """
    return {
        "product": "ECS",
        "resourceId": f"acs:ecs:{region}::instance/{instance_id}",
        "level": "WARN",
        "instanceName": "instanceName",
        "regionId": region,
        "groupId": "0",
        "name": RECLAIM_EVENT,
        "content": {"instanceId": instance_id, "instanceName": "ins***ame", "action": "delete"},
        "status": "Normal",
    }


def _rule(row: dict[str, Any]) -> EventRule:
    patterns = _rows(row, "EventPattern", "EventPattern")
    covers = any(_covers(pattern) for pattern in patterns)
    return EventRule(str(row.get("Name", "")), str(row.get("State", "")).upper() == "ENABLED", covers)


def _covers(pattern: dict[str, Any]) -> bool:
    """An empty list of names means every event."""
    names = pattern.get("NameList") or {}
    listed = names.get("NameList") if isinstance(names, dict) else names
    product = str(pattern.get("Product", "ecs")).lower()
    return product in ("", "ecs") and (not listed or RECLAIM_EVENT in listed or "*" in listed)


def _rows(body: dict[str, Any], outer: str, inner: str) -> list[dict[str, Any]]:
    """CloudMonitor omits an empty list, or returns it without its inner name."""
    value = body.get(outer) or []
    rows = value.get(inner) or [] if isinstance(value, dict) else value
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
