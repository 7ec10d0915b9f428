"""What decides whether an action of the registry is offered."""

import msgspec

from spottui.domain.recovery import Recovery, RecoveryState


class ActionContext(msgspec.Struct, frozen=True):
    """Everything that decides whether an action is offered, and for which recovery.

    `desk_open` says that commands can be given, `failed` that the desk could not be opened or has stopped.
    `recovery` is the selected row's, open or over. `waiting` is the one that a confirmation is for, `in_window` the one
    in its veto window for `g` and `h`: the row's own where that is one, else another. `on_row` says that a row is
    selected, `on_instance` that it names an instance, `on_demand` that this one is no spot instance, `on_events` that
    its panel is the events. `marked` counts the marked rows of the panel, `marked_waiting` those of them that wait.
    """

    read_only: bool = False
    desk_open: bool = True
    failed: bool = False
    recovery: Recovery | None = None
    waiting: Recovery | None = None
    in_window: Recovery | None = None
    on_row: bool = False
    on_instance: bool = False
    on_demand: bool = False
    on_events: bool = False
    marked: int = 0
    marked_waiting: int = 0
    is_replay: bool = False

    @property
    def own(self) -> Recovery | None:
        """The selected row's recovery while it is open."""
        return self.recovery if self.recovery and not self.recovery.state.is_final else None

    @property
    def to_confirm(self) -> Recovery | None:
        """The recovery that waits for permission, unless rows are marked."""
        return None if self.marked else self.waiting

    @property
    def to_veto(self) -> Recovery | None:
        """The row's own while it waits for permission; if none is open, the one in its veto window."""
        if self.marked or (self.own and not self.own.state.waits_for_permission):
            return None
        return self.own or self.in_window

    @property
    def to_cancel(self) -> Recovery | None:
        """The row's own if it was allowed and runs, unless rows are marked."""
        return None if self.marked or not self.own or self.own.state.waits_for_permission else self.own

    @property
    def to_retry(self) -> Recovery | None:
        """The row's if it ended without a replacement, and not by a veto."""
        return self.recovery if self.recovery and self.recovery.state.came_to_nothing else None

    def can_recover(self) -> bool:
        """The selected row has no recovery that is open or has succeeded."""
        return self.own is None and (self.recovery is None or self.recovery.state is not RecoveryState.RECOVERED)

    def can_decide_marked(self) -> bool:
        """A marked row waits for permission."""
        return self.marked_waiting > 0

    def can_mark(self) -> bool:
        """A row is selected, and not in a replay."""
        return self.on_row and not self.is_replay

    def can_ask_sources(self) -> bool:
        """The desk is open, or it failed and can be opened again."""
        return self.desk_open or self.failed
