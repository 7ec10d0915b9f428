"""What a person is looking at, and the conditions on it under which an action is offered."""

from dataclasses import dataclass

from spottui.domain.recovery import RecoveryState


@dataclass(frozen=True, slots=True)
class Situation:
    """What the person is looking at: everything by which an action is offered or not.

    `own` is the state of the chosen row's recovery as long as that one is open, and `ended` when it is over.
    `waiting` is the state of the recovery that `y` acts on, None when there is none; `window` says that there is one
    in its veto window for `g` and `h`. `waiting_name` and `window_name` name those where they are not the chosen row's
    own. `on_row` says that the cursor is on a row, `on_someone` that the row names an instance, `on_recovery` that
    it has a recovery, open or over.
    `failed` says that there is no desk because it could not be opened, or has stopped.
    `marked` counts the marked rows of the panel, `on_events` says that the panel is the events, `replays` that what is
    seen is the past.
    """

    read_only: bool = False
    open: bool = True
    failed: bool = False
    own: RecoveryState | None = None
    waiting: RecoveryState | None = None
    window: bool = False
    waiting_name: str = ""
    window_name: str = ""
    on_row: bool = False
    on_recovery: bool = False
    on_someone: bool = False
    on_events: bool = False
    ended: RecoveryState | None = None
    marked: int = 0
    replays: bool = False


def always(situation: Situation) -> bool:
    """Whatever is looked at."""
    return True


def never(situation: Situation) -> bool:
    """Not at all."""
    return False


def someone_waits(situation: Situation) -> bool:
    """A recovery waits for a yes, and no row is marked."""
    return situation.waiting is not None and not situation.marked


def one_to_veto(situation: Situation) -> bool:
    """The chosen row's recovery waits for a word, or it has none and one is in its veto window."""
    waits = situation.window if situation.own is None else situation.own.waits_for_permission
    return waits and not situation.marked


def own_runs(situation: Situation) -> bool:
    """The chosen row's recovery was allowed and runs."""
    return situation.own is not None and not situation.own.waits_for_permission and not situation.marked


def veto_window(situation: Situation) -> bool:
    """The chosen row's recovery is in its veto window, or the only one that has any."""
    return situation.window


def nobody(situation: Situation) -> str:
    """Name nobody: the chosen row is meant."""
    return ""


def waiting_name(situation: Situation) -> str:
    """Name the recovery that a yes is for where it is not the chosen row's own."""
    return situation.waiting_name


def window_name(situation: Situation) -> str:
    """Name the recovery in its veto window where it is not the chosen row's own."""
    return situation.window_name


def veto_name(situation: Situation) -> str:
    """Name the recovery that a veto is for where it is not the chosen row's own."""
    return "" if situation.own else situation.window_name


def may_recover(situation: Situation) -> bool:
    """The chosen row has no recovery that is open or has succeeded."""
    return situation.own is None and situation.ended is not RecoveryState.RECOVERED


def on_row(situation: Situation) -> bool:
    """The cursor is on a row."""
    return situation.on_row


def on_row_of_now(situation: Situation) -> bool:
    """The cursor is on a row, and what it shows is not the past."""
    return situation.on_row and not situation.replays


def on_recovery(situation: Situation) -> bool:
    """The chosen row has a recovery, open or over."""
    return situation.on_recovery


def came_to_nothing(situation: Situation) -> bool:
    """The chosen row's recovery ended without a replacement, and not by a no."""
    return situation.ended is not None and situation.ended.came_to_nothing


def on_events(situation: Situation) -> bool:
    """The panel is the events."""
    return situation.on_events


def some_marked(situation: Situation) -> bool:
    """Some rows of the panel are marked."""
    return situation.marked > 0


def not_starting(situation: Situation) -> bool:
    """There is a desk to ask, or none that comes by itself."""
    return situation.open or situation.failed


def on_someone(situation: Situation) -> bool:
    """The chosen row names an instance."""
    return situation.on_someone


def replays(situation: Situation) -> bool:
    """What is seen is the past."""
    return situation.replays
