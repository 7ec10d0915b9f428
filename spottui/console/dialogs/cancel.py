"""The question before a recovery is cancelled: what becomes of the instance, what is kept, and what that costs."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from textual import on
from textual.content import Content

from spottui.console.choice import by_id, interruption_of
from spottui.console.dialogs.dialog import Ask
from spottui.console.messages import Answered
from spottui.domain.instance import InterruptionBehavior
from spottui.domain.leftover import Kept
from spottui.domain.outcome import kept_by
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.domain.view import DeskView
from spottui.tables.instances import is_wish
from spottui.tables.moments import money, when

if TYPE_CHECKING:
    from spottui.console.main_screen import MainScreen


class CancelDialog(Ask):
    """Follows the recovery while it asks; plan and prices, by which sizes and costs are known, are read once."""

    def __init__(self, main: "MainScreen", recovery: Recovery) -> None:
        name = plain(recovery.name or recovery.instance_id, 60)
        super().__init__(f"Cancel the recovery of {name}?", Content(""), "Cancel it", "Let it run")
        self._main, self._recovery, self._name = main, recovery, name
        self._plan: Plan | None = None
        self._prices: Mapping[str, float] = {}

    def on_mount(self) -> None:
        """Ask for the plan and the prices of storage."""
        recovery_id = self._recovery.recovery_id
        self._main.feed.ask(lambda desk: (desk.plan(recovery_id), desk.storage_price), self)

    def body(self) -> Content:
        """Return what cancelling does, as it is now."""
        view, now = self._main.view, self._main.clock.now()
        one = (by_id(view, self._recovery.recovery_id) if view else None) or self._recovery
        lines = [Content(f"It is {one.state} and ends at the next safe point, after any call under way.\n")]
        if view:
            lines += [Content.styled(f"{self._name} {_fate(view, one, now)}", "bold $warning"), Content("")]
        return Content("\n").join([*lines, *self._kept(one)])

    def tick(self) -> None:
        """Let the deadline go on, and show what was made meanwhile."""
        self.redraw()

    def _kept(self, one: Recovery) -> Iterator[Content]:
        kept = tuple(kept_by(one, self._plan))
        if not kept:
            yield Content("Nothing is kept: it has made nothing so far, and none of its data is safe.")
            return
        yield Content.styled("Kept, and charged until you delete it (spottui janitor):", "bold")
        for thing in kept:
            size = f"{thing.gib} GiB, " if thing.gib else ""
            yield Content(f"  {thing.kind} {plain(thing.resource_id)}  {size}{self._cost(thing)}")
        if any(thing.per_month(self._prices) is None for thing in kept):
            yield Content.styled("  [storage_price] of the configuration names prices", "dim")

    def _cost(self, thing: Kept) -> str:
        per_month = thing.per_month(self._prices)
        return "price not known" if per_month is None else f"at most {money(per_month)} a month"

    @on(Answered)
    def _show(self, message: Answered) -> None:
        if isinstance(message.answer, tuple):
            self._plan, self._prices = message.answer
            self.redraw()


def _fate(view: DeskView, recovery: Recovery, now: datetime) -> str:
    """What becomes of the instance without its recovery."""
    if is_wish(recovery.interruption):
        return "goes on running: no reclaim of it is known."
    if now >= recovery.deadline:
        return f"was taken back {when(recovery.deadline, now)}, and nothing will replace it."
    here = (recovery.region, recovery.instance_id)
    behavior = next((one.behavior for one in view.instances if (one.region, one.instance_id) == here), None)
    if behavior is InterruptionBehavior.STOP:
        return f"is stopped {when(recovery.deadline, now)}, not released; nothing will start it again."
    seen = interruption_of(view, *here)
    if seen and not seen.confirmed:
        return f"has no lock: if this is no drill, it is lost {when(recovery.deadline, now)} and not replaced."
    return f"is lost {when(recovery.deadline, now)}, and nothing will replace it."
