"""The timeline of one recovery: its evidence, each call with RequestId and duration, and the next step."""

import re
import textwrap
from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len
from textual import on
from textual.content import Content

from spottui.console.exports import copy
from spottui.console.messages import Answered
from spottui.console.pages.page import Page
from spottui.console.selection import by_id
from spottui.console.session import Session
from spottui.console.text.recovery_summary import Line, recovery_summary
from spottui.domain.facts import Logged
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.tables.moments import age
from spottui.tables.timeline import Sign, Step, last_failure, steps

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
_FRAME_CELLS = 6
_INDENT = " " * 18


class TimelinePage(Page):
    """Follows a recovery; its log is read again with each view, since a call can fail without a change of state.

    `c` copies the RequestId of the newest failure, or of the newest call.
    """

    KEYS = "esc leaves · c copies the RequestId · ↑ ↓ scroll"

    def __init__(self, session: Session, recovery: Recovery) -> None:
        super().__init__(f"Recovery of {plain(recovery.name or recovery.instance_id, 60)}")
        self._session, self._recovery_id = session, recovery.recovery_id
        self._log: Sequence[Logged] = ()
        self._problem = "Reading the journal…"
        self._asked_at: int | None = None

    def text(self) -> Content:
        """Return the recovery and its steps as they are now."""
        now, view = self._session.clock.now(), self._session.view
        recovery = by_id(view, self._recovery_id) if view else None
        made = steps(self._log, now)
        lines = _head(recovery, made, now) if recovery else []
        if self._problem:
            lines.append([(plain(self._problem, 400), "$warning")])
        room = max(self.app.size.width - _FRAME_CELLS - len(_INDENT), 20)
        lines += [line for step in made for line in _step(step, made[0].at, room)]
        if made:
            lines += [[], [(_SIGNS, "dim")]]
        return Content("\n").join(Content.assemble(*line) for line in lines)

    def tick(self) -> None:
        """Show what has changed, and read the log again with a new version."""
        version = self._session.view.version if self._session.view else 0
        if version != self._asked_at:
            self._asked_at = version
            self._session.worker.ask(lambda desk: desk.timeline(self._recovery_id), self)
        super().tick()

    def action_copy(self) -> None:
        """Copy the RequestId of the newest failure, else of the newest call."""
        made = steps(self._log, self._session.clock.now())
        named = [step for step in made if step.request_id]
        failed = last_failure(named)
        if not named:
            self.notify("No call has a RequestId yet.", severity="warning")
            return
        request_id = plain((failed or named[-1]).request_id)
        copy(self.app, request_id, f"RequestId {request_id}")

    @on(Answered)
    def _show(self, message: Answered) -> None:
        self._problem = message.problem
        if isinstance(message.answer, tuple):
            self._log = message.answer
        super().tick()


def _head(recovery: Recovery, made: Sequence[Step], now: datetime) -> list[Line]:
    where = f"  {plain(recovery.instance_id)}  {plain(recovery.region)}"
    return [[(plain(recovery.name) or "(no name)", "bold"), (where, "")], *recovery_summary(recovery, made, now), []]


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
