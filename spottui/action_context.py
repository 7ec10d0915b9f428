"""What decides whether an action of the registry is offered."""

import msgspec

from spottui.domain.recovery import RecoveryState


class ActionContext(msgspec.Struct, frozen=True):
    """Everything that decides whether an action is offered.

    `desk_open` says that commands can be given, `failed` that the desk could not be opened or has stopped.
    `own` is the state of the selected row's recovery while that is open, `ended` its state once it is over. `waiting`
    is the state of the recovery that a confirmation is for, None if there is none; `in_window` says that there is one
    in its veto window for `g` and `h`. `waiting_name` and `window_name` name those two if they are not the selected
    row's own. `on_row` says that a row is selected, `on_instance` that it names an instance, `on_demand` that this one
    is no spot instance, `on_recovery` that it has a recovery, open or over, `on_events` that its panel is the events.
    `marked` counts the marked rows of the panel.
    """

    read_only: bool = False
    desk_open: bool = True
    failed: bool = False
    own: RecoveryState | None = None
    ended: RecoveryState | None = None
    waiting: RecoveryState | None = None
    in_window: bool = False
    waiting_name: str = ""
    window_name: str = ""
    on_row: bool = False
    on_instance: bool = False
    on_demand: bool = False
    on_recovery: bool = False
    on_events: bool = False
    marked: int = 0
    is_replay: bool = False

    def can_confirm(self) -> bool:
        """A recovery waits for permission, and no row is marked."""
        return self.waiting is not None and not self.marked

    def can_veto(self) -> bool:
        """The selected row's recovery waits for permission, or it has none open and one is in its veto window."""
        waits = self.in_window if self.own is None else self.own.waits_for_permission
        return waits and not self.marked

    def can_cancel(self) -> bool:
        """The selected row's recovery was allowed and runs."""
        return self.own is not None and not self.own.waits_for_permission and not self.marked

    def can_recover(self) -> bool:
        """The selected row has no recovery that is open or has succeeded."""
        return self.own is None and self.ended is not RecoveryState.RECOVERED

    def can_retry(self) -> bool:
        """The selected row's recovery ended without a replacement, and not by a veto."""
        return self.ended is not None and self.ended.came_to_nothing

    def can_mark(self) -> bool:
        """A row is selected, and not in a replay."""
        return self.on_row and not self.is_replay

    def can_ask_sources(self) -> bool:
        """The desk is open, or it failed and can be opened again."""
        return self.desk_open or self.failed
