"""The rows of the instances panel: what is dying first, then what is dying but saved, then by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

import msgspec

from spottui.domain.background import FleetBackground
from spottui.domain.early_warning import EarlyWarning
from spottui.domain.forecast import Verdict
from spottui.domain.instance import Instance
from spottui.domain.interruption import Interruption
from spottui.domain.owner import owner_of
from spottui.domain.places import shown_rate
from spottui.domain.region_key import region_id, shown_account, zone_in_short
from spottui.domain.text import plain
from spottui.domain.view import DeskView, open_reclaims, replacements
from spottui.domain.way_back import OnDemand
from spottui.tables.column import FIRST_CELL, Cell, Column, Row, Rows, Table, Tone, as_text, natural
from spottui.tables.moments import countdown, day_and_minute, epoch, hourly, iso_time, number, seconds_left
from spottui.tables.pulse import forecast_now, price_of
from spottui.words.market import early_warning, symbol, way_back


class Around(msgspec.Struct, frozen=True, gc=False):
    """What a row shows besides the instance itself; unknown values are empty, or 0 for the share.

    Its zone in short, the price of its place per hour with its currency, that in percent of on-demand, the interruption
    rate, what would become of it if it was reclaimed now, what says that it soon may be, and the way back to spot of an
    on-demand replacement, which `may_go_back` now; its account, where accounts have names.
    """

    zone: str
    price: str = ""
    share: int = 0
    rate: str = ""
    forecast: str = ""
    account: str = ""
    warning: str = ""
    way_back: str = ""
    may_go_back: bool = False


Source = tuple[Instance, Interruption | None, str, Around]
"""What a row is made of: the instance, its open reclaim, its replacement's id when it is saved, and what is around."""

SAVED, RECLAIMED, EARLY, BACK = "✓", "!", "▲", "←"
EARLY_WORD = "early"
"""The word by which a filter finds the rows with an early warning."""
BACK_WORD = "wayback"
"""The word by which a filter finds the on-demand replacements that may go back to spot."""


def short_id(cell: Cell, now_s: float = 0.0) -> str:
    """Return a resource id cut in its middle, `i-bp1a…09x3`."""
    text = str(cell)
    return text if len(text) <= 11 else f"{text[:6]}…{text[-4:]}"


def _deadline_text(cell: Cell, now_s: float) -> str:
    return f"{'≤' if _is_upper_bound(cell) else ''}{countdown(_epoch(cell), now_s)}"


def _deadline_whole(cell: Cell, now_s: float) -> str:
    return f"{'≤' if _is_upper_bound(cell) else ''}{iso_time(_epoch(cell), now_s)}"


def _deadline_in(cell: Cell, now_s: float) -> float | None:
    return seconds_left(_epoch(cell), now_s)


def _epoch(cell: Cell) -> int:
    return cell // 2 if isinstance(cell, int) else 0


def _is_upper_bound(cell: Cell) -> bool:
    return isinstance(cell, int) and cell % 2 == 1


def _amount(cell: Cell, now_s: float) -> float | None:
    digits = "".join(character for character in str(cell) if character.isdigit() or character == ".")
    return float(digits) if digits.replace(".", "", 1).isdigit() else None


def _percent(cell: Cell, now_s: float) -> str:
    return f"{cell} %" if cell else ""


def _forecast_tone(cell: Cell) -> Tone:
    return _FORECAST_TONES.get(str(cell), Tone.PLAIN)


_FORECAST_TONES = {
    str(Verdict.WILL_MAKE_IT): Tone.GOOD,
    str(Verdict.TIGHT): Tone.WARN,
    str(Verdict.DATA_KEPT): Tone.WARN,
    str(Verdict.WILL_NOT): Tone.ALARM,
}


def _mark_tone(cell: Cell) -> Tone:
    return {EARLY: Tone.WARN, BACK: Tone.GOOD}.get(str(cell), Tone.PLAIN)


COLUMNS = (
    Column("mark", "", 1, pinned=True, tone=_mark_tone),
    Column(
        "deadline",
        "Deadline",
        8,
        live=True,
        render=_deadline_text,
        whole=_deadline_whole,
        amount=_deadline_in,
        pinned=True,
    ),
    Column("instance", "Instance", 11, render=short_id, whole=as_text, full=22),
    Column("name", "Name", 8, flexible=True, pinned=True),
    Column("type", "Type", 14, drop=2),
    Column("account", "Account", 8, drop=3),
    Column("region", "Region", 11, drop=3, optional=True),
    Column("zone", "Zone", 4, drop=1),
    Column("lock", "Lock", 9),
    Column("seen", "Signals", 7),
    Column("now", "Now", 11, drop=4, render=short_id, whole=as_text, full=22),
    Column("status", "Status", 8, drop=5, optional=True),
    Column("address", "Address", 15, drop=6, optional=True),
    Column("vcpus", "vCPU", 4, align_right=True, drop=7, amount=number, optional=True),
    Column("behavior", "At end", 9, drop=8, optional=True),
    Column("created", "Created", 17, drop=9, render=day_and_minute, whole=iso_time, optional=True),
    Column("tags", "Tags", 12, drop=10, optional=True),
    Column("price", "Price/h", 8, align_right=True, drop=11, amount=_amount, optional=True),
    Column("share", "% on-demand", 11, align_right=True, drop=12, render=_percent, amount=number, optional=True),
    Column("rate", "Interrupted", 11, drop=13, optional=True),
    Column("forecast", "If reclaimed now", 16, drop=14, tone=_forecast_tone, optional=True),
    Column("owner", "Owner", 12, drop=15, optional=True),
    Column("warning", "Early warning", 20, drop=16, whole=as_text, full=44, optional=True),
    Column("back", "Way back", 22, drop=17, optional=True),
)
"""A deadline is twice its epoch second, and one more where it is an upper bound."""

OPTIONAL = frozenset(column.id for column in COLUMNS if column.optional)
"""Where there are several regions, the zone names its own."""

OF_THE_MARKET = frozenset(("price", "share", "rate", "forecast", "warning", "back"))
"""Those that stay empty until somebody has looked around the fleet."""


def _order(row: Row) -> tuple[Cell, ...]:
    mark, deadline, name = row[FIRST_CELL], row[FIRST_CELL + 1], row[FIRST_CELL + 3]
    is_suspected = mark == RECLAIMED and row[_LOCK] == "-"
    return (_RANKS.get(mark, len(_RANKS)), is_suspected, deadline == 0, deadline, natural(str(name)), row[0])


_LOCK = FIRST_CELL + [column.id for column in COLUMNS].index("lock")
_RANKS: dict[Cell, int] = {RECLAIMED: 0, SAVED: 1}


INSTANCES = Table(COLUMNS, _order)


def instance_key(region: str, instance_id: str) -> str:
    """Return the key of an instance's row: ids are only unique within a region."""
    return f"{region}/{instance_id}"


@dataclass
class InstanceRows:
    """Builds the rows; rebuilds only those whose instance or interruption has changed since the last time."""

    _made: dict[Cell, tuple[Source, Row]] = field(default_factory=dict)
    _seen: tuple[tuple[Instance, ...], dict[str, Interruption], dict[str, str], FleetBackground | None, bool, bool] = (
        (),
        {},
        {},
        None,
        False,
        False,
    )
    _rows: Rows = field(default_factory=dict)
    _by_key: Mapping[Cell, Instance] = field(default_factory=dict)

    @property
    def by_key(self) -> Mapping[Cell, Instance]:
        """The instances of the last rows, by the rows' keys."""
        return self._by_key

    def rows(self, view: DeskView) -> Rows:
        """Return the rows of a view by their key; the same dict as last time when nothing they show has changed."""
        reclaims = {instance_key(reclaim.region, reclaim.instance_id): reclaim for reclaim in open_reclaims(view)}
        seen = (view.instances, reclaims, replacements(view), view.fleet_background, *_several(view))
        if seen != self._seen:
            is_around_new = seen[3:] != self._seen[3:]
            self._seen = seen
            self._rows = self._make(*seen, is_around_new=is_around_new)
        return self._rows

    def _make(
        self,
        instances: tuple[Instance, ...],
        reclaims: dict[str, Interruption],
        replaced: dict[str, str],
        fleet_background: FleetBackground | None,
        several_regions: bool,
        accounts: bool,
        *,
        is_around_new: bool,
    ) -> Rows:
        made: dict[Cell, tuple[Source, Row]] = {}
        # Ten thousand instances stand in few places: what is around them is kept once.
        alike: dict[Around, Around] = {}
        for instance in instances:
            key = instance_key(instance.region, instance.instance_id)
            reclaim = reclaims.get(key)
            earlier = self._made.get(key)
            if earlier and earlier[0][0] is instance and not is_around_new:
                beside = earlier[0][3]
            else:
                beside = around(instance, fleet_background, several=several_regions, accounts=accounts)
                beside = alike.setdefault(beside, beside)
            source = (instance, reclaim, replaced.get(reclaim.id, "") if reclaim else "", beside)
            of_it = earlier if earlier and earlier[0] == source else (source, _row_of(source, earlier))
            # The row's own key, not an equal one: ten thousand are kept once.
            made[of_it[1][0]] = of_it
        self._made = made
        self._by_key = {key: source[0] for key, (source, _) in made.items()}
        return {key: row for key, (_, row) in made.items()}


def _row_of(source: Source, earlier: tuple[Source, Row] | None) -> Row:
    """Return the row; where it shows what it showed, the earlier one itself: the table has that already."""
    row = instance_row(*source)
    return earlier[1] if earlier and earlier[1] == row else row


def hidden_accounts(view: DeskView | None) -> frozenset[str]:
    """Return the column of accounts, which every table hides unless several are shown."""
    return frozenset() if view and len(view.accounts) > 1 and not view.account else frozenset(("account",))


def _several(view: DeskView) -> tuple[bool, bool]:
    """Return whether there are several regions to distinguish, and whether accounts have names."""
    return len(view.region_ids) > 1, bool(view.accounts)


def mark_of(instance: Instance, reclaim: Interruption | None, replaced: Mapping[str, str]) -> str:
    """Return the mark of an instance's row: `!` while it is reclaimed, `✓` once it is saved."""
    taken = reclaim if reclaim and not reclaim.is_manual else None
    return _mark(instance, taken, replaced.get(reclaim.id, "") if reclaim else "")


def warnings_of(instance: Instance, fleet_background: FleetBackground | None) -> tuple[EarlyWarning, ...]:
    """Return the early warnings of an instance: signs that it may be reclaimed soon."""
    key = instance.region, instance.instance_id
    return fleet_background.warnings.get(key, ()) if fleet_background else ()


def around(
    instance: Instance, fleet_background: FleetBackground | None, *, several: bool = False, accounts: bool = False
) -> Around:
    """Return what stands beside an instance; `several` regions are told apart, and `accounts` named."""
    zone = plain(zone_in_short(instance.zone, instance.region, several=several), 64)
    account = plain(shown_account(instance.region), 40) if accounts else ""
    if fleet_background is None:
        return Around(zone, account=account)
    price = price_of(instance, fleet_background)
    if on_demand := on_demand_of(instance, fleet_background):
        return Around(
            zone,
            account=account,
            way_back=_way_back(on_demand, instance, several=several),
            may_go_back=bool(on_demand.way_back),
        )
    return Around(
        zone,
        price=f"{symbol(price.currency)}{hourly(price.spot)}" if price else "",
        share=round(100 * price.spot / price.on_demand) if price and price.on_demand else 0,
        rate=plain(shown_rate(fleet_background.rates.get((instance.instance_type, instance.zone), "")), 16),
        forecast=str(forecast_now(instance, fleet_background) or ""),
        account=account,
        warning="; ".join(map(early_warning, warnings_of(instance, fleet_background))),
    )


def on_demand_of(instance: Instance, fleet_background: FleetBackground | None) -> OnDemand | None:
    """Return what an on-demand replacement of a spot instance is, None for any other instance."""
    return fleet_background.on_demand.get((instance.region, instance.instance_id)) if fleet_background else None


def _way_back(on_demand: OnDemand, instance: Instance, *, several: bool) -> str:
    place = on_demand.way_back
    zone = plain(zone_in_short(place.zone, instance.region, several=several), 64) if place else ""
    return way_back(on_demand, zone, symbol(place.price.currency) if place else "")


def instance_row(
    instance: Instance, reclaim: Interruption | None, replaced_by: str = "", beside: Around | None = None
) -> Row:
    """Return the row of one instance, its interruption, if it has one, what runs in its place, and what is around."""
    beside = beside or around(instance, None)
    taken = reclaim if reclaim and not reclaim.is_manual else None
    owner = owner_of(instance)
    return (
        instance_key(instance.region, instance.instance_id),
        Tone.GOOD if replaced_by else _tone(instance, taken),
        _mark(instance, taken, replaced_by) or _mark_beside(beside),
        2 * epoch(taken.deadline) + taken.is_upper_bound if taken else 0,
        plain(instance.instance_id, 64),
        plain(instance.name),
        plain(instance.instance_type, 64),
        beside.account,
        _region_in_short(instance.region),
        beside.zone,
        "Recycling" if instance.recycling or _has_lock(reclaim) else "-",
        reclaim.marks if reclaim else "",
        plain(replaced_by, 64),
        instance.status.value,
        plain(instance.private_ip, 64),
        instance.vcpus,
        instance.behavior.value,
        epoch(instance.created),
        _tags_in_short(instance.tags),
        beside.price,
        beside.share,
        beside.rate,
        beside.forecast,
        plain(owner.label) if owner else "",
        beside.warning,
        beside.way_back,
        EARLY_WORD if beside.warning else BACK_WORD if beside.may_go_back else "",
    )


@cache
def _region_in_short(region: str) -> str:
    return plain(region_id(region).removeprefix("cn-"), 64)


@lru_cache(4096)
def _tags_in_short(tags: tuple[tuple[str, str], ...]) -> str:
    return plain(" ".join(f"{key}={value}" for key, value in tags))


def _has_lock(reclaim: Interruption | None) -> bool:
    """A sweep that began before the lock shows the instance without it; the lock itself was seen."""
    return reclaim is not None and reclaim.locked and reclaim.unlocked_at is None and reclaim.released_at is None


def _mark_beside(beside: Around) -> str:
    return EARLY if beside.warning else BACK if beside.may_go_back else ""


def _mark(instance: Instance, reclaim: Interruption | None, replaced_by: str) -> str:
    if replaced_by:
        return SAVED
    return RECLAIMED if reclaim or instance.recycling else ""


def _tone(instance: Instance, reclaim: Interruption | None) -> Tone:
    if instance.recycling or (reclaim and reclaim.confirmed):
        return Tone.ALARM
    return Tone.WARN if reclaim else Tone.PLAIN
