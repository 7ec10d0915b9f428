"""The selected row, and the recovery that a key would act on."""

from collections.abc import Mapping

import msgspec

from spottui.domain.facts import Logged
from spottui.domain.instance import Instance
from spottui.domain.interruption import Interruption
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.view import DeskView, open_reclaims
from spottui.tables.column import Cell, Row


class Selection(msgspec.Struct, frozen=True):
    """A row and what belongs to it.

    `recovery` is the row's own. `waiting` is the one that a confirmation is for: the row's own if it waits for
    permission, else the most urgent one; its plan is shown first, with its name. `in_window` is the one that a key of
    the veto window is for: the row's own if it is in its window, else the only one that is.
    """

    row: Row | None = None
    instance: Instance | None = None
    event: Logged | None = None
    recovery: Recovery | None = None
    waiting: Recovery | None = None
    in_window: Recovery | None = None

    @property
    def own(self) -> Recovery | None:
        """The row's recovery while it is open."""
        return self.recovery if self.recovery and not self.recovery.state.is_final else None

    @property
    def resource_id(self) -> str:
        """The id of the row's instance, empty if it has none."""
        holder = self.instance or self.recovery or self.event
        return holder.instance_id if holder else ""

    @property
    def name(self) -> str:
        """The name of the row's instance, else its id."""
        holder = self.instance or self.recovery
        return (holder.name if holder else "") or self.resource_id

    @property
    def region(self) -> str:
        """The region of the row, empty if there is no row."""
        holder = self.instance or self.recovery or self.event
        return holder.region if holder else ""

    @classmethod
    def of(
        cls,
        view: DeskView | None,
        panel: str,
        row: Row | None,
        instances: Mapping[Cell, Instance],
        events: Mapping[Cell, Logged],
    ) -> "Selection":
        """Return the selection of a row of one of the panels `instances`, `events` and `recoveries`."""
        if view is None:
            return cls()
        instance = event = recovery = None
        if row is not None and panel == "instances":
            instance = instances.get(row[0])
            recovery = recovery_of(view, instance.region, instance.instance_id) if instance else None
        elif row is not None and panel == "events":
            event = events.get(row[0])
            recovery = by_id(view, event.recovery_id) if event and event.recovery_id else None
        elif row is not None:
            recovery = by_id(view, str(row[0]))
        waits = recovery is not None and recovery.state.waits_for_permission
        in_window = recovery is not None and recovery.state is RecoveryState.VETO_WINDOW
        return cls(
            row,
            instance,
            event,
            recovery,
            recovery if waits else most_urgent(view),
            recovery if in_window else only_in_window(view),
        )


def about(view: DeskView, region: str, instance_id: str, recovery: Recovery | None) -> Selection:
    """Return the selection of one instance and its recovery alone: no key is for any other."""
    here = (region, instance_id)
    instance = next((each for each in view.instances if (each.region, each.instance_id) == here), None)
    waits = recovery is not None and recovery.state.waits_for_permission
    in_window = recovery is not None and recovery.state is RecoveryState.VETO_WINDOW
    return Selection(None, instance, None, recovery, recovery if waits else None, recovery if in_window else None)


def recovery_of(view: DeskView, region: str, instance_id: str) -> Recovery | None:
    """Return an instance's open recovery, else its newest."""
    recoveries = [r for r in view.recoveries if (r.region, r.instance_id) == (region, instance_id)]
    return max(recoveries, key=lambda recovery: (not recovery.state.is_final, recovery.started), default=None)


def most_urgent(view: DeskView) -> Recovery | None:
    """Return the recovery that waits for a person and has the least time; one in a veto window comes after those."""
    waiting = [recovery for recovery in view.recoveries if recovery.state.waits_for_permission]
    rank = (RecoveryState.NEEDS_YOU, RecoveryState.VETO_WINDOW, RecoveryState.SUSPECTED)
    return min(waiting, key=lambda recovery: (rank.index(recovery.state), recovery.deadline), default=None)


def only_in_window(view: DeskView) -> Recovery | None:
    """Return the recovery in its veto window where there is exactly one."""
    in_window = [recovery for recovery in view.recoveries if recovery.state is RecoveryState.VETO_WINDOW]
    return in_window[0] if len(in_window) == 1 else None


def interruption_of(view: DeskView, region: str, instance_id: str) -> Interruption | None:
    """Return an instance's interruption while it is open."""
    reclaims = (i for i in open_reclaims(view) if (i.region, i.instance_id) == (region, instance_id))
    return next(reclaims, None)


def by_id(view: DeskView, recovery_id: str) -> Recovery | None:
    """Return a recovery by its id."""
    return next((recovery for recovery in view.recoveries if recovery.recovery_id == recovery_id), None)
