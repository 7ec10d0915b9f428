"""The dialog that shows the plans of several recoveries and runs exactly those."""

from collections.abc import Callable, Mapping
from datetime import datetime

from textual import on
from textual.content import Content
from textual.message_pump import MessagePump
from textual.widgets import Button

from spottui import words
from spottui.console.dialogs.dialog import WIDE_CELLS, Dialog
from spottui.console.messages import Answered
from spottui.console.text.cells import cell_text, hanging
from spottui.console.text.places import place_in_short
from spottui.console.text.readiness import VERDICT_STYLES
from spottui.domain.clock import Clock
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.domain.verdicts import as_planned, verdict_of
from spottui.tables.moments import countdown, epoch
from spottui.tables.plan_sums import plan_sum

Plans = Mapping[str, Plan | None]
"""The plan of each recovery by its id; None where there is none yet."""

_NAME_CELLS, _VERDICT_CELLS = 14, 12


class BulkDialog(Dialog[dict[str, str]]):
    """Lists recoveries with their plans under a sum; answers the digest of each plan shown, by recovery id."""

    AUTO_FOCUS = ""
    MOST_CELLS = WIDE_CELLS

    def __init__(self, recoveries: tuple[Recovery, ...], ask: Callable[[MessagePump], None], clock: Clock) -> None:
        super().__init__(f"Recover {len(recoveries)} instance{'s' * (len(recoveries) != 1)}", _run(len(recoveries)))
        self._recoveries, self._ask, self._clock = recoveries, ask, clock
        self._plans: Plans | None = None
        self._problem = ""

    def on_mount(self) -> None:
        """Ask for the plans; until they are there enter does nothing."""
        self.query_one("#do", Button).disabled = True
        self._ask(self)

    def body(self) -> Content:
        """Return a line for each recovery."""
        if self._problem:
            return Content(f"\n{self._problem}\n")
        if self._plans is None:
            return Content("\nReading the plans…\n")
        now, plans = self._clock.now(), self._plans
        pairs = [(recovery, plans.get(recovery.recovery_id)) for recovery in self._recoveries]
        total = plan_sum(pairs, now)
        head = [Content.styled(total.line, "bold")]
        if total.warning_line:
            legend = Content.assemble(("! ", "bold $warning"), (f"warnings: {total.warning_line}", ""))
            head += hanging(legend, self.room, 2)
        lines = (_line(recovery, plan, now).truncate(self.room, ellipsis=True) for recovery, plan in pairs)
        return Content("\n").join([*head, Content(""), *lines])

    def tick(self) -> None:
        """Update the countdowns."""
        super().tick()
        self.redraw()

    def accept(self) -> dict[str, str] | None:
        """Return the digests of the plans that are shown."""
        return {key: plan.digest for key, plan in (self._plans or {}).items() if plan} or None

    @on(Answered)
    def _show(self, message: Answered) -> None:
        if isinstance(message.answer, dict):
            self._plans = message.answer
            ready = sum(plan is not None for plan in self._plans.values())
            button = self.query_one("#do", Button)
            button.label = Content(f"{_run(ready)} (enter)")
            button.disabled = not ready
            (button if ready else self.query_one("#leave", Button)).focus()
        else:
            self._problem = plain(message.problem, 400)
        self.redraw()


def _run(count: int) -> str:
    return f"Run {count} plan{'' if count == 1 else 's'}"


def _line(recovery: Recovery, plan: Plan | None, now: datetime) -> Content:
    """Return deadline, verdict of this plan, digest, route, place and warnings."""
    left = countdown(epoch(recovery.deadline), now.timestamp())
    head = f"{left:>6} {cell_text(plain(recovery.name or recovery.instance_id), _NAME_CELLS)} "
    if plan is None:
        return Content.assemble(head, ("no plan yet, left out", "$warning"))
    verdict = verdict_of(as_planned(recovery, plan), now)
    first, region = plan.candidates[0] if plan.candidates else None, plan.spec.instance.region
    place = place_in_short(first.instance_type, first.zone, region) if first else "nowhere to launch"
    count = len(words.warnings(plan))
    warnings = f" !{count}" if count else ""
    return Content.assemble(
        head,
        (
            cell_text(str(verdict or "no forecast"), _VERDICT_CELLS),
            VERDICT_STYLES[verdict] if verdict else "dim",
        ),
        (f" {plan.digest} ", "dim"),
        f"{plan.route}, {place}",
        (warnings, "bold $warning"),
    )
