"""A recovery in a few lines: state, last failure with Code and RequestId, next step, created resources."""

from collections.abc import Sequence
from datetime import datetime

from spottui import words
from spottui.console.text.cells import cell_text
from spottui.console.text.readiness import VERDICT_STYLES, image_text
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.domain.verdicts import said_of, verdict_of
from spottui.tables.moments import age, when
from spottui.tables.timeline import Step, last_failure

Line = list[tuple[str, str]]

_LABEL_CELLS = 14


def recovery_summary(recovery: Recovery, made: Sequence[Step], now: datetime, room: int) -> list[Line]:
    """Return state, forecast, last failure, trouble, reason, next step and created resources; `made` are its steps.

    A failure is left out once there is a replacement. A recovery started by hand has no deadline and no verdict.
    """
    state = "waits" if recovery.awaits_release else str(recovery.state)
    failed = None if recovery.new_instance_id else last_failure(made)
    lines: list[Line] = [
        [(state, "bold"), *_end_or_forecast(recovery, now)],
        *(_failure(failed, room) if failed else []),
    ]
    goes_on = not recovery.state.is_final
    if recovery.trouble and goes_on and (failed is None or recovery.unseen_since):
        trouble = f"{plain(words.trouble(recovery), 500)}{_unseen(recovery, now)}"
        lines.append([("trouble  ", "dim"), (trouble, "bold $error")])
    if recovery.reason:
        lines.append([("why   ", "dim"), (plain(words.reason(recovery.reason, recovery.region), 500), "")])
    if recovery.next_step and goes_on:
        lines.append([("next  ", "dim"), (plain(words.next_step(recovery.next_step), 500), "")])
    return [
        *lines,
        *(
            [("made  ", "dim"), (f"{plain(resource.kind)} {plain(resource.resource_id)}", "")]
            for resource in recovery.created
        ),
    ]


def _failure(failed: Step, room: int) -> list[Line]:
    """Return a failure in two lines of `room` cells; the steps have it in full."""
    request_id = plain(failed.request_id) or "none: no answer came"
    detail = cell_text(plain(failed.detail, 500), room - _LABEL_CELLS).rstrip()
    return [
        [
            ("last failure".ljust(_LABEL_CELLS), "dim"),
            (f"{plain(failed.action, 64)} RequestId {request_id}", "bold $error"),
        ],
        [(" " * _LABEL_CELLS, ""), (detail, "$error")],
    ]


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
    return [*line, (said_of(recovery, now), VERDICT_STYLES[verdict]) if verdict else ("no forecast yet", "dim")]
