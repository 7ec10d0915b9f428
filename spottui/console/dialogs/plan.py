"""The dialog that shows a plan and runs exactly that."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message_pump import MessagePump
from textual.widgets import Button

from spottui.console.dialogs.dialog import Dialog
from spottui.console.messages import PlanReady, PlanRefused
from spottui.console.text.plan import Subject, plan_body, plan_head
from spottui.domain.clock import Clock
from spottui.domain.plan import Plan, Route, by_route
from spottui.domain.text import plain


@dataclass(frozen=True, slots=True)
class Chosen:
    """A plan as it was read, and the route that the person has put first in it, None for the plan's own."""

    plan: Plan
    route: Route | None = None

    @property
    def shown(self) -> Plan:
        """The plan as it is displayed, and as it runs."""
        return by_route(self.plan, self.route) if self.route else self.plan

    def other_way(self) -> "Chosen":
        """Return the plan with the route first that stands behind the first one when it was read; then the first."""
        routes = self.plan.routes
        return Chosen(self.plan, routes[(routes.index(self.shown.route) + 1) % len(routes)])


class PlanDialog(Dialog[Chosen]):
    """Opens at once, asks for the plan, and until it is there has nothing that enter could run.

    `look` returns what is known of the instance by now: its lock, forecast and deadline go on while this is open.
    Where the way can be chosen, `w` puts the next one first: that is settled with the yes, and by nothing before it.
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("w", "other_way", show=False)]

    def __init__(
        self, look: Callable[[], Subject], ask: Callable[[MessagePump], None], clock: Clock, *, can_choose: bool
    ) -> None:
        subject = look()
        super().__init__(f"Recover {plain(subject.name or subject.instance_id, 60)}", "Run this plan")
        self._look, self._ask, self._clock, self._can_choose = look, ask, clock, can_choose
        self._chosen: Chosen | None = None
        self._waiting = "Making the plan: reading the instance, its disks and its user data…"
        self._ask_again = self._refused = False

    def on_mount(self) -> None:
        """Ask for the plan; until it is here enter does nothing at all."""
        self.query_one("#do", Button).disabled = True
        self._ask(self)

    def head(self) -> Content:
        """Return the instance, its deadline and the forecast, as they are now; nothing where there will be no plan."""
        shown = self._chosen.shown if self._chosen else None
        return Content("") if self._refused else plan_head(self._look(), shown, self._clock.now())

    def body(self) -> Content:
        """Return the plan, or what there is instead of it."""
        if self._chosen is None:
            return Content(f"\n{self._waiting}\n")
        return plan_body(self._chosen.shown, self.room, other=self._other_route())

    def accept(self) -> Chosen | None:
        """Return the plan that is displayed."""
        return self._chosen

    def tick(self) -> None:
        """Let the head follow the time, and ask again for a plan that was not ready."""
        super().tick()
        if self._ask_again:
            self._ask_again = False
            self._ask(self)

    def action_other_way(self) -> None:
        """Show the plan with its next way first."""
        if self._chosen and self._other_route():
            self._chosen = self._chosen.other_way()
            self.redraw()

    def _other_route(self) -> Route | None:
        can = self._chosen is not None and self._can_choose and len(self._chosen.plan.routes) > 1
        return self._chosen.other_way().route if can and self._chosen else None

    @on(PlanReady)
    def _show_plan(self, message: PlanReady) -> None:
        self._chosen = Chosen(message.plan)
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
