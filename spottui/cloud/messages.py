"""Parses the raw body of a queue message into reclaims, releases, other events, or poison with a reason.

The formats are those of docs/alibaba-facts.md 9: the flat system event (and its drills), the Event Center envelope and
CloudEvents, in any of the wrappers that `bodies` removes. Nothing in a body is trusted: ids must look like ids, times
must be plausible.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spottui.cloud.bodies import NotUnderstood, as_object, documents
from spottui.domain.dates import date_from_outside

RECLAIM_EVENT = "Instance:PreemptibleInstanceInterruption"
STATE_EVENT = "Instance:StateChange"
RELEASED = "Deleted"
"""The state of `STATE_EVENT` that says that an instance is gone for good (docs/alibaba-facts.md 9.4)."""

_INSTANCE_ID = re.compile(r"i-[A-Za-z0-9-]{1,60}")
_REGION_ID = re.compile(r"[a-z]{2}-[a-z0-9-]{1,40}")
_ACCOUNT_ID = re.compile(r"[0-9]{5,20}")


@dataclass(frozen=True, slots=True)
class Reclaim:
    """The notice that an instance will be reclaimed.

    `region` is empty, and `at` is None, if the body has no plausible value; `is_dated` is true if it has a date,
    plausible or not. `account_id` is empty if the body names no account, or masks it.
    """

    instance_id: str
    region: str
    at: datetime | None
    action: str
    account_id: str = ""
    is_dated: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Released:
    """The event that an instance is gone for good; `region` is empty and `at` is None if the body has none."""

    instance_id: str
    region: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """An event that is neither, such as any other `Instance:StateChange`; `text` is untrusted."""

    name: str
    instance_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Poison:
    """A body that cannot be understood, and why."""

    reason: str


Parsed = Reclaim | Released | OtherEvent | Poison


def parse_all(body: str | bytes) -> tuple[Parsed, ...]:
    """Read a message body and return all of its events, in order; never raises.

    One body can hold several events. If none of them is understood the result is a single `Poison`; otherwise parts
    that are not understood are skipped.
    """
    try:
        events = [_understood(document) for document in _events(body)]
    except NotUnderstood as reason:
        return (Poison(str(reason)),)
    return tuple(event for event in events if not isinstance(event, Poison)) or (events[0],)


def parse(body: str | bytes) -> Parsed:
    """Return the most important event of a body: a reclaim before a release before anything else; never raises."""
    return min(parse_all(body), key=lambda event: (not isinstance(event, Reclaim), not isinstance(event, Released)))


def past_event(item: dict[str, Any]) -> Parsed:
    """Read one item of CloudMonitor's history (docs/alibaba-facts.md 9.6); never raises."""
    try:
        return _said(_past(item))
    except NotUnderstood as reason:
        return Poison(str(reason))


@dataclass(frozen=True, slots=True)
class _Event:
    name: str
    region: str
    content: dict[str, Any]
    at: datetime | None
    account_id: str
    is_dated: bool


def _events(body: str | bytes) -> list[dict[str, Any]]:
    """Return what is certainly an event; only if there is none, what may be one."""
    try:
        return documents(body, _is_event, everywhere=True)
    except NotUnderstood:
        return documents(body, _may_be_event, everywhere=False)


def _is_event(document: dict[str, Any]) -> bool:
    """Check all keys of a format: a wrapper may also have a `name`, an `alert` or a `specversion`."""
    return _is_cloud_event(document) or _is_envelope(document) or _is_flat(document)


def _may_be_event(document: dict[str, Any]) -> bool:
    return any(key in document for key in ("specversion", "alert")) or isinstance(document.get("name"), str)


def _is_cloud_event(document: dict[str, Any]) -> bool:
    """EventBridge also wraps what others sent, such as a message of a topic."""
    return "specversion" in document and str(document.get("type")).startswith("ecs:")


def _is_envelope(document: dict[str, Any]) -> bool:
    if "alert" not in document:
        return False
    try:
        return isinstance(as_object(document["alert"], "").get("eventName"), str)
    except NotUnderstood:
        return False


def _is_flat(document: dict[str, Any]) -> bool:
    """Names are `RESOURCE:EVENT` (docs/alibaba-facts.md 9.4); those of other products may have no colon."""
    name = document.get("name")
    return (
        isinstance(name, str)
        and "content" in document
        and (":" in name or ("product" in document and "resourceId" in document))
    )


def _understood(document: dict[str, Any]) -> Parsed:
    try:
        return _said(_read(document))
    except NotUnderstood as reason:
        return Poison(str(reason))


def _said(event: _Event) -> Parsed:
    content_id = event.content.get("instanceId") or event.content.get("resourceId")
    instance_id = content_id if isinstance(content_id, str) and _INSTANCE_ID.fullmatch(content_id) else ""
    if event.name != RECLAIM_EVENT:
        state = event.content.get("state") or event.content.get("eventStatus") or ""
        if instance_id and (event.name, state) == (STATE_EVENT, RELEASED):
            return Released(instance_id, event.region, event.at)
        return OtherEvent(_short(event.name), instance_id, _short(f"{event.name} {state}".strip()))
    if not instance_id:
        raise NotUnderstood("a reclaim without an instance id in its content")
    action = _short(str(event.content.get("action") or ""))
    return Reclaim(instance_id, event.region, event.at, action, event.account_id, event.is_dated)


def _short(text: str) -> str:
    """JSON can hold half a surrogate pair, which no database takes."""
    return text[:200].encode("utf-8", "replace").decode()


def _read(document: dict[str, Any]) -> _Event:
    if _is_flat(document):
        return _flat(document)
    if "specversion" in document and not _is_envelope(document):
        return _cloud_event(document)
    return _envelope(document) if "alert" in document else _flat(document)


def _flat(document: dict[str, Any]) -> _Event:
    content = document.get("content") or {}
    return _Event(
        name=document["name"],
        region=_region(document.get("regionId")),
        content=as_object(content, "content is a text that is no JSON"),
        at=date_from_outside(document.get("eventTime")),
        account_id=_account(document.get("resourceId"), document.get("userId")),
        is_dated=bool(document.get("eventTime")),
    )


def _envelope(document: dict[str, Any]) -> _Event:
    alert = as_object(document["alert"], "alert is a text that is no JSON")
    system = _inner(_inner(alert, "meta"), "sysEventMeta")
    content = alert.get("eventContentMap") or alert.get("eventRawContent") or {}
    return _Event(
        name=str(alert.get("eventName") or ""),
        region=_region(system.get("regionId")) or _region_of_arn(alert.get("arn")),
        content=as_object(content, "the alert's content is a text that is no JSON"),
        at=date_from_outside(alert.get("timestamp")) or date_from_outside(system.get("eventTime")),
        account_id=_account(alert.get("arn"), alert.get("userId")),
        is_dated=bool(alert.get("timestamp") or system.get("eventTime")),
    )


def _inner(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _cloud_event(document: dict[str, Any]) -> _Event:
    return _Event(
        name=str(document.get("type") or "").removeprefix("ecs:"),
        region=_region(document.get("aliyunregionid")),
        content=as_object(document.get("data") or {}, "data is a text that is no JSON"),
        at=date_from_outside(document.get("time")),
        account_id=_account(document.get("subject"), document.get("aliyunaccountid")),
        is_dated=bool(document.get("time")),
    )


def _past(item: dict[str, Any]) -> _Event:
    return _Event(
        name=str(item.get("Name") or ""),
        region=_region(item.get("RegionId")),
        content=as_object(item.get("Content") or {}, "content is a text that is no JSON"),
        at=date_from_outside(item.get("Time")),
        account_id=_account(item.get("ResourceId"), None),
        is_dated=bool(item.get("Time")),
    )


def _region(value: object) -> str:
    return value if isinstance(value, str) and _REGION_ID.fullmatch(value) else ""


def _region_of_arn(value: object) -> str:
    parts = _arn(value)
    return _region(parts[2]) if len(parts) > 3 else ""


def _account(arn: object, otherwise: object) -> str:
    """Return the account of `acs:ecs:REGION:ACCOUNT:instance/…`, or the one that the event names elsewhere.

    A drill's ARN is a sample, with another region and `<resource-id>` in it, so its account means nothing
    (docs/alibaba-facts.md 9.1).
    """
    parts = [] if "<" in str(arn) else _arn(arn)
    named = (parts[3] if len(parts) > 3 else "", otherwise)
    return next((value for value in named if isinstance(value, str) and _ACCOUNT_ID.fullmatch(value)), "")


def _arn(value: object) -> list[str]:
    return value.split(":") if isinstance(value, str) else []
