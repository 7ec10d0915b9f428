"""One incident as a page for the post-mortem meeting: self-contained, without a script, and nothing from outside."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape

from spottui import __version__
from spottui.cli.post_mortem import Moment, cost_rows, name_of, outcome_rows, timeline
from spottui.domain.facts import StateEntered
from spottui.domain.recovery import RecoveryState
from spottui.domain.text import plain
from spottui.journal.incidents import Incident

_LONGEST = 600
_WIDTH = 1000
_LABEL_FROM = 80
"""A stretch at least so wide has room for its label."""
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
"""How a state is coloured; any other is one in which the recovery works."""
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #888; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2rem; } p { color: var(--soft); margin-top: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; } td { overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.error td { color: #c0392b; } .decision td { font-weight: 600; }
svg { width: 100%; height: auto; } svg text { font: 13px system-ui, sans-serif; fill: #fff; }
.waits { fill: #b9770e; } .works { fill: #2471a3; } .good { fill: #1e8449; } .bad { fill: #c0392b; }
.over { fill: #707b7c; }
.deadline { stroke: #c0392b; stroke-width: 3; } svg .axis { fill: currentColor; }
@media print { body { margin: 0; max-width: none; } }
"""


def as_page(incident: Incident, prices: Mapping[str, float]) -> str:
    """Return the incident as an HTML page in which text from outside is only ever text; `prices` are of storage."""
    title = f"{_safe(name_of(incident))}: {_safe(incident.recovery.state.value)}"
    began = incident.interruption.first_seen
    head = (
        '<meta charset="utf-8">\n'
        # Whatever gets into the page, a browser runs no script and loads nothing.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>"
    )
    return "\n".join((
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>',
        f"<h1>{title}</h1>",
        f"<p>Post-mortem of {_safe(incident.interruption.id)} · {began:%Y-%m-%d %H:%M:%S} UTC</p>",
        _strip(incident),
        "<h2>Outcome</h2>", _facts(outcome_rows(incident)),
        "<h2>Cost</h2>", _facts(cost_rows(incident, prices)),
        "<h2>Timeline (UTC)</h2>", _timeline(timeline(incident), began),
        f"<p>Made by spottui {_safe(__version__)} from its journal.</p>\n</body>\n</html>\n",
    ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Stretch:
    """How long a recovery was in one state."""

    state: RecoveryState
    began: datetime
    ended: datetime


def _stretches(incident: Incident) -> Iterator[_Stretch]:
    """Yield the states one after the other; an outcome lasts until the deadline, so that it is seen."""
    entered = [(logged.at, logged.fact.state) for logged in incident.log if isinstance(logged.fact, StateEntered)]
    began = [(incident.interruption.first_seen, RecoveryState.SUSPECTED), *entered]
    said = max((logged.at for logged in incident.log), default=incident.interruption.first_seen)
    last = incident.interruption.deadline if began[-1][1].is_final else said
    ends = [*(at for at, _ in entered), last]
    for (at, state), end in zip(began, ends, strict=True):
        yield _Stretch(state, at, max(at, end))


def _strip(incident: Incident) -> str:
    """Draw the states one after the other, and the deadline."""
    stretches, deadline = list(_stretches(incident)), incident.interruption.deadline
    first, last = stretches[0].began, max(stretches[-1].ended, deadline)
    span_s = max((last - first).total_seconds(), 1.0)

    def x(at: datetime) -> float:
        return (at - first).total_seconds() / span_s * _WIDTH

    bars = "".join(
        _bar(stretch, x(stretch.began), x(stretch.ended)) for stretch in stretches if stretch.ended > stretch.began
    )
    at = x(deadline)
    anchor = "end" if at > _WIDTH / 2 else "start"
    return (
        f'<svg viewBox="0 0 {_WIDTH} 60" role="img" aria-label="States over time">{bars}'
        f'<line class="deadline" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="40"/>'
        f'<text class="axis" x="{at:.1f}" y="56" text-anchor="{anchor}">deadline {deadline:%H:%M:%S}</text></svg>'
    )


def _bar(one: _Stretch, left: float, right: float) -> str:
    name = _safe(one.state.value)
    lasted = "" if one.state.is_final else f": {(one.ended - one.began).total_seconds():.1f} s"
    label = f'<text x="{left + 6:.1f}" y="25">{name}</text>' if right - left >= _LABEL_FROM else ""
    kind = _KINDS.get(one.state, "works")
    rect = f'<rect class="{kind}" x="{left:.1f}" y="4" width="{right - left:.1f}" height="32"/>'
    return f"<g><title>{name}{lasted}</title>{rect}{label}</g>"


def _facts(rows: Iterable[tuple[str, str]]) -> str:
    lines = (f"<tr><th>{_safe(name)}</th><td>{_safe(value)}</td></tr>" for name, value in rows if value)
    return "\n".join(("<table>", *lines, "</table>"))


def _timeline(moments: Iterable[Moment], began: datetime) -> str:
    head = '<tr><th>time</th><th class="number">s</th><th></th><th>what</th><th>RequestId</th></tr>'
    lines = (
        f'<tr class="{_safe(moment.what)}"><td>{moment.at:%H:%M:%S}</td>'
        f'<td class="number">{(moment.at - began).total_seconds():.1f}</td>'
        f"<td>{_safe(moment.what)}</td><td>{_safe(moment.text)}</td><td>{_safe(moment.request_id)}</td></tr>"
        for moment in moments
    )
    return "\n".join(("<table>", head, *lines, "</table>"))


def _safe(text: str) -> str:
    return escape(plain(text, _LONGEST))
