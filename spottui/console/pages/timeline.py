"""The timeline of one recovery: its evidence, each call with RequestId and duration, and the next step."""

import re
import textwrap
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content

from spottui import words
from spottui.console.exports import copy
from spottui.console.messages import Answered
from spottui.console.pages.acting_page import ActingPage
from spottui.console.pages.page import CLOSE, TextPage
from spottui.console.selection import by_id
from spottui.console.session import Session
from spottui.console.text.call import step_details
from spottui.console.text.recovery_summary import Line, recovery_summary
from spottui.console.widgets.keys import Key
from spottui.domain.facts import Logged
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.tables.moments import age
from spottui.tables.timeline import Step, last_failure, steps
from spottui.words import Sign

_STYLES = {
    Sign.EVIDENCE: "$warning",
    Sign.DECISION: "$accent",
    Sign.STATE: "bold",
    Sign.UNDER_WAY: "$accent",
    Sign.GOOD: "$success",
    Sign.FAILED: "bold $error",
    Sign.UNKNOWN: "bold $warning",
}
_SIGNS = "! sign   ? decision   · state   … under way   ✓ done   ✕ failed   ~ unknown"
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)(?:\.\d+)?(?:\+00:00|Z)")
_FRAME_CELLS = 8
_INDENT = " " * 18


class TimelinePage(ActingPage):
    """Follows a recovery; its log is read again with each view, since a call can fail without a change of state.

    The cursor is on the newest failure, else on the newest step, until somebody moves it. `enter` opens its step,
    `c` copies its RequestId, else that of the newest failure or call.
    """

    KEYS = (CLOSE, Key("enter", "enter", "Call"), Key("c", "c", "Copy RequestId"), Key("", "↑ ↓", "Move"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", show=False)]

    def __init__(self, session: Session, recovery: Recovery) -> None:
        super().__init__(session, f"Recovery of {plain(recovery.name or recovery.instance_id, 60)}")
        self._recovery_id = recovery.recovery_id
        self._log: Sequence[Logged] = ()
        self._problem = "Reading the journal…"
        self._asked_at: int | None = None
        self._is_moved = False

    def text(self) -> Content:
        """Return the recovery and its steps as they are now."""
        rows = self.rows()
        if not self._is_moved:
            self.cursor = _newest(self._steps())
        signs = [Content(""), Content.styled(_SIGNS, "dim")] if rows else []
        return Content("\n").join([*self.head(), *self.with_cursor(rows), *signs])

    def head(self) -> list[Content]:
        """Return the recovery, and why its log cannot be read if so."""
        recovery = self._recovery
        lines = _head(recovery, self._steps(), self._session.clock.now(), self.room) if recovery else []
        return [*lines, *([Content.styled(plain(self._problem, 400), "$warning")] if self._problem else [])]

    def rows(self) -> list[list[Content]]:
        """Return the lines of each step."""
        made = self._steps()
        room = max(self.app.size.width - _FRAME_CELLS - len(_INDENT), 20)
        return [[Content.assemble(*line) for line in _step(step, made[0].at, room)] for step in made]

    def recoveries(self) -> tuple[Recovery, ...]:
        """Return the recovery."""
        return (self._recovery,) if self._recovery else ()

    def tick(self) -> None:
        """Show what has changed, and read the log again with a new version."""
        version = self._session.view.version if self._session.view else 0
        if version != self._asked_at:
            self._asked_at = version
            self._session.worker.ask(lambda desk: desk.timeline(self._recovery_id), self)
        super().tick()

    def action_scroll(self, lines: int) -> None:
        """Move the cursor by so many steps."""
        self._is_moved = True
        super().action_scroll(lines)

    def action_open(self) -> None:
        """Open the step under the cursor: a call with its parameters, RequestId and error."""
        step = self._chosen
        if step is None:
            self.notify("No step yet.", severity="warning")
            return
        self.app.push_screen(TextPage(self._session, plain(step.action, 64), lambda: step_details(step)))

    def action_copy(self) -> None:
        """Copy the RequestId of the step under the cursor, else of the newest failure, else of the newest call."""
        chosen = self._chosen
        named = [step for step in self._steps() if step.request_id]
        if not named:
            self.notify("No call has a RequestId yet.", severity="warning")
            return
        step = chosen if chosen and chosen.request_id else last_failure(named) or named[-1]
        request_id = plain(step.request_id)
        copy(self.app, request_id, f"RequestId {request_id}")

    @property
    def _recovery(self) -> Recovery | None:
        return by_id(self._session.view, self._recovery_id) if self._session.view else None

    def _steps(self) -> tuple[Step, ...]:
        return steps(self._log, self._session.clock.now())

    @property
    def _chosen(self) -> Step | None:
        made = self._steps()
        return made[min(self.cursor, len(made) - 1)] if made else None

    @on(Answered)
    def _show(self, message: Answered) -> None:
        self._problem = message.problem
        if isinstance(message.answer, tuple):
            self._log = message.answer
        super().tick()


def _newest(made: Sequence[Step]) -> int:
    """Return the index of the newest failure, else of the newest step."""
    failed = last_failure(made)
    return made.index(failed) if failed else max(len(made) - 1, 0)


def _head(recovery: Recovery, made: Sequence[Step], now: datetime, room: int) -> list[Content]:
    where = f"  {plain(recovery.instance_id)}  {plain(words.region(recovery.region))}"
    name = Content.assemble((plain(recovery.name) or "(no name)", "bold"), where)
    return [name, *recovery_summary(recovery, made, now, room), Content("")]


def _step(step: Step, start: datetime, room: int) -> list[Line]:
    """Return a step in lines; its text is in the same line if there is room, else below."""
    after_s = (step.at - start).total_seconds()
    took = f"  {age(step.seconds)}" if step.seconds is not None else ""
    style = _STYLES[step.sign]
    first: Line = [
        (f"{step.at:%H:%M:%S}", ""),
        (f"{'+' + age(after_s):>8} ", "dim"),
        (f"{step.sign} {plain(step.action, 64)}", style),
        (took, "dim"),
    ]
    detail = _ISO_TIME.sub(r"\1", plain(step.detail, 1000))
    beside = cell_len(step.action) + len(took) + cell_len(detail) + 4 <= room
    if beside:
        first.append((f"  {detail}", ""))
    more: list[Line] = [] if beside else [[(f"{_INDENT}{text}", "")] for text in textwrap.wrap(detail, room)]
    if step.request_id:
        more.append([(f"{_INDENT}RequestId {plain(step.request_id)}", "dim")])
    return [first, *more]
