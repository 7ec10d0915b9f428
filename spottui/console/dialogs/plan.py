"""The dialog that shows a plan and runs exactly that."""

from collections.abc import Callable
from typing import ClassVar

import msgspec
from msgspec.structs import replace
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message_pump import MessagePump
from textual.widgets import Button

from spottui import words
from spottui.console.dialogs.dialog import WIDE_CELLS, Dialog
from spottui.console.messages import PlanReady, PlanRefused
from spottui.console.text.plan import Subject, plan_body, plan_head
from spottui.domain.clock import Clock
from spottui.domain.plan import Plan, by_route
from spottui.domain.retrying import retried_route
from spottui.domain.routes import Route
from spottui.domain.text import plain


class ChosenPlan(msgspec.Struct, frozen=True):
    """A plan with `first` as its first route, and the route that the person has put there, None for none."""

    plan: Plan
    first: Route
    route: Route | None = None

    @property
    def shown(self) -> Plan:
        """The plan as displayed, which is what runs."""
        first = self.route or self.first
        return self.plan if first is self.plan.route else by_route(self.plan, first)

    def next_route_first(self) -> "ChosenPlan":
        """Return the plan with its next route first; after the last one comes the first again."""
        routes = self.plan.choices
        return replace(self, route=routes[(routes.index(self.shown.route) + 1) % len(routes)])


class PlanDialog(Dialog[ChosenPlan]):
    """Opens at once and asks for the plan; until that is there enter does nothing.

    `subject` returns the instance as it is now: its lock, forecast and deadline change while this is open. `w` puts
    the plan's next route first; only the confirmation decides it. With `retries`, the plan is that of a retry.
    """

    AUTO_FOCUS = ""
    MOST_CELLS = WIDE_CELLS
    BINDINGS: ClassVar[list[BindingType]] = [Binding("w", "next_route_first", show=False)]

    def __init__(
        self, subject: Callable[[], Subject], ask: Callable[[MessagePump], None], clock: Clock, *, retries: bool
    ) -> None:
        now = subject()
        verb, do = ("Retry", "Retry with this plan") if retries else ("Recover", "Run this plan")
        super().__init__(f"{verb} {plain(now.name or now.instance_id, 60)}", do)
        self._subject, self._ask, self._clock, self._retries = subject, ask, clock, retries
        self._chosen: ChosenPlan | None = None
        self._waiting = "Making the plan: reading the instance, its disks and its user data…"
        self._ask_again = self._refused = False

    def on_mount(self) -> None:
        """Ask for the plan; until it is there enter does nothing."""
        self.query_one("#do", Button).disabled = True
        self._ask(self)

    def head(self) -> Content:
        """Return the instance, its deadline and the forecast as of now; nothing if the plan was refused."""
        shown = self._chosen.shown if self._chosen else None
        return Content("") if self._refused else plan_head(self._subject(), shown, self._clock.now())

    def body(self) -> Content:
        """Return the plan, or why there is none."""
        if self._chosen is None:
            return Content(f"\n{self._waiting}\n")
        shown, recovery = self._chosen.shown, self._subject().recovery
        reused = words.reused(recovery, shown.route) if recovery and self._retries else ""
        return plan_body(shown, self.room, other=self._next_route(), reused=reused)

    def accept(self) -> ChosenPlan | None:
        """Return the plan that is displayed."""
        return self._chosen

    def tick(self) -> None:
        """Update the head, and ask again for a plan that was not ready."""
        super().tick()
        if self._ask_again:
            self._ask_again = False
            self._ask(self)

    def action_next_route_first(self) -> None:
        """Show the plan with its next route first."""
        if self._chosen and self._next_route():
            self._chosen = self._chosen.next_route_first()
            self.redraw()

    def _next_route(self) -> Route | None:
        can = self._chosen is not None and len(self._chosen.plan.choices) > 1
        return self._chosen.next_route_first().route if can and self._chosen else None

    @on(PlanReady)
    def _show_plan(self, message: PlanReady) -> None:
        plan, recovery = message.plan, self._subject().recovery
        first = retried_route(recovery, plan) if recovery and self._retries else plan.route
        self._chosen = ChosenPlan(plan, first)
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
