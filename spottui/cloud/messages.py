"""From the raw body of a queue message to what it says: a reclaim, a release, another event, or poison with a reason.

The formats are those of alibaba_facts.md 9: the flat system event (and its drills), the Event Center envelope and
CloudEvents, each Base64 or raw. Nothing in a body is trusted: ids must look like ids, times must be plausible.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

RECLAIM_EVENT = "Instance:PreemptibleInstanceInterruption"
STATE_EVENT = "Instance:StateChange"
RELEASED = "Deleted"
"""The state of `STATE_EVENT` that says that an instance is gone for good (alibaba_facts.md 9.4)."""

_INSTANCE_ID = re.compile(r"i-[A-Za-z0-9-]{1,60}")
_REGION_ID = re.compile(r"[a-z]{2}-[a-z0-9-]{1,40}")
_EPOCH_MS = (1_000_000_000_000, 4_000_000_000_000)


@dataclass(frozen=True, slots=True)
class Reclaim:
    """The notice that an instance will be taken back; `region` is empty and `at` None where the body has none."""

    instance_id: str
    region: str
    at: datetime | None
    action: str


@dataclass(frozen=True, slots=True)
class Released:
    """The event that an instance is gone for good; `region` is empty and `at` None where the body has none."""

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
    """A body that says nothing we understand, and why."""

    reason: str


Parsed = Reclaim | Released | OtherEvent | Poison


def parse(body: str) -> Parsed:
    """Read a message body; never raises."""
    try:
        return _said(_read(_document(body)))
    except _NotUnderstood as reason:
        return Poison(str(reason))


def past_event(item: dict[str, Any]) -> Parsed:
    """Read one item of CloudMonitor's history (alibaba_facts.md 9.6); never raises."""
    try:
        return _said(_past(item))
    except _NotUnderstood as reason:
        return Poison(str(reason))


class _NotUnderstood(Exception):
    """Why a body cannot be read, in words for the event feed."""


@dataclass(frozen=True, slots=True)
class _Event:
    name: str
    region: str
    content: dict[str, Any]
    at: datetime | None


def _document(body: str) -> dict[str, Any]:
    """Base64 of JSON as CloudMonitor sends it, else plain JSON."""
    if not body.strip():
        raise _NotUnderstood("the body is empty")
    try:
        text = base64.b64decode("".join(body.split()), validate=True).decode("utf-8")
    except UnicodeDecodeError:
        raise _NotUnderstood("Base64 of something that is not UTF-8") from None
    except (binascii.Error, ValueError):
        text = body
    return _object(text, "neither Base64 nor JSON" if text is body else "Base64 of something that is not JSON")


def _object(value: object, otherwise: str) -> dict[str, Any]:
    """Return an object, given as one or as its JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise _NotUnderstood(otherwise) from None
    if not isinstance(value, dict):
        raise _NotUnderstood(f"a JSON {type(value).__name__} where an object is expected")
    return value


def _said(event: _Event) -> Parsed:
    content_id = event.content.get("instanceId") or event.content.get("resourceId")
    instance_id = content_id if isinstance(content_id, str) and _INSTANCE_ID.fullmatch(content_id) else ""
    if event.name != RECLAIM_EVENT:
        state = event.content.get("state") or event.content.get("eventStatus") or ""
        if instance_id and (event.name, state) == (STATE_EVENT, RELEASED):
            return Released(instance_id, event.region, event.at)
        return OtherEvent(_short(event.name), instance_id, _short(f"{event.name} {state}".strip()))
    if not instance_id:
        raise _NotUnderstood("a reclaim without an instance id in its content")
    return Reclaim(instance_id, event.region, event.at, _short(str(event.content.get("action") or "")))


def _short(text: str) -> str:
    """JSON can hold half a surrogate pair, which no database takes."""
    return text[:200].encode("utf-8", "replace").decode()


def _read(document: dict[str, Any]) -> _Event:
    if "specversion" in document:
        return _cloud_event(document)
    if "alert" in document:
        return _envelope(document)
    if isinstance(document.get("name"), str):
        return _flat(document)
    raise _NotUnderstood("JSON without a name, an alert or a specversion: no event of CloudMonitor")


def _flat(document: dict[str, Any]) -> _Event:
    content = document.get("content") or {}
    return _Event(
        name=document["name"],
        region=_region(document.get("regionId")),
        content=_object(content, "content is a text that is no JSON"),
        at=_event_time(document.get("eventTime")),
    )


def _envelope(document: dict[str, Any]) -> _Event:
    alert = _object(document["alert"], "alert is a text that is no JSON")
    meta = alert.get("meta") if isinstance(alert.get("meta"), dict) else {}
    system = meta.get("sysEventMeta") if isinstance(meta, dict) and isinstance(meta.get("sysEventMeta"), dict) else {}
    content = alert.get("eventContentMap") or alert.get("eventRawContent") or {}
    return _Event(
        name=str(alert.get("eventName") or ""),
        region=_region((system or {}).get("regionId")) or _region_of_arn(alert.get("arn")),
        content=_object(content, "the alert's content is a text that is no JSON"),
        at=_epoch_ms(alert.get("timestamp")) or _event_time((system or {}).get("eventTime")),
    )


def _cloud_event(document: dict[str, Any]) -> _Event:
    return _Event(
        name=str(document.get("type") or "").removeprefix("ecs:"),
        region=_region(document.get("aliyunregionid")),
        content=_object(document.get("data") or {}, "data is a text that is no JSON"),
        at=_iso_time(document.get("time")),
    )


def _past(item: dict[str, Any]) -> _Event:
    return _Event(
        name=str(item.get("Name") or ""),
        region=_region(item.get("RegionId")),
        content=_object(item.get("Content") or {}, "content is a text that is no JSON"),
        at=_epoch_ms(item.get("Time")),
    )


def _region(value: object) -> str:
    return value if isinstance(value, str) and _REGION_ID.fullmatch(value) else ""


def _region_of_arn(value: object) -> str:
    parts = value.split(":") if isinstance(value, str) else []
    return _region(parts[2]) if len(parts) > 3 else ""


def _event_time(value: object) -> datetime | None:
    """Read `20190409T121826.922+0800`."""
    try:
        return datetime.strptime(str(value), "%Y%m%dT%H%M%S.%f%z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _iso_time(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _epoch_ms(value: object) -> datetime | None:
    if isinstance(value, int) and _EPOCH_MS[0] < value < _EPOCH_MS[1]:
        return datetime.fromtimestamp(value / 1000, UTC)
    return None
