"""One incident, told afterwards: as Markdown for people, as JSON for programs."""

import re
from dataclasses import dataclass
from datetime import datetime

from spottui.cli.statistics import data_age_s, incident_rows, recovery_s
from spottui.domain.audit import Phase
from spottui.domain.text import plain
from spottui.journal.incidents import Incident

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    at: datetime
    what: str
    text: str
    request_id: str = ""


def as_record(incident: Incident) -> dict[str, object]:
    """Return the incident as JSON values: the row of the statistics, what was created, and the timeline."""
    (row,) = incident_rows([(incident.interruption, incident.recovery)])
    return {
        **row,
        "deadline": incident.interruption.deadline.isoformat(timespec="seconds"),
        "image_id": incident.recovery.image_id or None,
        "created": [{"kind": one.kind, "id": one.resource_id} for one in incident.recovery.created],
        "timeline": [
            {"at": one.at.isoformat(timespec="milliseconds"), "what": one.what, "text": one.text,
             "request_id": one.request_id or None}
            for one in timeline(incident)
        ],
    }  # fmt: skip


def as_markdown(incident: Incident) -> str:
    """Return the incident as Markdown in which text from outside is only ever text."""
    began = incident.interruption.first_seen
    facts = [f"| {name} | {_safe(value)} |" for name, value in _facts(incident) if value]
    steps = [
        " | ".join(
            (
                f"| {one.at:%H:%M:%S}",
                f"{(one.at - began).total_seconds():.1f}",
                one.what,
                _safe(one.text),
                f"{one.request_id} |",
            )
        )
        for one in timeline(incident)
    ]
    return "\n".join([
        f"# {_safe(incident.recovery.name or incident.interruption.instance_id)}: {_outcome(incident)}", "",
        "| | |", "|---|---|", *facts, "", "## Timeline (UTC)", "",
        "| time | s | | what | RequestId |", "|---|---|---|---|---|", *steps,
    ])  # fmt: skip


def timeline(incident: Incident) -> list[Moment]:
    """Return what was seen, decided and called, oldest first; what came of a call stands where its answer came."""
    moments = [
        Moment(one.at, one.phase.value, plain(f"{one.action} {one.detail}".strip(), 500), one.request_id)
        for one in incident.audit
        if one.at
    ]
    return sorted(moments, key=lambda one: one.at)


def _facts(incident: Incident) -> list[tuple[str, str]]:
    known, recovery = incident.interruption, incident.recovery
    took_s, age_s = recovery_s(known, recovery), data_age_s(recovery)
    spare_s = (known.deadline - recovery.ended).total_seconds() if took_s is not None and recovery.ended else 0.0
    failures = sum(one.phase in (Phase.ERROR, Phase.UNKNOWN) for one in incident.audit)
    old = incident.plan.spec.instance if incident.plan else None
    return [
        ("instance", f"{known.instance_id} in {old.zone if old else known.region}"),
        ("type", old.instance_type if old else ""),
        ("notice", f"{known.first_seen:%Y-%m-%d %H:%M:%S}, evidence {known.marks}"),
        ("deadline", f"{known.deadline:%H:%M:%S}"),
        ("outcome", f"{recovery.state}: {recovery.reason}" if recovery.reason else recovery.state.value),
        ("decided by", recovery.who),
        ("replacement", recovery.new_instance_id),
        ("recovery time", "" if took_s is None else f"{took_s:.1f} s, {_to_deadline(spare_s)}"),
        (
            "age of data",
            "" if age_s is None else f"{age_s:.1f} s: the disks are those of {recovery.imaging_since:%H:%M:%S}",
        ),
        ("duplicates suppressed", str(known.duplicates)),
        ("calls", f"{sum(one.phase is Phase.INTENT for one in incident.audit)}, {failures} of them failed at first"),
        ("created", ", ".join(f"{one.kind} {one.resource_id}" for one in recovery.created)),
    ]


def _to_deadline(spare_s: float) -> str:
    return f"{spare_s:.0f} s before the deadline" if spare_s >= 0 else f"{-spare_s:.0f} s after the deadline"


def _outcome(incident: Incident) -> str:
    return incident.recovery.state.value


def _safe(text: str) -> str:
    return _MARKUP.sub(r"\\\1", plain(text, 600))
