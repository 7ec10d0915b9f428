"""The question before the end: what runs on without this console, what stops, and what waits for a person."""

from textual import on
from textual.content import Content

from spottui.console.dialogs.dialog import Question
from spottui.console.messages import Answered
from spottui.console.session import Session
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain
from spottui.domain.view import DeskView


class QuitDialog(Question):
    """Follows what is open; whether another console takes over is asked once. A second `q` is a yes."""

    DO_KEYS = "q or y"

    def __init__(self, session: Session) -> None:
        super().__init__("Quit?", Content(""), "Quit", "Stay")
        self._session, self._successors = session, 0

    def on_mount(self) -> None:
        """Ask how many other consoles of this journal run."""
        self._session.worker.ask(lambda desk: desk.successors(), self)

    def body(self) -> Content:
        """Return what is open now."""
        view = self._session.view
        return Content((open_work(view, self._successors) if view else "") or "Nothing is in progress any more.")

    def tick(self) -> None:
        """Update what is open."""
        self.redraw()

    def action_quit_key(self) -> None:
        """Answer yes."""
        self.action_accept()

    @on(Answered)
    def _show(self, message: Answered) -> None:
        if isinstance(message.answer, int):
            self._successors = message.answer
            self.redraw()


def open_work(view: DeskView, successors: int = 0) -> str:
    """Return what runs and what waits for a person in all accounts, and what becomes of it; empty if nothing is open.

    `successors` counts the other consoles of this journal.
    """
    open_recoveries = [recovery for recovery in (*view.recoveries, *view.elsewhere) if not recovery.state.is_final]
    running = [recovery for recovery in open_recoveries if not recovery.state.waits_for_permission]
    needs_you = [recovery for recovery in open_recoveries if recovery.state is RecoveryState.NEEDS_YOU]
    in_window = [recovery for recovery in open_recoveries if recovery.state is RecoveryState.VETO_WINDOW]
    parts = []
    if running:
        parts += [
            f"{_count(running, 'recovery runs', 'recoveries run')}: {_names(running)}.",
            _fate(running, successors),
        ]
    if needs_you:
        parts.append(f"{_count(needs_you, 'NEEDS', 'NEED')} YOU: {_names(needs_you)}.")
    if in_window:
        parts.append(f"{_count(in_window, 'in its veto window', 'in their veto windows')}: {_names(in_window)}.")
    if needs_you or in_window:
        parts.append(_fate_of_waiting(view, successors))
    return "\n".join(parts)


def _fate(running: list[Recovery], successors: int) -> str:
    if successors:
        return f"Another console of this journal takes {'it' if len(running) == 1 else 'them'} over within seconds."
    pauses, resumes = ("It pauses", "resumes") if len(running) == 1 else ("They pause", "resume")
    return f"{pauses} while no console runs and {resumes} at the next start."


def _fate_of_waiting(view: DeskView, successors: int) -> str:
    """Return what becomes of what waits; auto-mode belongs to this console and ends with it."""
    auto = "Auto-mode ends with this console. " if view.auto.armed else ""
    if successors:
        return f"{auto}Another console of this journal shows them too."
    return f"{auto}Nobody can confirm or veto while no console runs; the deadlines keep running."


def _count(of: list[Recovery], singular: str, plural: str) -> str:
    return f"{len(of)} {singular if len(of) == 1 else plural}"


def _names(recoveries: list[Recovery]) -> str:
    names = [plain(recovery.name or recovery.instance_id, 60) for recovery in recoveries[:5]]
    more = len(recoveries) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
