"""The dialog that shows a plan and runs exactly that."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message_pump import MessagePump
from textual.widgets import Button

from spottui.console.dialog import Dialog
from spottui.console.messages import PlanReady, PlanRefused
from spottui.console.plan_text import Subject, plan_body, plan_head
from spottui.domain.clock import Clock
from spottui.domain.plan import Plan, Route
from spottui.domain.text import plain


class PlanDialog(Dialog[Plan]):
    """Opens at once, asks for the plan, and until it is there has nothing that enter could run.

    `look` returns what is known of the instance by now: its lock, forecast and deadline go on while this is open.
    Where the way can be chosen, `w` asks `choose` for a plan that begins with the next one.
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("w", "other_way", show=False)]

    def __init__(
        self,
        look: Callable[[], Subject],
        ask: Callable[[MessagePump], None],
        clock: Clock,
        choose: Callable[[Route, MessagePump], None] | None = None,
    ) -> None:
        subject = look()
        super().__init__(f"Recover {plain(subject.name or subject.instance_id, 60)}", "Run this plan")
        self._look, self._ask, self._clock, self._choose = look, ask, clock, choose
        self._plan: Plan | None = None
        self._waiting = "Making the plan: reading the instance, its disks and its user data…"
        self._ask_again = self._refused = False

    def on_mount(self) -> None:
        """Ask for the plan; until it is here enter does nothing at all."""
        self.query_one("#do", Button).disabled = True
        self._ask(self)

    def head(self) -> Content:
        """Return the instance, its deadline and the forecast, as they are now; nothing where there will be no plan."""
        return Content("") if self._refused else plan_head(self._look(), self._clock.now())

    def body(self) -> Content:
        """Return the plan, or what there is instead of it."""
        return (
            plan_body(self._plan, can_choose=self._choose is not None)
            if self._plan
            else Content(f"\n{self._waiting}\n")
        )

    def accept(self) -> Plan | None:
        """Return the plan that is displayed."""
        return self._plan

    def tick(self) -> None:
        """Let the head follow the time, and ask again for a plan that was not ready."""
        super().tick()
        if self._ask_again:
            self._ask_again = False
            self._ask(self)

    def action_other_way(self) -> None:
        """Ask for the plan that goes the next way first; until it is here enter runs nothing."""
        if self._choose and self._plan and len(self._plan.routes) > 1:
            after = self._plan.routes[1]
            self._plan, self._waiting = None, f"Making the plan by way of {after}…"
            self.query_one("#do", Button).disabled = True
            self.redraw()
            self._choose(after, self)

    @on(PlanReady)
    def _show_plan(self, message: PlanReady) -> None:
        self._plan = message.plan
        self.redraw()
        button = self.query_one("#do", Button)
        button.disabled = False
        button.focus()

    @on(PlanRefused)
    def _show_refusal(self, message: PlanRefused) -> None:
        self._waiting, self._ask_again, self._refused = message.text, message.later, not message.later
        self.redraw()
        if self._refused:
            self.query_one("#do").display = False
            self.query_one("#box").border_title = Content(f"{self._title_text}: refused")
            self.query_one("#leave", Button).focus()
