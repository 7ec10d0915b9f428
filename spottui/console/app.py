"""The console's application: it shows what the desk worker posts, does what keys mean, rings, and ends."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from textual.theme import Theme
from textual.widgets import Input

from spottui import actions
from spottui.action import Action
from spottui.console import command_line
from spottui.console.action_handlers import HANDLERS
from spottui.console.desk_worker import DeskWorker
from spottui.console.driver import TerminalDriver
from spottui.console.exports import screenshot
from spottui.console.main_screen import MainScreen, classes_of
from spottui.console.messages import (
    CommandDone,
    CommandEntered,
    DeskClosed,
    DeskFailed,
    DeskMisconfigured,
    DeskTroubled,
    LeaveWanted,
    MarksUsed,
    TerminalLost,
    ViewArrived,
)
from spottui.console.palette import commands
from spottui.console.preferences import Preferences
from spottui.console.screen_buffer import REPAINT
from spottui.console.session import Session
from spottui.console.text.health import has_started
from spottui.console.text.titles import Headlines
from spottui.console.themes import PLAIN_TERMINAL, THEMES, choices
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
    to the person. `who` is recorded with every command, `title` is the first word of the header. Theme and columns are
    kept in the file `keep_in`, if there is one. `playback` is the clock of a replay; the person sets its pace. `paths`
    are the files to name where something goes wrong. `goes_on` is the sentence on what becomes of the recoveries when
    the console ends. `hurry` is called when it begins to end, which may hang. It begins with the saved `view` of that
    name, narrowed to an `account` if one is given; `themes` are the person's own.
    """

    CSS_PATH = Path(__file__).with_name("styles.tcss")
    TITLE = "spottui"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save_screen", show=False, priority=True),
        Binding("ctrl+l", "redraw", show=False, priority=True),
    ]

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
        view: str = "",
        account: str = "",
        themes: Sequence[Theme] = (),
        hurry: Callable[[], None] = lambda: None,
    ) -> None:
        # Under NO_COLOR Textual must use the terminal's own colours from the start, or all is black on black.
        plain_terminal = "NO_COLOR" in os.environ
        super().__init__(driver_class=TerminalDriver, ansi_color=True if plain_terminal else None)
        self.session = Session(
            app=self,
            worker=DeskWorker(self, open_desk, account),
            clock=clock,
            who=who,
            preferences=Preferences.read(keep_in),
            playback=playback,
            paths=paths or {},
        )
        for theme in (*THEMES, *themes):
            self.register_theme(theme)
        own = tuple(theme.name for theme in themes)
        self.theme_choices = () if plain_terminal else choices(self.console.color_system, own)
        self.theme = self._chosen_theme()
        self.main = MainScreen(self.session, title)
        self.window_title = ""
        self._bell, self._mouse = bell, mouse
        self._goes_on, self._hurry = goes_on, hurry
        self._rung: frozenset[str] = frozenset()
        self._has_shown_view = False
        self._first_view = view
        self._leaving = False
        self._exit_message = ""

    def _chosen_theme(self) -> str:
        if not self.theme_choices:
            return PLAIN_TERMINAL
        chosen = self.session.preferences.theme
        return chosen if chosen in self.theme_choices else self.theme_choices[0]

    def choose_theme(self, name: str) -> None:
        """Use a theme, now and at the next start."""
        self.session.preferences.keep_theme(name)
        self.theme = name

    @on(CommandPalette.OptionHighlighted)
    def _preview_theme(self, message: CommandPalette.OptionHighlighted) -> None:
        """Show the theme that is highlighted in the palette."""
        command = message.highlighted_event.option
        call = command.hit.command if isinstance(command, Command) else None
        is_theme = isinstance(call, partial) and call.func == self.choose_theme
        self.theme = call.args[0] if is_theme and isinstance(call, partial) else self._chosen_theme()

    @on(CommandPalette.Closed)
    def _restore_theme(self) -> None:
        self.theme = self._chosen_theme()

    def start(self) -> None:
        """Run until the person leaves; with the mouse turned off, the terminal selects text as usual.

        What went wrong, if something did, and where the log is, is printed once the terminal is restored.
        """
        # Our own loop: asyncio's `run` waits for minutes on threads that hang in a call to the cloud.
        self._own_loop = asyncio.new_event_loop()
        self.run(mouse=self._mouse, loop=self._own_loop)
        with suppress(OSError):
            sys.stderr.write(self._exit_message)

    def end_by(self, what: str) -> None:
        """End soon with exit code 1 because of `what`, such as a signal's name; from any thread, once started."""
        self._own_loop.call_soon_threadsafe(self._abort, f"ended by {what}")

    def get_default_screen(self) -> Screen[None]:
        """Return the main screen, which has the classes of its size before its styles are found for the first time."""
        self.main.add_class(*classes_of(self.size))
        return self.main

    def on_mount(self) -> None:
        """Save the window's title, to restore it at the end, and start the watchdog."""
        self._write(_SAVE_TITLE)
        self.session.watchdog.start()

    def on_unmount(self) -> None:
        """Release the desk, whatever ended the program."""
        self.session.worker.stop()
        self.session.watchdog.stop()
        self._write(_RESTORE_TITLE)

    @on(TerminalLost)
    def _abort_without_terminal(self, message: TerminalLost) -> None:
        self._abort(f"the terminal is lost ({plain(message.cause, 200)})")

    def _abort(self, why: str) -> None:
        """End with exit code 1 and restore the terminal: with mouse reports on it would be unusable."""
        log.warning("the console ends: %s", why)
        self._hurry()
        self._set_exit_message(f"{why}. {self._goes_on}".strip())
        self.exit(return_code=1)

    def _set_exit_message(self, text: str) -> None:
        error, log_path = self.main.failed or self.main.trouble, self.session.paths.get("log")
        lines = [text, *([f"Last error: {plain(error, 1000)}"] if error else [])]
        if self._goes_on and log_path and os.path.exists(log_path):
            lines.append(f"Log: {log_path}")
        self._exit_message = "".join(f"spottui: {line}\n" for line in lines)

    def on_key(self, event: Key) -> None:
        """Insert into the focused input what was typed before it had the focus: over SSH `/web` comes in one burst.

        A key without a meaning here says so.
        """
        if isinstance(self.focused, Input):
            if event.is_printable and event.character:
                event.prevent_default()
                self.focused.insert_text_at_cursor(event.character)
        elif event.key not in self.screen.active_bindings:
            key = event.character if event.is_printable and event.character else event.key
            where = "? lists the keys" if self.screen is self.main else "the bottom line lists the keys"
            self.notify(f"{plain(key, 20)} does nothing here; {where}.", severity="warning", markup=False)

    @on(LeaveWanted)
    def _leave(self) -> None:
        """Close the desk and end the program; asked a second time, end it at once."""
        if self._leaving or not self.session.worker.is_open:
            self._end()
            return
        self._leaving = True
        self.notify("Closing…", timeout=30)
        self.session.worker.close()

    def action_press(self, key: str) -> None:
        """Do what a key of the main screen means now, or notify why not."""
        action, refused = actions.on_key(key, self.main.action_context)
        self.act(action, refused)

    def act(self, action: Action, refused: str = "") -> None:
        """Do an action of the registry; notify instead if it is `refused`, which says why."""
        if refused:
            self.notify(refused, severity="warning", markup=False)
            return
        try:
            HANDLERS[action.id](self.main)
        except Exception as error:
            log.exception("the action %s failed", action.id)
            text = f"{action.title}: internal error in spottui ({type(error).__name__}); details are in the log."
            self.notify(text, severity="error", markup=False)

    def action_save_screen(self) -> None:
        """Write the screen, with whatever page or dialog is on it, to files."""
        screenshot(self.session)

    def action_redraw(self) -> None:
        """Draw every cell again: something else may have written to the terminal."""
        self._write(REPAINT)
        self.screen.refresh()

    def on_resize(self) -> None:
        """Know that a terminal of another size may show anything."""
        self._write(REPAINT)

    def action_help_quit(self) -> None:
        """Say what ctrl+c does not do, by the key that does it."""
        self.notify("ctrl+c does not quit, so that it stops no recovery by mistake: q quits.", severity="warning")

    async def action_quit(self) -> None:
        """Leave as `q` does: ask first when a recovery runs; a second time is a yes."""
        from spottui.console.dialogs.quit import QuitDialog

        if isinstance(self.screen, QuitDialog):
            self.screen.action_quit_key()
        else:
            self.act(actions.BY_ID["quit"])

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show only the newest message, in one line: a success for 3 s, anything else for 10 s."""
        self.clear_notifications()
        stays_s = timeout or (_SUCCESS_S if severity == "information" else _REFUSAL_S)
        super().notify(message, title=title, severity=severity, timeout=stays_s, markup=markup)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Return what the command palette offers now."""
        return commands(self.main, self.act, self.theme_choices, self.choose_theme)

    @on(CommandEntered)
    def _run_command(self, message: CommandEntered) -> None:
        command_line.run(self.main, message.text, self.act, self.theme_choices, self.choose_theme)

    @on(ViewArrived)
    def _show(self, message: ViewArrived) -> None:
        # Recoveries run in this process: what cannot be shown must not end them.
        try:
            self.main.show(message)
            self._alert(message.headlines)
            if self._first_view:
                command_line.use_view(self.main, self._first_view)
                self._first_view = ""
        except Exception as error:
            log.exception("the screen could not show what came")
            self.main.show_trouble(f"{type(error).__name__} inside spottui, see the log")
        finally:
            self.session.worker.view_shown()

    def _fatal_error(self) -> None:
        """End with a message: a traceback would show the values of variables, and fill the terminal."""
        log.error("the screen failed", exc_info=self._exception)
        name = type(self._exception).__name__
        self._hurry()
        self._set_exit_message(f"the screen failed ({name}). {self._goes_on}".strip())
        self._close_messages_no_wait()

    @on(DeskFailed)
    def _show_failure(self, message: DeskFailed) -> None:
        self.main.show_failure(message.text)

    @on(DeskMisconfigured)
    def _end_misconfigured(self, message: DeskMisconfigured) -> None:
        self._exit_message = f"spottui: {plain(message.text, 2000)}\n"
        self.exit(return_code=2)

    @on(DeskTroubled)
    def _show_trouble(self, message: DeskTroubled) -> None:
        self.main.show_trouble(f"{message.text} · next try in {message.retry_s:.0f}s")

    @on(CommandDone)
    def _show_result(self, message: CommandDone) -> None:
        self.notify(message.text, severity="error" if message.refused else "information", markup=False)

    @on(MarksUsed)
    def _unmark(self) -> None:
        self.main.panel.table.unmark()
        self.main.write_lines()

    @on(DeskClosed)
    def _end(self) -> None:
        if self.main.failed:
            self._set_exit_message("it had stopped." if has_started(self.session.view) else "it could not start.")
        self.exit(return_code=1 if self.main.failed else 0)

    def _alert(self, headlines: Headlines) -> None:
        """Ring once for each reclaim and failed recovery, and count those that are open in the window's title.

        What fails while the console runs is also notified, with what can be done; what had failed before is not.
        """
        if self.session.playback:
            return
        failed = {f"{recovery.recovery_id} run {recovery.run}": recovery for recovery in headlines.failed}
        new = [recovery for key, recovery in failed.items() if key not in self._rung]
        if self._bell and (new or headlines.unsaved - self._rung):
            self.bell()
        if new and self._has_shown_view:
            self.notify(_failure_text(new), severity="error", markup=False)
        self._has_shown_view = True
        self._rung |= headlines.unsaved | failed.keys()
        counts = [f"{len(failed)} FAILED"] if failed else []
        counts += [f"{len(headlines.unsaved)}!"] if headlines.unsaved else []
        title = f"({' '.join(counts)}) spottui" if counts else "spottui"
        if title != self.window_title:
            self.window_title = title
            self._write(f"\x1b]2;{title}\x07")

    def _write(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)


def _failure_text(failed: list[Recovery]) -> str:
    """Return which recoveries have failed, why the newest did, and what can be done."""
    newest, others = failed[0], len(failed) - 1
    name = plain(newest.name or newest.instance_id, 30) + (f" and {others} more" if others else "")
    return " · ".join(filter(None, (f"{name}: recovery FAILED", plain(code(newest), 40), remedy(newest))))
