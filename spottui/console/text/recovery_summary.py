"""A recovery in a few lines: state, last failure with Code and RequestId, next step, created resources."""

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content

from spottui import words
from spottui.console.text.cells import hanging
from spottui.console.text.readiness import VERDICT_STYLES, image_text
from spottui.domain.reasons import Reason
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.domain.verdicts import verdict_of, verdict_text
from spottui.tables.moments import age, when
from spottui.tables.timeline import Step, last_failure

Line = list[tuple[str, str]]
_ERROR = "bold $error"
_LEAST_LABEL_CELLS = 6


def recovery_summary(recovery: Recovery, made: Sequence[Step], now: datetime, room: int) -> list[Content]:
    """Return state, forecast, last failure, trouble, reason, next step and created resources; `made` are its steps.

    A failure is left out once there is a replacement, a reason that says the same as the failure too. A recovery
    started by hand has no deadline and no verdict. What is longer than `room` cells goes on behind its label.
    """
    state = "waits" if recovery.awaits_release else str(recovery.state)
    failed = None if recovery.new_instance_id else last_failure(made)
    first: Line = [(state, "bold"), *_end_or_forecast(recovery, now)]
    labelled = _failure(failed) if failed else []
    goes_on = not recovery.state.is_final
    if recovery.trouble and goes_on and (failed is None or recovery.unseen_since):
        labelled.append(("trouble", f"{words.trouble(recovery)}{_unseen(recovery, now)}", _ERROR))
    if recovery.reason and not (failed and _tells_only_of(failed, recovery.reason)):
        labelled.append(("why", words.reason(recovery.reason, recovery.region), ""))
    if recovery.next_step and goes_on:
        labelled.append(("next", words.next_step(recovery.next_step), ""))
    labelled += [("made", f"{resource.kind} {resource.resource_id}", "") for resource in recovery.created]
    return [Content.assemble(*first), *(part for row in labelled for part in _hanging(*row, room))]


def _hanging(label: str, text: str, style: str, room: int) -> list[Content]:
    head = f"{label}  ".ljust(_LEAST_LABEL_CELLS)
    return hanging(Content.assemble((head, "dim"), (plain(text, 500), style)), room, len(head))


def _failure(failed: Step) -> list[tuple[str, str, str]]:
    """Return the call that failed with its RequestId, and in a line of its own what was answered."""
    request_id = failed.request_id or "none: no answer came"
    label = "last failure"
    return [(label, f"{failed.action} RequestId {request_id}", _ERROR), (" " * len(label), failed.detail, "$error")]


def _tells_only_of(failed: Step, reason: Reason) -> bool:
    """Whether a reason says nothing but that this call failed."""
    is_same = reason.failure is not None and bool(failed.request_id) and reason.failure.request_id == failed.request_id
    return is_same and reason == Reason(reason.why, failure=reason.failure)


def _unseen(recovery: Recovery, now: datetime) -> str:
    if recovery.unseen_since is None:
        return ""
    return f" · progress {age((now - recovery.unseen_since).total_seconds())} old"


def _end_or_forecast(recovery: Recovery, now: datetime) -> Line:
    if recovery.state.is_final:
        took_s = (recovery.ended - recovery.started).total_seconds() if recovery.ended else None
        where = f" · now {plain(recovery.new_instance_id)}" if recovery.new_instance_id else ""
        return [(f" after {age(took_s)}{where}", "")]
    if recovery.interruption.is_manual:
        return [(" · started manually, no reclaim known", "")]
    return [(" · ", ""), *forecast_line(recovery, recovery.deadline, now)]


def forecast_line(recovery: Recovery, deadline: datetime, now: datetime) -> Line:
    """Return its deadline, the image that is awaited, and the verdict, as every screen shows them."""
    verdict, image = verdict_of(recovery, now), image_text(recovery, now)
    line: Line = [(f"reclaimed {when(deadline, now)}", "bold"), (f" · {image}" if image else "", ""), (" · ", "")]
    return [*line, (verdict_text(recovery, now), VERDICT_STYLES[verdict]) if verdict else ("no forecast yet", "dim")]
