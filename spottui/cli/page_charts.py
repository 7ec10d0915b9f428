"""The charts of a post-mortem page as inline SVG: states and calls over time, and the price of both places."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape

import msgspec

from spottui.domain.facts import StateEntered
from spottui.domain.recovery import RecoveryState
from spottui.domain.savings import GOOD_FOR, Place
from spottui.domain.text import plain
from spottui.journal.incidents import Incident
from spottui.tables.charts import amount_ticks, day_ticks
from spottui.tables.prices import price
from spottui.tables.timeline import Step, steps
from spottui.words import Sign

STYLE = """
svg { width: 100%; height: auto; } svg text { font: 13px system-ui, sans-serif; fill: currentColor; }
svg .on-bar { fill: #fff; }
.waits { fill: #b9770e; } .works { fill: #2471a3; } .good { fill: #1e8449; } .bad { fill: #c0392b; }
.over { fill: #707b7c; }
.grid { stroke: var(--line); } .deadline { stroke: #c0392b; stroke-width: 3; }
.old, .new { fill: none; stroke: #b9770e; stroke-width: 2; } .new { stroke: #2471a3; stroke-dasharray: 8 3; }
.old-text { fill: #b9770e !important; } .new-text { fill: #2471a3 !important; }
"""

_WIDTH, _LEFT = 1000, 60
_STATES_HEIGHT, _ROW = 40, 20
_LABEL_FROM = 80
"""Minimum width of a stretch that has room for its label."""
_CELL = 7.5
"""Maximum width of a character."""
_MOST_TICKS = 10
_TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400)
_PRICES_HEIGHT = 180
_KINDS = {
    RecoveryState.SUSPECTED: "waits",
    RecoveryState.NEEDS_YOU: "waits",
    RecoveryState.VETO_WINDOW: "waits",
    RecoveryState.RECOVERED: "good",
    RecoveryState.FAILED: "bad",
    RecoveryState.CANCELLED: "over",
    RecoveryState.VETOED: "over",
    RecoveryState.SKIPPED: "over",
}
"""Colours of states; in all others the recovery is working."""
_CALLS = {Sign.GOOD: "good", Sign.FAILED: "bad", Sign.UNKNOWN: "bad"}


class _Stretch(msgspec.Struct, frozen=True):
    """How long a recovery was in one state."""

    state: RecoveryState
    began: datetime
    ended: datetime


class _Axis(msgspec.Struct, frozen=True):
    """The time axis of a chart, from `left` to its right edge."""

    first: datetime
    last: datetime
    left: float = 0.0

    def x(self, at: datetime) -> float:
        """Return the x coordinate of a time; a time outside of the chart is put at its edge."""
        share = (at - self.first) / max(self.last - self.first, timedelta(seconds=1))
        return self.left + min(max(share, 0.0), 1.0) * (_WIDTH - self.left)


def timeline_chart(incident: Incident) -> str:
    """Return the states of a recovery one after the other, each of its calls below them, and the deadline.

    The axis has the seconds since the first sign.
    """
    stretches, deadline = list(_stretches(incident)), incident.interruption.deadline
    axis = _Axis(stretches[0].began, max(stretches[-1].ended, deadline))
    calls = [step for step in steps(incident.log, axis.last) if step.seconds is not None and step.begun]
    bottom = _STATES_HEIGHT + _ROW * len(calls) + 5
    bars = "".join(_state_bar(stretch, axis) for stretch in stretches if stretch.ended > stretch.began)
    rows = "".join(_call_bar(step, axis, _STATES_HEIGHT + _ROW * row) for row, step in enumerate(calls))
    at = axis.x(deadline)
    label = _text(at, bottom + 36, f"deadline {deadline:%H:%M:%S}", anchor="end" if at > _WIDTH / 2 else "start")
    line = f'<line class="deadline" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{bottom}"/>'
    return _svg("States and calls over time", bottom + 42, f"{_seconds(axis, bottom)}{bars}{rows}{line}{label}")


def price_chart(incident: Incident) -> str:
    """Return the spot prices that the journal has of the old and the new place, until the outcome.

    Empty if it has prices of at most one time.
    """
    plan, notice = incident.plan, incident.interruption.first_seen
    old, new = _places(incident)
    lines = [(kind, place, _points(incident, place)) for kind, place in (("old", old), ("new", new)) if place]
    times = sorted({at for _, _, points in lines for at, _ in points})
    if plan is None or len(times) < 2:
        return ""
    axis = _Axis(times[0], max(times[-1], incident.recovery.ended or notice), _LEFT)
    most = max(value for _, _, points in lines for _, value in points) * 1.1
    drawn = "".join(_price_line(kind, points, axis, most) for kind, _, points in lines)
    ticks = "".join(_level(amount, most) for amount in amount_ticks(most, 8))
    days = "".join(_mark(axis, day, f"{day:%m-%d}") for day in day_ticks(axis.first, axis.last, _MOST_TICKS))
    at = axis.x(notice)
    line = f'<line class="deadline" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{_PRICES_HEIGHT}"/>'
    legend = "".join(
        _text(_LEFT, _PRICES_HEIGHT + 42 + 18 * row, _named(kind, place, points, plan.currency), kind=f"{kind}-text")
        for row, (kind, place, points) in enumerate(lines)
        if points
    )
    said = _text(at - 6, _PRICES_HEIGHT - 8, "notice", anchor="end")
    return _svg(
        "Spot prices over time", _PRICES_HEIGHT + 48 + 18 * len(lines), f"{ticks}{days}{drawn}{line}{said}{legend}"
    )


def _stretches(incident: Incident) -> Iterator[_Stretch]:
    """Yield the states one after the other; an outcome lasts until the deadline, so that it is seen."""
    entered = [(logged.at, logged.fact.state) for logged in incident.log if isinstance(logged.fact, StateEntered)]
    began = [(incident.interruption.first_seen, RecoveryState.SUSPECTED), *entered]
    newest = max((logged.at for logged in incident.log), default=incident.interruption.first_seen)
    last = incident.interruption.deadline if began[-1][1].is_final else newest
    ends = [*(at for at, _ in entered), last]
    for (at, state), end in zip(began, ends, strict=True):
        yield _Stretch(state, at, max(at, end))


def _state_bar(stretch: _Stretch, axis: _Axis) -> str:
    left, right = axis.x(stretch.began), axis.x(stretch.ended)
    name = _safe(stretch.state.value)
    lasted = "" if stretch.state.is_final else f": {(stretch.ended - stretch.began).total_seconds():.1f} s"
    label = _text(left + 6, 25, name, kind="on-bar") if right - left >= _LABEL_FROM else ""
    kind = _KINDS.get(stretch.state, "works")
    rect = f'<rect class="{kind}" x="{left:.1f}" y="4" width="{right - left:.1f}" height="32"/>'
    return f"<g><title>{name}{lasted}</title>{rect}{label}</g>"


def _call_bar(step: Step, axis: _Axis, top: float) -> str:
    """Return the bar of a call from its intent to its answer, with name and seconds on the side with room."""
    seconds = step.seconds or 0.0
    began = step.at if step.sign is Sign.UNDER_WAY else step.at - timedelta(seconds=seconds)
    left, right = axis.x(began), axis.x(began + timedelta(seconds=seconds))
    failed = {Sign.FAILED: " failed", Sign.UNKNOWN: " no answer", Sign.UNDER_WAY: " no answer yet"}.get(step.sign, "")
    name = f"{step.action} {seconds:.1f} s{failed}"
    fits = right + 6 + len(name) * _CELL < _WIDTH
    label = _text(right + 6 if fits else left - 6, top + 15, name, anchor="start" if fits else "end")
    rect = (
        f'<rect class="{_CALLS.get(step.sign, "works")}" x="{left:.1f}" y="{top + 4:.1f}" '
        f'width="{max(right - left, 2):.1f}" height="{_ROW - 8}"/>'
    )
    return f"<g><title>{_safe(f'{step.action} {step.detail}')}</title>{rect}{label}</g>"


def _seconds(axis: _Axis, bottom: float) -> str:
    span_s = max((axis.last - axis.first).total_seconds(), 1.0)
    step_s = next((step for step in _TICKS_S if span_s / step <= _MOST_TICKS), _TICKS_S[-1])
    ticks = [axis.first + timedelta(seconds=step_s * number) for number in range(int(span_s / step_s) + 1)]
    return "".join(
        f'<line class="grid" x1="{axis.x(at):.1f}" x2="{axis.x(at):.1f}" y1="0" y2="{bottom}"/>'
        + _text(axis.x(at), bottom + 18, f"{(at - axis.first).total_seconds():.0f} s", anchor=_anchor(axis.x(at)))
        for at in ticks
    )


def _anchor(x: float) -> str:
    return "start" if x < _LABEL_FROM / 2 else "end" if x > _WIDTH - _LABEL_FROM / 2 else "middle"


def _places(incident: Incident) -> tuple[Place | None, Place | None]:
    """Return the place of the instance, and that of its replacement if different."""
    spec = incident.plan.spec.instance if incident.plan else None
    old = (spec.instance_type, spec.zone) if spec else None
    launched = next((attempt.place for attempt in reversed(incident.recovery.tries) if attempt.failure is None), None)
    new = (launched[0], launched[1]) if launched and not launched[2] else None
    return old, new if new != old else None


def _points(incident: Incident, place: Place) -> list[tuple[datetime, float]]:
    return [
        (recorded.at, seen.spot)
        for recorded in incident.prices
        for seen in recorded.prices
        if (seen.instance_type, seen.zone) == place
    ]


def _price_line(kind: str, points: Sequence[tuple[datetime, float]], axis: _Axis, most: float) -> str:
    """Return a step line; it is interrupted where a price is older than a day and so unknown."""
    path, held_until = "", None
    ends = [*(at for at, _ in points[1:]), axis.last]
    for (at, value), end in zip(points, ends, strict=False):
        start = "V" if at == held_until else f"M{axis.x(at):.1f} "
        path += f"{start}{_y(value, most):.1f}H{axis.x(min(end, at + GOOD_FOR)):.1f}"
        held_until = end if end - at <= GOOD_FOR else None
    return f'<path class="{kind}" d="{path}"/>' if path else ""


def _level(amount: float, most: float) -> str:
    y = _y(amount, most)
    line = f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return line + _text(_LEFT - 6, y + 4, f"{amount:,.6g}", anchor="end")


def _mark(axis: _Axis, at: datetime, text: str) -> str:
    return _text(axis.x(at), _PRICES_HEIGHT + 18, text, anchor=_anchor(axis.x(at)))


def _named(kind: str, place: Place, points: Sequence[tuple[datetime, float]], currency: str) -> str:
    return f"{kind}: {place[0]} in {place[1]}, at last {price(points[-1][1], currency)}"


def _y(value: float, most: float) -> float:
    return _PRICES_HEIGHT * (1 - value / (most or 1.0))


def _svg(label: str, height: float, drawn: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{label}">{drawn}</svg>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", kind: str = "axis") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_safe(text)}</text>'


def _safe(text: str) -> str:
    return escape(plain(text, 600))
