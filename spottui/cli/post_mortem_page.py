"""One incident as a page for the post-mortem meeting: self-contained, without a script, and nothing from outside."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape

from spottui import __version__
from spottui.cli.page_charts import STYLE, price_chart, timeline_chart
from spottui.cli.post_mortem import Moment, cost_rows, name_of, outcome_rows, timeline
from spottui.domain.text import plain
from spottui.journal.incidents import Incident

_LONGEST = 600
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #888; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2rem; } p { color: var(--soft); margin-top: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; } td { overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.error td { color: #c0392b; } .decision td { font-weight: 600; }
@media print { body { margin: 0; max-width: none; } }
"""


def as_page(incident: Incident, prices: Mapping[str, float]) -> str:
    """Return the incident as an HTML page with all outside text escaped; `prices` are of storage."""
    title = f"{_safe(name_of(incident))}: {_safe(incident.recovery.state.value)}"
    began = incident.interruption.first_seen
    head = (
        '<meta charset="utf-8">\n'
        # Whatever gets into the page, a browser runs no script and loads nothing.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}{STYLE}</style>"
    )
    return "\n".join((
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>',
        f"<h1>{title}</h1>",
        f"<p>Post-mortem of {_safe(incident.interruption.id)} · {began:%Y-%m-%d %H:%M:%S} UTC</p>",
        timeline_chart(incident),
        "<h2>Outcome</h2>", _facts(outcome_rows(incident)),
        "<h2>Cost</h2>", _facts(cost_rows(incident, prices)),
        *_prices(incident),
        "<h2>Timeline (UTC)</h2>", _timeline(timeline(incident), began),
        f"<p>Made by spottui {_safe(__version__)} from its journal.</p>\n</body>\n</html>\n",
    ))  # fmt: skip


def _prices(incident: Incident) -> tuple[str, ...]:
    chart = price_chart(incident)
    return ("<h2>Spot price (UTC)</h2>", chart) if chart else ()


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
