"""A reclaim and its recovery as they stood at a moment of the past, from what the journal kept line by line."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from spottui.domain.audit import Entry, Phase
from spottui.domain.forecast import Verdict
from spottui.domain.interruption import Evidence, Interruption
from spottui.domain.plan import Route
from spottui.domain.recovery import Decision, Recovery, RecoveryState

PROGRESS_NOT_KNOWN = -1
_WAITS = "waits for a yes"

_STATES = {state.value: state for state in RecoveryState}
_DECISIONS = {decision.value: decision for decision in Decision if decision}


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a recovery showed of its course from a moment on; the states and the calls are in its audit."""

    at: datetime
    progress: int = PROGRESS_NOT_KNOWN
    forecast_at: datetime | None = None
    verdict: Verdict | None = None
    veto_until: datetime | None = None
    reason: str = ""
    next_step: str = ""
    route: Route = Route.IMAGE
    image_s: float | None = None
    queued: int | None = None
    no_room: bool = False
    awaits_release: bool = False
    unseen_since: datetime | None = None
    trouble: str = ""


def interruption_as_of(
    known: Interruption, audit: Sequence[Entry], seen_again: Sequence[datetime], at: datetime
) -> Interruption | None:
    """Return a reclaim as it was known at a moment, None before the first sign.

    `audit` is its recovery's, oldest first; `seen_again` are the times at which a sign came that was there already.
    """
    if known.first_seen > at:
        return None
    signs = [entry for entry in audit if entry.phase is Phase.EVIDENCE]
    told = [entry for entry in signs if _is_there(entry, at)]
    again = [one for one in seen_again if one <= at]
    if len(told) == len(signs) and len(again) == len(seen_again) and not _after(known.unlocked_at, at):
        return known
    evidence = tuple(Evidence[entry.action.upper()] for entry in told if entry.action.upper() in Evidence.__members__)
    deadlines = [found for entry in told if (found := _deadline(entry))]
    return replace(
        known,
        evidence=evidence or known.evidence[:1],
        deadline=deadlines[-1] if deadlines else known.deadline,
        duplicates=len(again),
        unlocked_at=None if _after(known.unlocked_at, at) else known.unlocked_at,
        released_at=known.released_at if any(entry.action == "release" for entry in told) else None,
    )


def recovery_as_of(
    known: Recovery, audit: Sequence[Entry], outlooks: Sequence[Outlook], deadline: datetime, at: datetime
) -> Recovery | None:
    """Return a recovery as it stood at a moment, None before it was opened; `deadline` is its reclaim's of then.

    `audit` and `outlooks` are its own, oldest first. What no line has kept is shown as not known; after the last line
    it is what the journal holds.
    """
    if known.started > at:
        return None
    told = [entry for entry in audit if _is_there(entry, at)]
    shown = [one for one in outlooks if one.at <= at]
    if len(told) == len(audit) and len(shown) == len(outlooks):
        return known
    opened = Recovery(
        known.recovery_id,
        known.region,
        known.instance_id,
        known.name,
        RecoveryState.SUSPECTED,
        deadline,
        known.started,
    )
    stood = _with_made(opened, known, told)
    for entry in told:
        stood = _with_entry(stood, entry)
    if shown:
        return _with_outlook(stood, shown[-1])
    is_kept = outlooks or not (stood.image_id or stood.state is RecoveryState.IMAGING)
    return stood if is_kept else replace(stood, progress=PROGRESS_NOT_KNOWN)


def _with_made(opened: Recovery, known: Recovery, told: Sequence[Entry]) -> Recovery:
    """Add what it had made: an id is known from the first line on that names it."""
    named = {word: entry.at for entry in reversed(told) for word in entry.detail.replace(",", " ").split()}
    images = [one.resource_id for one in known.created if one.kind == "image" and one.resource_id in named]
    image_id = known.image_id if known.image_id in named else next(reversed(images), "")
    last = told[-1].at if told else None
    return replace(
        opened,
        image_id=image_id,
        image_of=known.image_of if image_id == known.image_id else "",
        imaging_since=named.get(image_id),
        new_instance_id=known.new_instance_id if known.new_instance_id in named else "",
        created=tuple(one for one in known.created if one.resource_id in named),
        tries=tuple(one for one in known.tries if one.at and last and one.at <= last),
        snapshots=tuple(pair for pair in known.snapshots if pair[1] in named),
    )


def _with_entry(stood: Recovery, entry: Entry) -> Recovery:
    match entry.phase, entry.action:
        case Phase.STATE, _:
            return _entered(stood, entry)
        case Phase.DECISION, "Decision":
            return _decided(stood, entry.detail)
        case Phase.DECISION, "Retry":
            return _tried_again(stood, entry.detail)
    return stood


def _entered(stood: Recovery, entry: Entry) -> Recovery:
    """`old → new: reason`, as the journal writes it."""
    _, _, said = entry.detail.partition(" → ")
    state, _, reason = said.partition(": ")
    entered = _STATES.get(state)
    if entered is None:
        return stood
    return replace(stood, state=entered, reason=reason, ended=entry.at if entered.is_final else None)


def _decided(stood: Recovery, said: str) -> Recovery:
    """`confirm by mia@bastion pts/3`, or what asks for a stop."""
    decision, _, who = said.partition(" by ")
    if decision in _DECISIONS:
        return replace(stood, decision=_DECISIONS[decision], who=who)
    return replace(stood, cancel=stood.cancel or decision.startswith("cancel"))


def _tried_again(stood: Recovery, said: str) -> Recovery:
    """`tried again by mia@bastion pts/3, run 2`, or `…, waits for a yes` where there was no plan to say yes to."""
    again = replace(stood, state=RecoveryState.PROTECTING, reason="", ended=None, cancel=False, run=stood.run + 1)
    if said.endswith(_WAITS):
        return replace(again, decision=Decision.NONE, who="")
    _, _, who = said.rpartition(", run ")[0].partition(" by ")
    return replace(again, decision=Decision.CONFIRM, who=who)


def _with_outlook(stood: Recovery, shown: Outlook) -> Recovery:
    return replace(
        stood,
        progress=shown.progress,
        forecast_at=shown.forecast_at,
        verdict=shown.verdict,
        veto_until=shown.veto_until,
        reason=shown.reason,
        next_step=shown.next_step,
        route=shown.route,
        image_s=shown.image_s,
        queued=shown.queued,
        no_room=shown.no_room,
        awaits_release=shown.awaits_release,
        unseen_since=shown.unseen_since,
        trouble=shown.trouble,
    )


def _deadline(entry: Entry) -> datetime | None:
    """`dated …, deadline …, message …`, both times in ISO 8601."""
    _, found, rest = entry.detail.partition("deadline ")
    return datetime.fromisoformat(rest.partition(",")[0]) if found else None


def _is_there(entry: Entry, at: datetime) -> bool:
    return entry.at is not None and entry.at <= at


def _after(time: datetime | None, at: datetime) -> bool:
    return time is not None and time > at
