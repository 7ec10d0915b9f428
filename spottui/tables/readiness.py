"""The rows of the readiness board: how each instance would come back if it was reclaimed now, the worst first."""

from collections.abc import Sequence

from spottui.domain.forecast import Verdict
from spottui.domain.readiness import FleetReadiness, Missing, Readiness
from spottui.domain.region_key import region_id, shown_account
from spottui.domain.text import plain
from spottui.tables.column import FIRST_CELL, Cell, Column, Row, Rows, Table, Tone, as_text, natural
from spottui.tables.instances import instance_key, short_id
from spottui.tables.moments import age, epoch, iso_time
from spottui.words.reasons import missing

_WORST_FIRST = (
    Verdict.WILL_NOT,
    Verdict.NO_ROOM,
    Verdict.NOT_KNOWN,
    Verdict.DATA_KEPT,
    Verdict.TIGHT,
    Verdict.WILL_MAKE_IT,
    Verdict.IMAGE_READY,
)
_TONES = {
    Verdict.WILL_NOT: Tone.ALARM,
    Verdict.NO_ROOM: Tone.ALARM,
    Verdict.NOT_KNOWN: Tone.WARN,
    Verdict.DATA_KEPT: Tone.WARN,
    Verdict.TIGHT: Tone.WARN,
    Verdict.WILL_MAKE_IT: Tone.GOOD,
    Verdict.IMAGE_READY: Tone.GOOD,
}
_LACKS_NOTHING = "nothing"


def _age(cell: Cell, now_s: float) -> str:
    return age(_age_s(cell, now_s))


def _age_s(cell: Cell, now_s: float) -> float | None:
    return max(now_s - cell, 0.0) if isinstance(cell, int) and cell else None


def _in_full(cell: Cell, now_s: float) -> str:
    return str(cell) if cell == _LACKS_NOTHING else "; ".join(missing(Missing(name)) for name in str(cell).split("; "))


def _money(cell: Cell, now_s: float) -> str:
    return f"{cell / 100:.2f}" if isinstance(cell, int) and cell >= 0 else "-"


def _amount(cell: Cell, now_s: float) -> float | None:
    return cell / 100 if isinstance(cell, int) and cell >= 0 else None


COLUMNS = (
    Column("verdict", "If reclaimed", 12, pinned=True, tone=lambda cell: _TONES.get(Verdict(str(cell)), Tone.PLAIN)),
    Column("name", "Name", 8, flexible=True, pinned=True),
    Column("instance", "Instance", 11, render=short_id, whole=as_text, full=22, drop=1),
    Column("account", "Account", 8, drop=3),
    Column("region", "Region", 11, drop=3),
    Column("type", "Type", 14, drop=2),
    Column("route", "Route", 10),
    Column("system", "System", 7, live=True, render=_age, whole=iso_time, amount=_age_s),
    Column("data", "Data", 7, live=True, render=_age, whole=iso_time, amount=_age_s),
    Column("cost", "Per month", 9, align_right=True, drop=4, render=_money, amount=_amount),
    Column("lacks", "What it lacks", 28, whole=_in_full, full=72),
)
"""`system` and `data` are the times of the newest image of the system disk and of the newest snapshots of the data
disks, 0 for none; `cost` is in hundredths, negative where it is unknown."""

_NAME = FIRST_CELL + [column.id for column in COLUMNS].index("name")


def _order(row: Row) -> tuple[Cell, ...]:
    rank, count = row[-2:]
    return (rank, count, natural(str(row[_NAME])), row[0])


READINESS = Table(COLUMNS, _order)


def readiness_rows(fleet: FleetReadiness, *, accounts: bool = False) -> Rows:
    """Return a row for each instance by its key, as in the table of the instances; `accounts` are named or not."""
    rows = (
        _row(readiness, shown_account(readiness.spec.instance.region) if accounts else "")
        for readiness in fleet.instances
    )
    return {str(row[0]): row for row in rows}


def readiness_title(shown: Sequence[Readiness], total: int) -> str:
    """Return how many of the instances are shown, with each verdict, the worst first, and what they cost a month."""
    verdicts = [each.verdict for each in shown]
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in _WORST_FIRST if verdict in verdicts]
    costs = [each.per_month for each in shown if each.per_month is not None]
    per_month = [f"at most {sum(costs):,.2f} a month"] if costs else []
    of_all = f"{len(shown):,} of {total:,} spot" if len(shown) < total else f"{total:,} spot"
    return " · ".join((of_all, *counts, *per_month))


def _row(readiness: Readiness, account: str) -> Row:
    instance, image = readiness.spec.instance, readiness.system_image
    return (
        instance_key(instance.region, instance.instance_id),
        Tone.PLAIN,
        str(readiness.verdict),
        plain(instance.name),
        plain(instance.instance_id, 64),
        plain(account, 40),
        plain(region_id(instance.region).removeprefix("cn-"), 64),
        plain(instance.instance_type, 64),
        str(readiness.route),
        epoch(image.made if image else None),
        epoch(readiness.data_made),
        -1 if readiness.per_month is None else round(100 * readiness.per_month),
        "; ".join(readiness.missing) or _LACKS_NOTHING,
        # A filter finds the words on the screen, in short and in full.
        "; ".join(map(missing, readiness.missing)),
        _WORST_FIRST.index(readiness.verdict),
        -len(readiness.missing),
    )
