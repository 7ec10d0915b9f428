"""The rows of the recoveries panel: what failed with time left, then by deadline, suspected ones, then what ended."""

from datetime import datetime

from msgspec import structs

from spottui import words
from spottui.domain.forecast import Verdict
from spottui.domain.plan import Plan
from spottui.domain.reasons import Doing, NextStep
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.region_key import shown_account, zone_in_short
from spottui.domain.routes import Route
from spottui.domain.text import plain
from spottui.domain.verdicts import image_expected, verdict_of
from spottui.domain.view import DeskView
from spottui.tables.column import FIRST_CELL, Cell, Column, Row, Rows, Table, Tone
from spottui.tables.failures import code, remedy
from spottui.tables.moments import bar, countdown, duration, epoch, iso_time, number, seconds_left
from spottui.tables.outcomes import outcome_line
from spottui.tables.prices import price

FAILED, NEEDS_YOU = "FAILED", "NEEDS YOU"
"""How rows, titles and the alarm spell the states that need a person."""

_NO_SHARE = -1
_SINCE = " @"
_LONG_S = 600

_VERDICT_TONES = {
    Verdict.WILL_MAKE_IT: Tone.GOOD,
    Verdict.IMAGE_READY: Tone.GOOD,
    Verdict.TIGHT: Tone.WARN,
    Verdict.DATA_KEPT: Tone.WARN,
    Verdict.NOT_KNOWN: Tone.WARN,
    Verdict.WILL_NOT: Tone.ALARM,
    Verdict.NO_ROOM: Tone.ALARM,
}
_TROUBLE = (Verdict.WILL_NOT, Verdict.NO_ROOM, Verdict.TIGHT, Verdict.NOT_KNOWN)
_NEEDS_YOU, _GOES_ON, _IN_LINE = range(len(_TROUBLE), len(_TROUBLE) + 3)

_STATE_TONES = {
    RecoveryState.SUSPECTED: Tone.WARN,
    RecoveryState.NEEDS_YOU: Tone.WARN,
    RecoveryState.VETO_WINDOW: Tone.WARN,
    RecoveryState.FAILED: Tone.ALARM,
    RecoveryState.RECOVERED: Tone.GOOD,
}


def _ready(cell: Cell, now_s: float) -> str:
    if not isinstance(cell, int) or not cell:
        return ""
    if cell < 0:
        return f"y+{duration(-cell).removeprefix('0')}" if -cell < _LONG_S else f"y+{-cell // 60}m"
    return "now" if cell <= now_s else countdown(cell, now_s)


def _ready_in(cell: Cell, now_s: float) -> float | None:
    return float(-cell) if isinstance(cell, int) and cell < 0 else seconds_left(cell, now_s)


def _share(cell: Cell, now_s: float) -> str:
    return f"{cell} %" if isinstance(cell, int) and cell >= 0 else ""


def _state_text(cell: Cell, now_s: float) -> str:
    """Return a state with the rest of its veto window, or the time since its progress was last seen."""
    state, _, at = str(cell).rpartition(_SINCE)
    if not state:
        return str(cell)
    left_s = int(at) - int(now_s)
    if state == RecoveryState.VETO_WINDOW:
        return f"veto {left_s}s" if left_s > 0 else "goes now"
    return f"{state} {_age(-left_s)} old"


def _age(seconds: int) -> str:
    return f"{max(seconds, 0)}s" if seconds < 100 else f"{seconds // 60}m"


def _verdict_tone(cell: Cell) -> Tone:
    return _VERDICT_TONES[Verdict(str(cell))] if cell else Tone.PLAIN


COLUMNS = (
    Column("deadline", "Left", 6, live=True, render=countdown, whole=iso_time, amount=seconds_left, pinned=True),
    Column("name", "Name", 11, pinned=True),
    Column("account", "Account", 8, drop=4),
    Column("state", "State", 11, live=True, render=_state_text),
    Column("image", "Image", 8, drop=3, render=bar, whole=_share, amount=number),
    Column("ready", "Ready", 6, drop=2, live=True, render=_ready, amount=_ready_in),
    Column("verdict", "Verdict", 12, drop=1, tone=_verdict_tone),
    Column("next", "Next", 20, flexible=True, spills=True),
)
"""State holds an epoch second in a veto window, its end, and while progress is not seen, since when. Ready is the epoch
second at which the image is expected; a negative value is the seconds that an image takes after a yes."""


def _order(row: Row) -> tuple[Cell, ...]:
    is_suspected, rank, ended = row[-3], row[-2], row[-1]
    if ended:
        return (-int(ended), row[0])
    return (-_FAR, row[_STATE] != FAILED, is_suspected, row[FIRST_CELL] or _FAR, rank, row[0])


_FAR = 1 << 62
_STATE = FIRST_CELL + [column.id for column in COLUMNS].index("state")

RECOVERIES = Table(COLUMNS, _order)


def recovery_rows(view: DeskView) -> Rows:
    """Return the rows of a view by the recovery's id."""
    plans, several, accounts = view.plans, len(view.region_ids) > 1, bool(view.accounts)
    return {
        each.recovery_id: recovery_row(each, view.at, plans.get(each.recovery_id), several=several, accounts=accounts)
        for each in view.recoveries
    }


def is_urgent(row: Row) -> bool:
    """Whether a row shows a recovery that is open or has failed."""
    return not row[-1] or row[1] == Tone.ALARM


def recovery_row(
    recovery: Recovery,
    now: datetime,
    plan: Plan | None = None,
    *,
    several: bool = False,
    accounts: bool = False,
) -> Row:
    """Return the row of one recovery as it is now; its `plan`, if known, gives prices.

    With `several` regions its zones are named with their region; its account is named where `accounts` have names.

    Its last cells, which no column shows, say whether it is only suspected, its rank by trouble and when it ended, 0
    where it can be tried again in time. A recovery that an engineer requested has no meaningful deadline, and so no
    verdict.
    """
    is_manual = recovery.interruption.is_manual
    has_none = is_manual or (recovery.state.is_final and not _can_be_tried_again(recovery, now))
    verdict = "" if has_none or recovery.state.is_final else str(verdict_of(recovery, now) or "")
    return (
        recovery.recovery_id,
        _tone(recovery, verdict),
        0 if has_none else epoch(recovery.deadline),
        plain(recovery.name or recovery.instance_id),
        plain(shown_account(recovery.region), 40) if accounts else "",
        _state(recovery),
        recovery.progress if recovery.is_imaging else _NO_SHARE,
        _ready_of(recovery, now),
        verdict,
        plain(_next(recovery, plan, several=several)),
        int(not recovery.interruption.confirmed),
        _rank(recovery, verdict),
        _ended(recovery) if has_none else 0,
    )


def _can_be_tried_again(recovery: Recovery, now: datetime) -> bool:
    """A failure with time left is the most urgent of all: it keeps its place and its countdown."""
    return recovery.state is RecoveryState.FAILED and now < recovery.deadline


def _tone(recovery: Recovery, verdict: str) -> Tone:
    """Return the tone of the row: a recovery that will not make it stands out as a whole."""
    if recovery.state.is_final:
        return _STATE_TONES.get(recovery.state, Tone.QUIET)
    if verdict == Verdict.WILL_NOT:
        return Tone.ALARM
    if verdict in (Verdict.TIGHT, Verdict.NO_ROOM):
        return Tone.WARN
    return Tone.PLAIN if recovery.is_queued else _STATE_TONES.get(recovery.state, Tone.PLAIN)


def _rank(recovery: Recovery, verdict: str) -> int:
    """Return the rank among recoveries with the same deadline: the worst first, those queued by auto-mode last."""
    if verdict in _TROUBLE:
        return _TROUBLE.index(Verdict(verdict))
    if recovery.is_queued:
        return _IN_LINE + (recovery.queued or 0)
    return _NEEDS_YOU if recovery.state is RecoveryState.NEEDS_YOU else _GOES_ON


def _state(recovery: Recovery) -> str:
    if recovery.state is RecoveryState.IMAGING:
        return _imaging(recovery)
    if recovery.state is RecoveryState.VETO_WINDOW:
        return f"{recovery.state}{_SINCE}{epoch(recovery.veto_until)}"
    if recovery.state is RecoveryState.NEEDS_YOU:
        return "queued" if recovery.is_queued else NEEDS_YOU
    return FAILED if recovery.state is RecoveryState.FAILED else str(recovery.state)


def _imaging(recovery: Recovery) -> str:
    if recovery.awaits_release:
        return "waits"
    if recovery.progress < 0:
        return str(recovery.state)
    if recovery.unseen_since:
        return f"{recovery.progress}%{_SINCE}{epoch(recovery.unseen_since)}"
    return f"{recovery.state} {recovery.progress}%"


def _ready_of(recovery: Recovery, now: datetime) -> int:
    """Return when the image is ready; 0 while no image runs, or while its progress is unknown."""
    if recovery.state.waits_for_permission and recovery.state is not RecoveryState.VETO_WINDOW:
        return -round(recovery.image_s) if recovery.image_s and recovery.route.traits.needs_image_in_time else 0
    if recovery.unseen_since or not (recovery.is_imaging or recovery.state is RecoveryState.VETO_WINDOW):
        return 0
    return epoch(image_expected(recovery, now))


def _next(recovery: Recovery, plan: Plan | None, *, several: bool) -> str:
    trouble = words.trouble(recovery)
    if recovery.state is RecoveryState.RECOVERED:
        return outcome_line(recovery, plan)
    if recovery.state is RecoveryState.FAILED:
        said = code(recovery)
        return _joined(
            said, remedy(recovery), _reason(recovery).replace(f"{said}: ", "", 1) if said else _reason(recovery)
        )
    if recovery.state.is_final:
        return _reason(recovery)
    if recovery.cancel:
        return "cancelled at the next safe point"
    if recovery.state is RecoveryState.SUSPECTED:
        return _reason(recovery) or words.next_step(recovery.next_step)
    if recovery.state is RecoveryState.NEEDS_YOU:
        against = (words.in_line if recovery.is_queued else words.against)(recovery.reason, recovery.region)
        return _joined(_turn(recovery), _place(recovery, plan, several), _room(recovery), trouble, against)
    if recovery.state is RecoveryState.VETO_WINDOW:
        return _joined(_place(recovery, plan, several), _room(recovery))
    if recovery.state is RecoveryState.LAUNCHING:
        return _joined(_in_short(recovery, several), trouble)
    return _joined(trouble, _in_short(recovery, several), _room(recovery))


def _reason(recovery: Recovery) -> str:
    return words.reason(recovery.reason, recovery.region)


def _joined(*texts: str) -> str:
    return " · ".join(text for text in texts if text)


def _room(recovery: Recovery) -> str:
    return "no capacity anywhere" if recovery.no_room else ""


def _turn(recovery: Recovery) -> str:
    if not recovery.is_queued:
        return ""
    return f"{recovery.queued} ahead of it" if recovery.queued else "next in line"


def _place(recovery: Recovery, plan: Plan | None, several: bool) -> str:
    """Return what a yes does; where the replacement comes, if it comes at once: `→ zone h, else i · c7.large ¥0.407/h`.

    A route other than the usual one is named: `→ instant: zone h`.
    """
    step = _shortened(recovery, several)
    route = step.route if step and step.doing is Doing.PLANNED else None
    if step is None or route is None or route.traits.waits_for_release:
        text = words.next_step(step)
        return f"→ {text}" if text else ""
    zones = ", else ".join(zone for zone in (step.zone, step.then_zone) if zone)
    on_demand = "on-demand" if step.on_demand else ""
    kind = " ".join(part for part in (step.instance_type, on_demand, _price(recovery.next_step, plan)) if part)
    named = "" if route is Route.IMAGE else f" {route}:"
    return " · ".join(part for part in (f"→{named} zone {zones}" if zones else f"→{named}", kind) if part)


def _price(step: NextStep | None, plan: Plan | None) -> str:
    """Return what the place of the next step costs an hour, empty if unknown."""
    if step is None or plan is None:
        return ""
    here = (step.instance_type, step.zone, step.on_demand)
    per_hour = next((candidate.price_per_hour for candidate in plan.candidates if candidate.place == here), None)
    return price(per_hour, plan.currency)


def _in_short(recovery: Recovery, several: bool) -> str:
    return words.next_step(_shortened(recovery, several))


def _shortened(recovery: Recovery, several: bool) -> NextStep | None:
    """Return the next step with its zones in short."""
    step, region = recovery.next_step, recovery.region
    if step is None:
        return None
    return structs.replace(
        step,
        instance_type=step.instance_type.removeprefix("ecs."),
        zone=zone_in_short(step.zone, region, several=several),
        then_zone=zone_in_short(step.then_zone, region, several=several),
    )


def _ended(recovery: Recovery) -> int:
    return max(epoch(recovery.ended), 1) if recovery.state.is_final else 0
