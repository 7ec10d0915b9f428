"""The question before the end: what goes on without this console, what rests, and who waits for a word."""

from typing import TYPE_CHECKING

from textual import on
from textual.content import Content

from spottui.console.dialogs.dialog import Ask
from spottui.console.messages import Answered
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain
from spottui.domain.view import DeskView

if TYPE_CHECKING:
    from spottui.console.main_screen import MainScreen


class QuitDialog(Ask):
    """Follows what is open while it asks; whether another console goes on is asked once. A second `q` is a yes."""

    DO_KEYS = "q or y"

    def __init__(self, main: "MainScreen") -> None:
        super().__init__("Quit?", Content(""), "Quit", "Stay")
        self._main, self._successors = main, 0

    def on_mount(self) -> None:
        """Ask whether another console of this journal goes on."""
        self._main.feed.ask(lambda desk: desk.successors(), self)

    def body(self) -> Content:
        """Return what is open now."""
        view = self._main.view
        return Content((open_work(view, self._successors) if view else "") or "Nothing is open any more.")

    def tick(self) -> None:
        """Follow what is open."""
        self.redraw()

    def action_quit_key(self) -> None:
        """Answer yes."""
        self.action_say_yes()

    @on(Answered)
    def _show(self, message: Answered) -> None:
        if isinstance(message.answer, int):
            self._successors = message.answer
            self.redraw()


def open_work(view: DeskView, successors: int = 0) -> str:
    """Return what runs and what waits for a word, and what becomes of it; empty when nothing is open.

    `successors` counts the other consoles of this journal.
    """
    open_ones = [one for one in view.recoveries if not one.state.is_final]
    running = [one for one in open_ones if not one.state.waits_for_permission]
    needy = [one for one in open_ones if one.state is RecoveryState.NEEDS_YOU]
    vetoable = [one for one in open_ones if one.state is RecoveryState.VETO_WINDOW]
    parts = []
    if running:
        parts += [
            f"{_count(running, 'recovery runs', 'recoveries run')}: {_names(running)}.",
            _fate(running, successors),
        ]
    if needy:
        parts.append(f"{_count(needy, 'NEEDS', 'NEED')} YOU: {_names(needy)}.")
    if vetoable:
        parts.append(f"{_count(vetoable, 'in its veto window', 'in their veto windows')}: {_names(vetoable)}.")
    if needy or vetoable:
        parts.append(_word(view, successors))
    return "\n".join(parts)


def _fate(running: list[Recovery], successors: int) -> str:
    if successors:
        return f"Another console of this journal goes on with {'it' if len(running) == 1 else 'them'} within seconds."
    rests, goes = ("It rests", "goes") if len(running) == 1 else ("They rest", "go")
    return f"{rests} while no console runs, and {goes} on at the next start."


def _word(view: DeskView, successors: int) -> str:
    """Auto-mode is this console's own: it ends with it."""
    auto = "Auto-mode ends with this console. " if view.auto.armed else ""
    if successors:
        return f"{auto}Another console of this journal shows them too."
    return f"{auto}Nobody can say yes or no while no console runs, and the deadlines go on."


def _count(of: list[Recovery], one: str, many: str) -> str:
    return f"{len(of)} {one if len(of) == 1 else many}"


def _names(recoveries: list[Recovery]) -> str:
    names = [plain(recovery.name or recovery.instance_id, 60) for recovery in recoveries[:5]]
    return ", ".join([*names, "…"] if len(recoveries) > 5 else names)
