"""The JSON of the commands: the names of `status --json`, which scripts rely on."""

import json
from datetime import datetime
from typing import Any

from spottui.domain.feed import Event
from spottui.domain.prospect import verdict_of
from spottui.domain.recovery import Recovery
from spottui.domain.view import SourceHealth


def recovery_record(recovery: Recovery, now: datetime) -> dict[str, Any]:
    """Return a recovery as `{id, instance_id, region, state, reason, route, deadline, verdict, …, created[]}`.

    The verdict is the one that holds now.
    """
    verdict = verdict_of(recovery, now)
    return {
        "id": recovery.recovery_id,
        "instance_id": recovery.instance_id,
        "name": recovery.name,
        "region": recovery.region,
        "state": recovery.state.value,
        "reason": recovery.reason,
        "route": recovery.route.value,
        "deadline": recovery.deadline.isoformat(timespec="seconds"),
        "verdict": verdict.value if verdict else None,
        "progress": recovery.progress,
        "trouble": recovery.trouble or None,
        "image_id": recovery.image_id or None,
        "new_instance_id": recovery.new_instance_id or None,
        "created": [{"kind": one.kind, "id": one.resource_id} for one in recovery.created],
    }


def event_record(event: Event) -> dict[str, Any]:
    """Return a line of the feed."""
    return {
        "event": event.kind.value,
        "region": event.region,
        "instance_id": event.instance_id or None,
        "text": event.text,
        "request_id": event.request_id or None,
    }


def source_record(source: SourceHealth) -> dict[str, Any]:
    """Return a source's health."""
    return {
        "name": source.name,
        "region": source.region,
        "last_ok": source.last_ok.isoformat(timespec="seconds") if source.last_ok else None,
        "error": source.error or None,
    }


def line(at: datetime, kind: str, record: dict[str, Any]) -> str:
    """Return one JSON line `{at, kind, …}`, in ASCII: nothing in it can steer a terminal."""
    record = {"at": at.isoformat(timespec="milliseconds"), "kind": kind, **record}
    return json.dumps(record, separators=(",", ":")).replace("\x7f", "\\u007f")
