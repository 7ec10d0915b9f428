"""What each action of the registry does in the console."""

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from spottui.actions import BY_ID, SORT_KEYS
from spottui.console import recovery_handlers
from spottui.console.acting import IDS, act
from spottui.console.exports import copy, export, screenshot
from spottui.console.messages import LeaveWanted
from spottui.console.selection import Selection
from spottui.console.session import Session
from spottui.console.text.health import has_started
from spottui.domain.playback import Playback
from spottui.domain.text import plain
from spottui.tables.column import Cell
from spottui.tables.events import LEVELS
from spottui.tables.instances import instance_key

if TYPE_CHECKING:
    from spottui.console.main_screen import MainScreen

# Pages and dialogs are imported when they are opened: all of them would add more than a tenth to the start.


def details(main: "MainScreen") -> None:
    """Open the timeline of a selected recovery, the event, or the page of the row's instance."""
    session, selection = main.session, main.selection
    if main.panel is main.recoveries and selection.recovery:
        timeline(session, selection)
    elif selection.event is not None:
        from spottui.console.pages.page import TextPage
        from spottui.console.text.details import event_details

        event = selection.event
        session.app.push_screen(
            TextPage(session, plain(selection.resource_id) or "Event", lambda: event_details(event))
        )
    else:
        describe(session, selection)


def describe(session: Session, selection: Selection) -> None:
    """Open the page of the selected row's instance."""
    from spottui.console.pages.instance import InstancePage

    session.app.push_screen(InstancePage(session, selection.region, selection.resource_id))


def timeline(session: Session, selection: Selection) -> None:
    """Open the timeline of the selected row's recovery."""
    from spottui.console.pages.timeline import TimelinePage

    if selection.recovery:
        session.app.push_screen(TimelinePage(session, selection.recovery))


def copy_id(session: Session, selection: Selection) -> None:
    """Copy the id of the selected row's instance."""
    text = plain(selection.resource_id)
    if text:
        copy(session.app, text, text)
    else:
        session.app.notify("This row names no instance.", severity="warning")


def copy_json(session: Session, selection: Selection) -> None:
    """Copy what the desk holds about the selected row as JSON."""
    from spottui.console.text.details import json_title, row_json

    text = row_json(selection, session.view)
    copy(session.app, text, f"{json_title(selection)}, {len(text):,} characters")


def raw_page(main: "MainScreen") -> None:
    """Open a page that follows the selected row as JSON."""
    panel, row = main.panel, main.selection.row

    def current() -> Selection:
        return main.selection_of(panel, panel.table.model.rows.get(row[0], row) if row else None)

    recovery_handlers.raw(main.session, current)


def go_to(main: "MainScreen") -> None:
    """Go from an instance to its recovery, and from any other row to its instance."""
    selection, notify = main.selection, main.session.app.notify
    key: Cell = instance_key(selection.region, selection.resource_id)
    panel = main.instances
    if selection.instance is not None:
        if selection.recovery is None:
            notify("This instance has no recovery.", severity="warning")
            return
        panel, key = main.recoveries, selection.recovery.recovery_id
    if key not in panel.table.model.rows:
        notify(f"{plain(selection.resource_id, 64)} is not in the fleet.", severity="warning", markup=False)
        return
    if key not in panel.table.model.position:
        panel.drop_filter()
    panel.table.move_to_key(key)
    main.focus_panel(panel)


def level(main: "MainScreen") -> None:
    """Filter the events by the next level."""
    panel = main.events_panel
    index = next((i for i, text in enumerate(LEVELS) if text == panel.table.model.filter_text), 0)
    panel.put_filter(LEVELS[(index + 1) % len(LEVELS)])


def retry_sources(main: "MainScreen") -> None:
    """Ask every source now; where the desk could not be opened, try that again."""
    session = main.session
    if main.restart():
        session.app.notify("Starting again…")
    else:
        session.worker.command(lambda desk: desk.look_now(), "Refreshing every source")


def debug(main: "MainScreen") -> None:
    """Open the page that shows why something is slow or silent."""
    from spottui.console.pages.debug import DebugPage

    main.session.app.push_screen(DebugPage(main.session, main.row_counts))


def columns(main: "MainScreen") -> None:
    """Open the dialog with the columns of the focused table."""
    from spottui.console.dialogs.columns import ColumnsDialog

    session, panel = main.session, main.panel
    session.app.push_screen(
        ColumnsDialog(panel.label, panel.table, lambda order: session.preferences.keep_columns(panel.id or "", order))
    )


def back(main: "MainScreen") -> None:
    """Clear the panel's filter, else its marks, else the zoom."""
    if main.panel.drop_filter() or main.panel.table.unmark():
        return
    if not main.has_class("-zoomed"):
        main.session.app.notify("Nothing to close; q quits.")
    main.remove_class("-zoomed")
    main.fit_recoveries()


def zoom(main: "MainScreen") -> None:
    """Give the focused panel the whole screen, or take it back."""
    own_class = f"-zoom-{main.panel.id}"
    grows = not main.has_class("-zoomed", own_class)
    main.remove_class("-zoom-instances", "-zoom-events", "-zoom-recoveries", "-zoomed")
    if grows:
        main.add_class("-zoomed", own_class)
    main.fit_recoveries()


def storm(session: Session) -> None:
    """Open the page of the current recoveries by zone and type."""
    from spottui.console.pages.overview import StormPage

    session.app.push_screen(StormPage(session))


def statistics(session: Session) -> None:
    """Open the page of past reclaims."""
    from spottui.console.pages.overview import StatisticsPage

    session.app.push_screen(StatisticsPage(session))


def ready(session: Session) -> None:
    """Open the board of how each instance would come back now."""
    from spottui.console.pages.readiness import ReadinessPage

    session.app.push_screen(ReadinessPage(session))


def pause(main: "MainScreen") -> None:
    """Stop the events from following new ones, or let them follow again."""
    main.reader.pause()
    main.write_lines()


def top(main: "MainScreen") -> None:
    """Go to the first row; of the events to the newest one, whatever older ones are held."""
    if main.panel is main.events_panel and not main.reader.follows and not main.reader.is_paused:
        main.reader.start_over()
    main.panel.table.move_to(0)


def sort_by(main: "MainScreen", column: str, called: str) -> None:
    """Sort the focused table by a column, which is then shown; reversed where it is sorted by it already."""
    table, notify = main.panel.table, main.session.app.notify
    if column not in [each.id for each in table.model.table.columns]:
        titles = ", ".join(each.title for each in table.columns if each.title)
        notify(f"{main.panel.label} cannot be sorted by {called}; columns: {titles}.", severity="warning")
        return
    again = table.model.sort_column == column
    table.sort_by(column, reverse=again and not table.model.sort_reversed)
    if not table.is_shown(column):
        table.show_columns(table.arrangement.showing(column, shown=True))
    notify(f"Sorted by {called}{', reversed' if table.model.sort_reversed else ''}; U sorts by urgency again.")


def sort_by_urgency(main: "MainScreen") -> None:
    """Give the focused table its default order."""
    main.panel.table.sort_by("")
    main.session.app.notify("Sorted by urgency.")


def reverse(main: "MainScreen") -> None:
    """Reverse the order of the focused table."""
    table = main.panel.table
    table.sort_by(table.model.sort_column, reverse=not table.model.sort_reversed)


def help_(main: "MainScreen") -> None:
    """Open the help."""
    from spottui.console.pages.help import HelpPage

    main.session.app.push_screen(HelpPage(main.session, main.panel.label, main.action_context))


def suspend(session: Session) -> None:
    """Return to the shell until `fg`; refused while auto-mode is armed or a recovery is open, which it would stop."""
    app, view = session.app, session.view
    if (
        view
        and not view.read_only
        and (view.auto.armed or any(not r.state.is_final for r in (*view.recoveries, *view.elsewhere)))
    ):
        what = "auto-mode is armed" if view.auto.armed else "a recovery is open"
        text = f"Not while {what}: a suspended console does nothing. In tmux, detach instead."
        app.notify(text, severity="warning")
    elif (driver := app._driver) and driver.can_suspend:
        app.action_suspend_process()
    else:
        app.notify("This terminal cannot suspend.", severity="warning")


def quit_(session: Session) -> None:
    """Leave; ask first where a recovery runs or waits for a person, but never in a read-only console: it runs none."""
    from spottui.console.dialogs.quit import QuitDialog, open_work

    def leave(yes: bool | None) -> None:
        if yes:
            session.app.post_message(LeaveWanted())

    view = session.view
    if has_started(view) and not view.read_only and open_work(view):
        session.app.push_screen(QuitDialog(session), leave)
    else:
        leave(True)


Handler = Callable[["MainScreen"], None]


def _with_session(handle: Callable[[Session], None]) -> Handler:
    return lambda main: handle(main.session)


def _with_selection(handle: Callable[[Session, Selection], None]) -> Handler:
    return lambda main: handle(main.session, main.selection)


def _act(main: "MainScreen", action_id: str) -> None:
    context, may_slip = main.action_context, main.has_slipped
    act(main.session, BY_ID[action_id], context, main.selection, main.marked_recoveries, may_slip=may_slip)


def _export(main: "MainScreen", form: str) -> None:
    names = main.reader.names if main.panel is main.events_panel else None
    export(main.session, main.panel, form, names)


def _scroll_sideways(main: "MainScreen", halves: int) -> None:
    if not main.panel.table.scroll_sideways(halves):
        side = "right" if halves > 0 else "left"
        main.session.app.notify(f"Nothing more to the {side}.", severity="warning")


def _next_panel(main: "MainScreen", step: int) -> None:
    main.panel.keep_filter()
    index = main.panels.index(main.panel)
    main.focus_panel(main.panels[(index + step) % len(main.panels)])


def _set_pace(main: "MainScreen", change: Callable[[Playback], None]) -> None:
    if main.session.playback:
        change(main.session.playback)


HANDLERS: dict[str, Handler] = {
    **{action_id: partial(_act, action_id=action_id) for action_id in IDS},
    "auto": _with_session(recovery_handlers.auto),
    "hold_time": partial(_set_pace, change=Playback.hold_or_go_on),
    "next_moment": partial(_set_pace, change=Playback.jump),
    "faster": partial(_set_pace, change=Playback.faster),
    "slower": partial(_set_pace, change=Playback.slower),
    "details": details,
    "describe": _with_selection(describe),
    "command": lambda main: main.command_line.open(),
    "timeline": _with_selection(timeline),
    "copy": _with_selection(copy_id),
    "copy_json": _with_selection(copy_json),
    "raw": raw_page,
    "go_to": go_to,
    "level": level,
    "filter": lambda main: main.panel.open_filter(),
    "sort": lambda main: main.panel.table.sort_next(),
    "reverse": reverse,
    "urgency": sort_by_urgency,
    **{f"sort_{column}": partial(sort_by, column=column, called=called) for _, column, called in SORT_KEYS},
    "columns": columns,
    "mark": lambda main: main.panel.table.mark(),
    "mark_others": lambda main: main.panel.table.mark_others(),
    "export": partial(_export, form="csv"),
    "export_json": partial(_export, form="json"),
    "storm": _with_session(storm),
    "statistics": _with_session(statistics),
    "ready": _with_session(ready),
    "pause": pause,
    "down": lambda main: main.panel.table.move(1),
    "up": lambda main: main.panel.table.move(-1),
    "page_down": lambda main: main.panel.table.move_page(1),
    "page_up": lambda main: main.panel.table.move_page(-1),
    "half_down": lambda main: main.panel.table.move_page(0.5),
    "half_up": lambda main: main.panel.table.move_page(-0.5),
    "right": partial(_scroll_sideways, halves=1),
    "left": partial(_scroll_sideways, halves=-1),
    "top": top,
    "bottom": lambda main: main.panel.table.move_to(sys.maxsize),
    "next_panel": partial(_next_panel, step=1),
    "panel_before": partial(_next_panel, step=-1),
    "instances": lambda main: main.focus_panel(main.panels[0]),
    "events": lambda main: main.focus_panel(main.panels[1]),
    "recoveries": lambda main: main.focus_panel(main.panels[2]),
    "zoom": zoom,
    "back": back,
    "palette": lambda main: main.session.app.action_command_palette(),
    "retry_sources": retry_sources,
    "debug": debug,
    "screenshot": _with_session(screenshot),
    "redraw": lambda main: main.session.app.call_next(main.session.app.run_action, "redraw"),
    "suspend": _with_session(suspend),
    "quit": _with_session(quit_),
    "help": help_,
}
"""What to do for each action of the registry, by its id."""
