"""The pulse panel of a wide screen as text: money, forecast, risk, trends, and how fresh each region is."""

from datetime import datetime

from textual.content import Content

from spottui.console.text.readiness import VERDICT_STYLES
from spottui.domain.background import DAYS
from spottui.domain.forecast import Verdict
from spottui.domain.text import plain
from spottui.domain.view import DeskView
from spottui.tables.moments import age, short_age
from spottui.tables.prices import price
from spottui.tables.pulse import Pulse

_SAID = {
    Verdict.WILL_MAKE_IT: "make it",
    Verdict.TIGHT: "tight",
    Verdict.WILL_NOT: "lost",
    Verdict.DATA_KEPT: "data kept",
}

_HOUR_S = 3600


def pulse_text(known: Pulse | None, missing: tuple[str, ...], now: datetime, room: int) -> Content:
    """Return the pulse in two lines of `room` cells; before the market has answered it says so."""
    if known is None:
        return Content.styled("reading prices, interruption rates and the journal…", "dim")
    first = _joined([_money(known), _last(known, now), *_forecast(known)])
    second = _joined([*_trends(known), *_risk(known), *_missing(missing)])
    return Content("\n").join(line.truncate(room, ellipsis=True) for line in (first, second))


def freshness_text(view: DeskView, now: datetime) -> str:
    """Return how old the answer of each source of each region is, as `cn-hangzhou queue 0s lock 2s sweep 31s`."""
    ages: dict[str, list[str]] = {}
    for source in view.sources:
        stale = "!" if source.is_stale(now) else ""
        ages.setdefault(source.region, []).append(f"{source.name} {short_age(source.age_s(now))}{stale}")
    return " │ ".join(f"{plain(region, 40)} {' '.join(of_region)}" for region, of_region in ages.items())


def _joined(parts: list[Content]) -> Content:
    return Content(" · ").join(part for part in parts if part)


def _money(known: Pulse) -> Content:
    if not known.priced:
        return Content(f"{known.total} spot, price unknown")
    share = f" ({known.share:.0%} of on-demand)" if known.share is not None else ""
    unpriced = f", {known.total - known.priced} unpriced" if known.priced < known.total else ""
    return Content.assemble(
        (f"{known.total} spot {price(known.per_hour, known.currency)}", "bold"), f"{share}{unpriced}"
    )


def _last(known: Pulse, now: datetime) -> Content:
    if known.last_reclaim is None:
        return Content(f"no reclaim in {DAYS} days")
    past_s = (now - known.last_reclaim).total_seconds()
    # No seconds: the panel would be drawn again with each of them.
    minutes = f"{past_s // 60:.0f}m" if past_s >= 60 else "<1m"
    return Content(f"last reclaim {minutes if past_s < _HOUR_S else age(past_s)} ago")


def _forecast(known: Pulse) -> list[Content]:
    counts = [(_SAID[verdict], known.verdicts[verdict], VERDICT_STYLES[verdict]) for verdict in _SAID]
    parts = [Content.styled(f"{count} {word}", style) for word, count, style in counts if count]
    unknown = known.total - known.verdicts.total()
    if parts:
        parts += [Content(f"{unknown} unknown")] if unknown else []
        parts[0] = Content.assemble("if reclaimed now: ", parts[0])
    return parts


def _risk(known: Pulse) -> list[Content]:
    zones = (
        Content.assemble(f"{risk.zone} ", (risk.block, "$warning"), f" {plain(risk.rate, 12)}") for risk in known.risks
    )
    return [Content.assemble("risk ", Content("  ").join(zones))] if known.risks else []


def _trends(known: Pulse) -> list[Content]:
    lines = ((f"reclaims {DAYS}d ", known.reclaims), ("price 7d ", known.prices))
    return [Content.assemble(label, (line, "$accent")) for label, line in lines if line]


def _missing(missing: tuple[str, ...]) -> list[Content]:
    return [Content.styled(f"unknown: {plain(missing[0], 120)}", "$warning")] if missing else []
