"""What the person is pointing at: the row under the cursor and the recovery that a key would act on."""

from collections.abc import Mapping
from dataclasses import dataclass

from spottui.domain.facts import Logged
from spottui.domain.instance import Instance
from spottui.domain.interruption import Interruption
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.view import DeskView
from spottui.tables.column import Cell, Row
from spottui.tables.instances import open_reclaims


@dataclass(frozen=True, slots=True)
class Choice:
    """A row and what belongs to it.

    `recovery` is the row's own, `own` the same as long as it is open: what a veto, a hold or a cancel is for. `waiting`
    is what a yes is for: the row's own when that one waits, else the most urgent one; its plan names it, and asks.
    `window` is the one whose veto window a key is for: the row's own, else the only one that has any.
    """

    row: Row | None = None
    instance: Instance | None = None
    event: Logged | None = None
    recovery: Recovery | None = None
    waiting: Recovery | None = None
    window: Recovery | None = None

    @property
    def own(self) -> Recovery | None:
        """The chosen row's recovery when it is open."""
        return self.recovery if self.recovery and not self.recovery.state.is_final else None

    @property
    def to_veto(self) -> Recovery | None:
        """What a veto is for: the row's own when that one waits; where it has none open, the one in its veto window."""
        return self.window if self.own is None else self.own if self.own.state.waits_for_permission else None

    def elsewhere(self, meant: Recovery | None) -> str:
        """Return the name of a recovery that a key is for where it is not the chosen row's own, else an empty text."""
        is_own = meant is None or (self.own is not None and self.own.recovery_id == meant.recovery_id)
        return "" if meant is None or is_own else meant.name or meant.instance_id

    @property
    def resource_id(self) -> str:
        """The id of the instance that the row is about; empty when it is about none."""
        about = self.instance or self.recovery or self.event
        return about.instance_id if about else ""

    @property
    def name(self) -> str:
        """The name of the instance that the row is about, else its id."""
        named = self.instance or self.recovery
        return (named.name if named else "") or self.resource_id

    @property
    def region(self) -> str:
        """The region of the row; empty when there is none."""
        about = self.instance or self.recovery or self.event
        return about.region if about else ""

    @classmethod
    def of(
        cls,
        view: DeskView | None,
        panel: str,
        row: Row | None,
        instances: Mapping[Cell, Instance],
        events: Mapping[Cell, Logged],
    ) -> "Choice":
        """Return what a row of one of the panels `instances`, `events` and `recoveries` stands for."""
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
        window = recovery if in_window else only_window(view)
        return cls(row, instance, event, recovery, recovery if waits else most_urgent(view), window)


def recovery_of(view: DeskView, region: str, instance_id: str) -> Recovery | None:
    """Return an instance's open recovery, else its newest."""
    own = [one for one in view.recoveries if (one.region, one.instance_id) == (region, instance_id)]
    return max(own, key=lambda recovery: (not recovery.state.is_final, recovery.started), default=None)


def most_urgent(view: DeskView) -> Recovery | None:
    """Return the recovery that waits for a person and has the least time; one in a veto window comes after those."""
    waiting = [recovery for recovery in view.recoveries if recovery.state.waits_for_permission]
    rank = (RecoveryState.NEEDS_YOU, RecoveryState.VETO_WINDOW, RecoveryState.SUSPECTED)
    return min(waiting, key=lambda recovery: (rank.index(recovery.state), recovery.deadline), default=None)


def only_window(view: DeskView) -> Recovery | None:
    """Return the recovery in its veto window where there is exactly one."""
    found = [recovery for recovery in view.recoveries if recovery.state is RecoveryState.VETO_WINDOW]
    return found[0] if len(found) == 1 else None


def interruption_of(view: DeskView, region: str, instance_id: str) -> Interruption | None:
    """Return an instance's interruption as long as it goes on."""
    own = (one for one in open_reclaims(view) if (one.region, one.instance_id) == (region, instance_id))
    return next(own, None)


def by_id(view: DeskView, recovery_id: str) -> Recovery | None:
    """Return a recovery by its id."""
    return next((recovery for recovery in view.recoveries if recovery.recovery_id == recovery_id), None)
