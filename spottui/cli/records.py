"""The JSON of the commands: the names of `status --json`, which scripts rely on."""

import json
from datetime import datetime
from typing import Any

import msgspec

from spottui import words
from spottui.domain.facts import Logged
from spottui.domain.recovery import Recovery
from spottui.domain.region_key import fields_of
from spottui.domain.verdicts import verdict_of
from spottui.domain.view import DeskView, LiveConsole, SourceHealth


def recovery_record(recovery: Recovery, now: datetime) -> dict[str, Any]:
    """Return a recovery as `{id, instance_id, region, state, reason, route, deadline, verdict, …, created[]}`.

    Beside the region stands `account`, where the configuration names it.
    The verdict is the one that holds now; what only an engineer asked for has no deadline, and no verdict.
    """
    verdict = verdict_of(recovery, now)
    return {
        "id": recovery.recovery_id,
        "instance_id": recovery.instance_id,
        "name": recovery.name,
        **fields_of(recovery.region),
        "state": recovery.state.value,
        "reason": words.reason(recovery.reason, recovery.region),
        "route": recovery.route.value,
        "deadline": None if recovery.interruption.is_manual else recovery.deadline.isoformat(timespec="seconds"),
        "verdict": verdict.value if verdict else None,
        "progress": recovery.progress,
        "trouble": words.trouble(recovery) or None,
        "image_id": recovery.image_id or None,
        "new_instance_id": recovery.new_instance_id or None,
        "created": [{"kind": created.kind, "id": created.resource_id} for created in recovery.created],
    }


def event_record(event: Logged) -> dict[str, Any]:
    """Return a line of the feed; `fact` is the tag of its fact, `event` its kind in words."""
    kind = words.event_kind(event.fact)
    return {
        "event": kind.value if kind else None,
        "fact": event.fact.__struct_config__.tag,
        **fields_of(event.region),
        "instance_id": event.instance_id or None,
        "text": words.text(event),
        "request_id": words.request_id(event.fact) or None,
    }


def source_record(source: SourceHealth) -> dict[str, Any]:
    """Return a source's health."""
    return {
        "name": source.name,
        **fields_of(source.region),
        "last_ok": source.last_ok.isoformat(timespec="seconds") if source.last_ok else None,
        "error": words.fault(source.failure) if source.failure else None,
    }


def journal_record(view: DeskView) -> dict[str, Any]:
    """Return whether the journal takes changes, and who acts on it: `{problem, consoles[{host, pid, answers}]}`."""
    consoles = [console_record(console) for console in view.consoles]
    return {"problem": view.problem or None, "consoles": consoles}


def console_record(console: LiveConsole) -> dict[str, Any]:
    """Return a console; `answers` is false for one that holds its place and is not heard of.

    `unread` is the stream that it prints to in vain, null for none.
    """
    return {
        "host": console.host, "pid": console.pid, "answers": console.answers, "unread": console.unread or None,
    }  # fmt: skip


def line(at: datetime, kind: str, record: dict[str, Any]) -> str:
    """Return one JSON line `{at, kind, …}`, in ASCII: nothing in it can steer a terminal."""
    record = {"at": at.isoformat(timespec="milliseconds"), "kind": kind, **record}
    text = msgspec.json.encode(record).decode()
    # msgspec takes a third of the time, and escapes nothing beyond ASCII.
    text = text if text.isascii() else json.dumps(record, separators=(",", ":"))
    return text.replace("\x7f", "\\u007f")
