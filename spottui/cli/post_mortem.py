"""A report on one incident: as Markdown for people, as JSON for programs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from spottui import words
from spottui.cli.statistics import incident_rows
from spottui.domain.billed_resources import BilledResource
from spottui.domain.facts import CallBegun, Logged
from spottui.domain.outcome import Outcome
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.region_key import account_of
from spottui.domain.text import plain
from spottui.journal.incidents import Incident
from spottui.tables.moments import monthly
from spottui.tables.prices import difference, price
from spottui.words import Sign

_WHATS = {
    Sign.EVIDENCE: "evidence",
    Sign.DECISION: "decision",
    Sign.STATE: "state",
    Sign.UNDER_WAY: "intent",
    Sign.GOOD: "result",
    Sign.FAILED: "error",
    Sign.UNKNOWN: "unknown",
}
_FAILURES = (Sign.FAILED, Sign.UNKNOWN)
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    at: datetime
    what: str
    text: str
    request_id: str = ""


def as_record(incident: Incident, prices: Mapping[str, float]) -> dict[str, object]:
    """Return the incident as JSON values: the row of the statistics, what was created and is kept, and the timeline.

    `prices` are those of `[storage_price]`; what is not known is None.
    """
    (row,) = incident_rows([incident.past])
    return {
        **row,
        "deadline": incident.interruption.deadline.isoformat(timespec="seconds"),
        "data_as_of": _iso(incident.past.outcome.data_as_of),
        "image_id": incident.recovery.image_id or None,
        "created": [{"kind": created.kind, "id": created.resource_id} for created in incident.recovery.created],
        "kept": [
            {"kind": left.kind.value, "id": left.resource_id, "gib": left.gib,
             "per_month_at_most": left.per_month(prices)}
            for left in incident.past.outcome.kept
        ],
        "timeline": [
            {"at": moment.at.isoformat(timespec="milliseconds"), "what": moment.what, "text": moment.text,
             "request_id": moment.request_id or None}
            for moment in timeline(incident)
        ],
    }  # fmt: skip


def as_markdown(incident: Incident, prices: Mapping[str, float]) -> str:
    """Return the incident as Markdown with all outside text escaped; `prices` are of storage."""
    began = incident.interruption.first_seen
    rows = (*outcome_rows(incident), *cost_rows(incident, prices))
    facts = [f"| {name} | {_safe(value)} |" for name, value in rows if value]
    steps = [
        " | ".join(
            (
                f"| {moment.at:%H:%M:%S}",
                f"{(moment.at - began).total_seconds():.1f}",
                moment.what,
                _safe(moment.text),
                f"{_safe(moment.request_id)} |",
            )
        )
        for moment in timeline(incident)
    ]
    return "\n".join([
        f"# {_safe(name_of(incident))}: {incident.recovery.state.value}", "",
        "| | |", "|---|---|", *facts, "", "## Timeline (UTC)", "",
        "| time | s | | what | RequestId |", "|---|---|---|---|---|", *steps,
    ])  # fmt: skip


def timeline(incident: Incident) -> list[Moment]:
    """Return what was seen, decided and called, oldest first; the result of a call is at the time of its answer."""
    signed = ((logged, words.sign_of(logged.fact)) for logged in incident.log)
    moments = [_moment(logged, sign) for logged, sign in signed if sign]
    return sorted(moments, key=lambda moment: moment.at)


def _moment(logged: Logged, sign: Sign) -> Moment:
    action, detail = words.step(logged)
    failed = "failed: " if sign in _FAILURES else ""
    text = plain(f"{action} {failed}{detail}".strip(), 500)
    return Moment(logged.at, _WHATS[sign], text, words.request_id(logged.fact))


def name_of(incident: Incident) -> str:
    """Return the instance's name, its id where it has none."""
    return incident.recovery.name or incident.interruption.instance_id


def _where(incident: Incident) -> str:
    zone, account = incident.past.zone, account_of(incident.interruption.region)
    return f"{zone} (account {account})" if zone and account else zone or words.region(incident.interruption.region)


def outcome_rows(incident: Incident) -> list[tuple[str, str]]:
    """Return the outcome as label and text; a text may be empty."""
    reclaim, recovery, outcome = incident.interruption, incident.recovery, incident.past.outcome
    reason = words.reason(recovery.reason, recovery.region)
    calls = sum(isinstance(logged.fact, CallBegun) for logged in incident.log)
    failures = sum(words.sign_of(logged.fact) in _FAILURES for logged in incident.log)
    return [
        ("instance", f"{reclaim.instance_id} in {_where(incident)}"),
        ("type", incident.past.instance_type),
        ("notice", f"{reclaim.first_seen:%Y-%m-%d %H:%M:%S}, evidence {reclaim.marks}"),
        ("deadline", f"{reclaim.deadline:%H:%M:%S}"),
        ("outcome", ": ".join(text for text in (recovery.state.value, reason) if text)),
        ("forecast", recovery.verdict.value if recovery.verdict else "none"),
        ("decided by", recovery.who),
        ("route", recovery.route.value),
        ("replacement", recovery.new_instance_id),
        ("recovery time", _recovery_time(incident)),
        ("data age", _age_of_data(outcome, recovery)),
        ("duplicates suppressed", str(reclaim.duplicates)),
        ("calls", f"{calls}, {failures} failed attempts"),
        ("created", ", ".join(f"{created.kind} {created.resource_id}" for created in recovery.created)),
    ]


def cost_rows(incident: Incident, prices: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return what it costs, as label and text; `prices` are those of `[storage_price]`."""
    outcome = incident.past.outcome
    return [
        ("price per hour, from the plan", _price(outcome, incident.recovery)),
        *(("retained", _kept(resource, prices)) for resource in outcome.kept),
    ]


def _recovery_time(incident: Incident) -> str:
    took_s, ended = incident.past.outcome.recovery_s, incident.recovery.ended
    if took_s is None or ended is None:
        return "none: not recovered"
    spare_s = (incident.interruption.deadline - ended).total_seconds()
    where = f"{spare_s:.0f} s before the deadline" if spare_s >= 0 else f"{-spare_s:.0f} s after the deadline"
    return f"{took_s:.1f} s, {where}"


def _age_of_data(outcome: Outcome, recovery: Recovery) -> str:
    if recovery.state is not RecoveryState.RECOVERED:
        return "none: not recovered"
    if outcome.data_age_s is None:
        return "unknown"
    if outcome.data_as_of is None:
        return "0 s: the original disks are back, no write is lost"
    return f"{outcome.data_age_s:.1f} s: the disks are as of {outcome.data_as_of:%Y-%m-%d %H:%M:%S}"


def _price(outcome: Outcome, recovery: Recovery) -> str:
    """Prices are from the plan's survey; nothing has been looked up since."""
    old, new = (price(amount, outcome.currency) or "unknown" for amount in (outcome.old_per_hour, outcome.new_per_hour))
    if not recovery.new_instance_id:
        return f"old {old}; no replacement"
    more = difference(outcome.new_per_hour, outcome.old_per_hour, outcome.currency)
    return f"old {old}, new {new}{f': {more}' if more else ''}"


def _kept(resource: BilledResource, prices: Mapping[str, float]) -> str:
    cost = resource.per_month(prices)
    size = "size unknown, " if resource.gib is None else f"{resource.gib} GiB, " if resource.gib else ""
    per_month = "price unknown" if cost is None else f"at most {monthly(cost)} per month"
    return f"{resource.kind} {resource.resource_id}, {size}{per_month}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _safe(text: str) -> str:
    return _MARKUP.sub(r"\\\1", plain(text, 600))
