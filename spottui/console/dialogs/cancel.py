"""The question before a recovery is cancelled: what becomes of the instance, what is kept, and what that costs."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from textual import on
from textual.content import Content

from spottui.console.dialogs.dialog import Question
from spottui.console.messages import Answered
from spottui.console.selection import by_id, interruption_of
from spottui.console.session import Session
from spottui.domain.billed_resources import BilledResource
from spottui.domain.instance import InterruptionBehavior
from spottui.domain.outcome import kept_by
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.domain.view import DeskView
from spottui.tables.moments import monthly, when


class CancelDialog(Question):
    """Follows the recovery while open; plan and storage prices, which give sizes and costs, are read once."""

    def __init__(self, session: Session, recovery: Recovery) -> None:
        name = plain(recovery.name or recovery.instance_id, 60)
        super().__init__(f"Cancel the recovery of {name}?", Content(""), "Cancel it", "Let it run")
        self._session, self._recovery, self._instance_name = session, recovery, name
        self._plan: Plan | None = None
        self._prices: Mapping[str, float] = {}

    def on_mount(self) -> None:
        """Ask for the plan and the prices of storage."""
        recovery_id = self._recovery.recovery_id
        self._session.worker.ask(lambda desk: (desk.plan(recovery_id), desk.storage_price), self)

    def body(self) -> Content:
        """Return what cancelling does, as it is now."""
        view, now, recovery = self._session.view, self._session.clock.now(), self._newest()
        if too_late := _too_late(recovery):
            return Content(too_late)
        lines = [Content(f"State: {recovery.state}. It ends at the next safe point, after any call in progress.\n")]
        if view:
            lines += [
                Content.styled(f"{self._instance_name} {_fate(view, recovery, now)}", "bold $warning"),
                Content(""),
            ]
        return Content("\n").join([*lines, *self._kept(recovery)])

    def tick(self) -> None:
        """Update the deadline, and what was created meanwhile; there may be nothing left to cancel."""
        self.redraw()
        self.query_one("#do").display = not _too_late(self._newest())

    def accept(self) -> bool | None:
        """Return yes while there is something to cancel."""
        return None if _too_late(self._newest()) else True

    def _newest(self) -> Recovery:
        view = self._session.view
        return (by_id(view, self._recovery.recovery_id) if view else None) or self._recovery

    def _kept(self, recovery: Recovery) -> Iterator[Content]:
        resources = tuple(kept_by(recovery, self._plan))
        if not resources:
            yield Content("Nothing is retained: no image, snapshot or disk was kept so far.")
            return
        yield Content.styled("Retained, and billed until deleted (spottui janitor):", "bold")
        for resource in resources:
            size = f"{resource.gib} GiB, " if resource.gib else ""
            yield Content(f"  {resource.kind} {plain(resource.resource_id)}  {size}{self._cost(resource)}")
        if any(resource.per_month(self._prices) is None for resource in resources):
            yield Content.styled("  set prices in [storage_price] of the configuration", "dim")

    def _cost(self, resource: BilledResource) -> str:
        per_month = resource.per_month(self._prices)
        return "price unknown" if per_month is None else f"at most {monthly(per_month)} a month"

    @on(Answered)
    def _show(self, message: Answered) -> None:
        if isinstance(message.answer, tuple):
            self._plan, self._prices = message.answer
            self.redraw()


def _too_late(recovery: Recovery) -> str:
    """Return why nothing can be cancelled any more, an empty text while it can."""
    if recovery.state.is_final:
        return f"It has ended meanwhile: {recovery.state}. There is nothing to cancel."
    if recovery.new_instance_id:
        launched = plain(recovery.new_instance_id)
        return f"{launched} has been launched: it is too late to cancel. Stop or release it if you do not want it."
    return ""


def _fate(view: DeskView, recovery: Recovery, now: datetime) -> str:
    """Return what becomes of the instance without its recovery."""
    if recovery.interruption.is_manual:
        return "keeps running: no reclaim of it is known."
    if now >= recovery.deadline:
        return f"was reclaimed {when(recovery.deadline, now)}, and nothing will replace it."
    here = (recovery.region, recovery.instance_id)
    behavior = next(
        (instance.behavior for instance in view.instances if (instance.region, instance.instance_id) == here), None
    )
    if behavior is InterruptionBehavior.STOP:
        return f"is stopped {when(recovery.deadline, now)}, not released; nothing will start it again."
    seen = interruption_of(view, *here)
    if seen and not seen.confirmed:
        return f"has no lock: unless this is a drill, it is lost {when(recovery.deadline, now)} and not replaced."
    return f"is lost {when(recovery.deadline, now)}, and nothing will replace it."
