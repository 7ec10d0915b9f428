"""The console's application: it passes on what the feed brings, rings, and ends."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import Command, CommandPalette
from textual.events import Key
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widgets import Input

from spottui import actions
from spottui.console.desk_worker import Feed
from spottui.console.driver import TerminalDriver
from spottui.console.main_screen import MainScreen
from spottui.console.messages import (
    CommandDone,
    DeskClosed,
    DeskFailed,
    DeskTroubled,
    LeaveWanted,
    TerminalLost,
    ViewArrived,
)
from spottui.console.palette import commands
from spottui.console.preferences import Kept
from spottui.console.text.titles import Headlines
from spottui.console.themes import PLAIN_TERMINAL, THEMES, choices
from spottui.console.watchdog import Watchdog
from spottui.domain.clock import Clock
from spottui.domain.playback import Playback
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.tables.failures import code, remedy

if TYPE_CHECKING:
    from spottui.console.desk import Desk

log = logging.getLogger("spottui.console")

_SUCCESS_S, _REFUSAL_S = 3.0, 10.0
_SAVE_TITLE, _RESTORE_TITLE = "\x1b[22;2t", "\x1b[23;2t"


class SpottuiApp(App[None]):
    """The terminal console over a desk.

    `open_desk` is called in a thread after the first frame is painted; it may take seconds, and what it raises is shown
    to the person. `who` is put on record with every command, `title` stands at the head of the screen. What a person
    chooses for the screen is kept in the file `keep_in`, if there is one. `playback` is the clock of a replay; the
    person sets its pace. `paths` are the files to name where something goes wrong. `goes_on` says what becomes of the
    recoveries when the console ends. `hurry` is called when it begins to end: that may hang.
    """

    CSS_PATH = Path(__file__).with_name("styles.tcss")
    TITLE = "spottui"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "save_screen", show=False, priority=True)]
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        open_desk: "Callable[[], Desk]",
        *,
        clock: Clock,
        who: str,
        title: str,
        bell: bool = True,
        mouse: bool = True,
        keep_in: Path | None = None,
        paths: Mapping[str, Path | str] | None = None,
        playback: Playback | None = None,
        goes_on: str = "",
        hurry: Callable[[], None] = lambda: None,
    ) -> None:
        # Under NO_COLOR Textual must know from the start that colours are the terminal's own, else it turns
        # them all into black on black.
        plain_terminal = "NO_COLOR" in os.environ
        super().__init__(driver_class=TerminalDriver, ansi_color=True if plain_terminal else None)
        self.kept, self.paths = Kept.read(keep_in), paths or {}
        for theme in THEMES:
            self.register_theme(theme)
        self.theme_choices = () if plain_terminal else choices(self.console.color_system)
        self.theme = self._chosen_theme()
        self.feed = Feed(self, open_desk)
        self.main = MainScreen(self.feed, clock, who=who, title=title, kept=self.kept, playback=playback)
        self.window_title = ""
        self._bell, self._mouse = bell, mouse
        self._playback, self._goes_on, self._hurry = playback, goes_on, hurry
        self._rung: frozenset[str] = frozenset()
        self._called = False
        self._leaving = False
        self._last_words = ""

    def _chosen_theme(self) -> str:
        if not self.theme_choices:
            return PLAIN_TERMINAL
        return self.kept.theme if self.kept.theme in self.theme_choices else self.theme_choices[0]

    def choose_theme(self, name: str) -> None:
        """Wear a theme, now and at the next start."""
        self.kept.keep_theme(name)
        self.theme = name

    @on(CommandPalette.OptionHighlighted)
    def _try_theme_on(self, message: CommandPalette.OptionHighlighted) -> None:
        """Show the theme that a person is about to choose."""
        command = message.highlighted_event.option
        call = command.hit.command if isinstance(command, Command) else None
        is_theme = isinstance(call, partial) and call.func == self.choose_theme
        self.theme = call.args[0] if is_theme and isinstance(call, partial) else self._chosen_theme()

    @on(CommandPalette.Closed)
    def _take_theme_off(self) -> None:
        self.theme = self._chosen_theme()

    def start(self) -> None:
        """Run until the person leaves; the mouse is the terminal's own when it was turned off.

        What went wrong, if something did, and where the log is, is said once the terminal is given back.
        """
        # A loop of our own: asyncio's `run` waits for minutes on threads that hang in a call to the cloud.
        self._own_loop = asyncio.new_event_loop()
        self.run(mouse=self._mouse, loop=self._own_loop)
        with suppress(OSError):
            sys.stderr.write(self._last_words)

    def end_by(self, what: str) -> None:
        """End soon with exit code 1 because of `what`, a signal's name say; from whichever thread, once started."""
        self._own_loop.call_soon_threadsafe(self._fall, f"ended by {what}")

    def get_default_screen(self) -> Screen[None]:
        """Return the main screen."""
        return self.main

    def on_mount(self) -> None:
        """Remember the window's title, to give it back at the end, and watch over the screen."""
        self._write(_SAVE_TITLE)
        self.watchdog = Watchdog(asyncio.get_running_loop())
        self.watchdog.start()

    def on_unmount(self) -> None:
        """Let the desk go, whatever ended the program."""
        self.feed.stop()
        self.watchdog.stop()
        self._write(_RESTORE_TITLE)

    @on(TerminalLost)
    def _lose(self, message: TerminalLost) -> None:
        self._fall(f"the terminal is lost ({plain(message.cause, 200)})")

    def _fall(self, why: str) -> None:
        """End with exit code 1, and give the terminal back: it must not be left in the mouse's hands."""
        log.warning("the console ends: %s", why)
        self._hurry()
        self._say_at_last(f"{why}. {self._goes_on}".strip())
        self.exit(return_code=1)

    def _say_at_last(self, told: str) -> None:
        wrong = self.main.failed or self.main.trouble
        lines = [told, *([f"Last error: {plain(wrong, 1000)}"] if wrong else [])]
        if self._goes_on and "log" in self.paths and os.path.exists(self.paths["log"]):
            lines.append(f"Log: {self.paths['log']}")
        self._last_words = "".join(f"spottui: {line}\n" for line in lines)

    def on_key(self, event: Key) -> None:
        """Give a line what was typed before it had the focus: over a slow line `/` and its words come in one burst."""
        if isinstance(self.focused, Input) and event.is_printable and event.character:
            event.prevent_default()
            self.focused.insert_text_at_cursor(event.character)

    @on(LeaveWanted)
    def _leave(self) -> None:
        """Close the desk and end the program; asked a second time, end it at once."""
        if self._leaving or not self.feed.is_open:
            self._end()
            return
        self._leaving = True
        self.notify("Closing…", timeout=30)
        self.feed.close()

    def action_save_screen(self) -> None:
        """Write what is on the screen, whichever it is, to files."""
        from spottui.console.files import screenshot

        screenshot(self.main)

    async def action_quit(self) -> None:
        """Leave as `q` does: ask first when a recovery runs, and take a second time as a yes."""
        from spottui.console.dialogs.quit import QuitDialog

        if isinstance(self.screen, QuitDialog):
            self.screen.action_quit_key()
        else:
            self.main.act(actions.BY_ID["quit"], "")

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show the newest message alone, in one line: a success soon goes, a refusal is there to be read."""
        self.clear_notifications()
        stays_s = timeout or (_SUCCESS_S if severity == "information" else _REFUSAL_S)
        super().notify(message, title=title, severity=severity, timeout=stays_s, markup=markup)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Return what the command palette offers now."""
        return commands(self)

    @on(ViewArrived)
    def _show(self, message: ViewArrived) -> None:
        # Recoveries run in this process: what cannot be shown must not end them.
        try:
            self.main.show(message)
            self._call(message.headlines)
        except Exception as error:
            log.exception("the screen could not show what came")
            self.main.worry(f"{type(error).__name__} inside spottui, see the log")
        finally:
            self.feed.taken()

    def _fatal_error(self) -> None:
        """End with a message: a traceback shows what the variables held, and fills the terminal."""
        log.error("the screen failed", exc_info=self._exception)
        name = type(self._exception).__name__
        self._hurry()
        self._say_at_last(f"the screen failed ({name}). {self._goes_on}".strip())
        self._close_messages_no_wait()

    @on(DeskFailed)
    def _fail(self, message: DeskFailed) -> None:
        self.main.fail(message.text)

    @on(DeskTroubled)
    def _worry(self, message: DeskTroubled) -> None:
        self.main.worry(f"{message.text} · next try in {message.retry_s:.0f}s")

    @on(CommandDone)
    def _answer(self, message: CommandDone) -> None:
        if message.refused:
            self.notify(message.text, severity="error", markup=False)
        else:
            self.notify(message.text, markup=False)

    @on(DeskClosed)
    def _end(self) -> None:
        if self.main.failed:
            self._say_at_last("it had stopped." if self.main.view else "it could not start.")
        self.exit(return_code=1 if self.main.failed else 0)

    def _call(self, headlines: Headlines) -> None:
        """Call for a person, by the bell and the window's title; what is long over calls nobody.

        What fails while the console runs is said aloud, with what can be done about it.
        """
        if self._playback:
            return
        failed = {f"{one.recovery_id} run {one.run}": one for one in headlines.failed}
        new = [one for key, one in failed.items() if key not in self._rung]
        if self._bell and (new or headlines.unsaved - self._rung):
            self.bell()
        if new and self._called:
            self.notify(_loss(new), severity="error", markup=False)
        self._called = True
        self._rung |= headlines.unsaved | failed.keys()
        calls = [f"{len(failed)} FAILED"] if failed else []
        calls += [f"{len(headlines.unsaved)}!"] if headlines.unsaved else []
        title = f"({' '.join(calls)}) spottui" if calls else "spottui"
        if title != self.window_title:
            self.window_title = title
            self._write(f"\x1b]2;{title}\x07")

    def _write(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)


def _loss(failed: list[Recovery]) -> str:
    """Return which recoveries have failed, why the newest did, and what can be done."""
    newest, others = failed[0], len(failed) - 1
    name = plain(newest.name or newest.instance_id, 30) + (f" and {others} more" if others else "")
    return " · ".join(filter(None, (f"{name}: recovery FAILED", plain(code(newest), 40), remedy(newest))))
