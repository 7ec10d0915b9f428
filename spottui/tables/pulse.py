"""The fleet at a glance: what it costs, what would become of it if it was reclaimed now, how risky its zones are."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from spottui.domain.background import DAYS, FleetBackground, PriceHistory
from spottui.domain.clock import NOTICE_S
from spottui.domain.early_warning import highest_rate
from spottui.domain.forecast import Forecast, Verdict
from spottui.domain.instance import Instance, InterruptionBehavior
from spottui.domain.places import Price, shown_rate
from spottui.domain.region_key import zone_in_short
from spottui.domain.view import DeskView, is_of
from spottui.tables.charts import BLOCKS, columns, over_time

_PRICE_CELLS = 24
_EIGHTHS = len(BLOCKS) - 1
_RISKS = ((3, 2), (5, 3), (10, 5), (15, 6))
"""The upper bound of a rate in percent, and its block; above the last one it is the full block."""


class Risk(msgspec.Struct, frozen=True):
    """The highest interruption rate of the fleet's types in a zone, in the cloud's words, with its block."""

    zone: str
    block: str
    rate: str


class Pulse(msgspec.Struct, frozen=True):
    """The figures of a fleet of `total` spot instances, of which `priced` have a price; prices are per hour.

    `verdicts` is what would become of those of which it is known if they were reclaimed now. `reclaims` and `prices`
    are sparklines: reclaims by day, and the price of the commonest places over its history.
    """

    total: int
    priced: int
    per_hour: float
    on_demand_per_hour: float
    currency: str
    verdicts: Counter[Verdict]
    last_reclaim: datetime | None
    risks: tuple[Risk, ...]
    reclaims: str
    prices: str

    @property
    def share(self) -> float | None:
        """What it costs as a share of on-demand, None while no price is known."""
        return self.per_hour / self.on_demand_per_hour if self.on_demand_per_hour else None


def reclaims_of(view: DeskView, fleet_background: FleetBackground) -> tuple[datetime, ...]:
    """Return the times of the known reclaims of what is shown, oldest first; the view has newer ones."""
    past = (at for at, region in fleet_background.reclaims if is_of(region, view.account))
    shown = (recovery.started for recovery in view.recoveries if not recovery.interruption.is_manual)
    return tuple(sorted({*past, *shown}))


def pulse(view: DeskView, fleet_background: FleetBackground) -> Pulse:
    """Return the pulse of a view's spot instances."""
    instances = [each for each in view.instances if each.is_spot]
    reclaims = reclaims_of(view, fleet_background)
    pairs = {(each.instance_type, each.zone) for each in instances}
    prices = [price for each in instances if (price := price_of(each, fleet_background))]
    verdicts = (forecast_now(each, fleet_background) for each in instances)
    return Pulse(
        total=len(instances),
        priced=len(prices),
        per_hour=sum(price.spot for price in prices),
        on_demand_per_hour=sum(price.on_demand for price in prices),
        currency=next((price.currency for price in prices), ""),
        verdicts=Counter(verdict for verdict in verdicts if verdict),
        last_reclaim=max(reclaims, default=None),
        risks=_risks(instances, fleet_background, several=len(view.region_ids) > 1),
        reclaims=_by_day(reclaims, view.at),
        prices=_price_line([history for history in fleet_background.histories if history.place in pairs]),
    )


def price_of(instance: Instance, fleet_background: FleetBackground) -> Price | None:
    """Return what an instance's type costs in its zone now, None if unknown."""
    return fleet_background.prices.get((instance.instance_type, instance.zone))


def forecast_now(instance: Instance, fleet_background: FleetBackground) -> Verdict | None:
    """Return what would become of an instance if it was reclaimed now, None if unknown."""
    if instance.behavior is InterruptionBehavior.STOP:
        return Verdict.DATA_KEPT
    image_s = fleet_background.image_s.get((instance.region, instance.instance_id))
    if image_s is None:
        return None
    deadline = fleet_background.at + timedelta(seconds=NOTICE_S)
    return Forecast(fleet_background.at + timedelta(seconds=image_s), deadline).verdict


def _risks(instances: Sequence[Instance], fleet_background: FleetBackground, *, several: bool) -> tuple[Risk, ...]:
    worst: dict[str, str] = {}
    for each in instances:
        zone = zone_in_short(each.zone, each.region, several=several)
        rate = fleet_background.rates.get((each.instance_type, each.zone), "")
        if rate and (zone not in worst or highest_rate(rate) > highest_rate(worst[zone])):
            worst[zone] = rate
    return tuple(Risk(zone, _block(rate), shown_rate(rate)) for zone, rate in sorted(worst.items()))


def _block(rate: str) -> str:
    upper = highest_rate(rate)
    return BLOCKS[next((block for bound, block in _RISKS if upper <= bound), _EIGHTHS)]


def _by_day(reclaims: Sequence[datetime], now: datetime) -> str:
    days = Counter((now - at).days for at in reclaims)
    counts = [days[back] for back in range(DAYS - 1, -1, -1)]
    return columns(counts, max(counts), 1)[0] if any(counts) else ""


def _price_line(histories: Sequence[PriceHistory]) -> str:
    if not histories:
        return ""
    begin = max(history.points[0][0] for history in histories)
    end = max(history.points[-1][0] for history in histories) + timedelta(hours=1)
    if begin >= end:
        return ""
    lines = [over_time(history.points, begin, end, _PRICE_CELLS) for history in histories]
    sums = [sum(value or 0.0 for value in cell) for cell in zip(*lines, strict=True)]
    least, most = min(sums), max(sums)
    if least == most:
        return BLOCKS[_EIGHTHS // 2] * _PRICE_CELLS
    # From the least on: a price that moves by a tenth is worth seeing.
    return columns([value - least + (most - least) / _EIGHTHS for value in sums], most - least, 1)[0]
