"""What each action of the registry does on the main screen."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from spottui.console import files, leaving, recovery_handlers
from spottui.console.clipboard import copy
from spottui.domain.playback import Playback
from spottui.domain.text import plain
from spottui.tables.column import Cell
from spottui.tables.events import LEVELS
from spottui.tables.instances import instance_key

if TYPE_CHECKING:
    from spottui.console.main_screen import MainScreen


def details(main: "MainScreen") -> None:
    """Open the timeline of a chosen recovery, or everything that is known of another chosen row."""
    choice = main.choice
    if main.panel is main.recoveries and choice.recovery:
        timeline(main)
    elif choice.event is not None:
        from spottui.console.text.details import DetailsPage, event_details

        event = choice.event
        main.app.push_screen(DetailsPage(plain(choice.resource_id) or "Event", lambda: event_details(event)))
    else:
        from spottui.console.pages.instance import InstancePage

        main.app.push_screen(InstancePage(main, choice.region, choice.resource_id))


def timeline(main: "MainScreen") -> None:
    """Open the timeline of the chosen row's recovery."""
    from spottui.console.pages.timeline import TimelinePage

    if main.choice.recovery:
        main.app.push_screen(TimelinePage(main, main.choice.recovery))


def copy_id(main: "MainScreen") -> None:
    """Copy the id of the chosen row."""
    text = plain(main.choice.resource_id)
    if text:
        copy(main.app, text, text)
    else:
        main.notify("This row names no instance.", severity="warning")


def copy_json(main: "MainScreen") -> None:
    """Copy what is known of the chosen row."""
    from spottui.console.pages.raw import raw

    text = raw(main.choice, main.view)
    copy(main.app, text, f"{_name(main)} as JSON, {len(text):,} characters")


def raw_page(main: "MainScreen") -> None:
    """Open what is known of the chosen row as JSON; it goes on following that row."""
    from spottui.console.pages.raw import RawPage, raw

    panel, row = main.panel, main.choice.row

    def look() -> str:
        return raw(main.choice_of(panel, panel.table.model.rows.get(row[0], row) if row else None), main.view)

    main.app.push_screen(RawPage(f"{_name(main)} as JSON", look))


def _name(main: "MainScreen") -> str:
    choice = main.choice
    return plain(choice.resource_id, 60) or "the event"


def go_to(main: "MainScreen") -> None:
    """Go from an instance to its recovery, and from any other row to its instance."""
    choice = main.choice
    key: Cell = instance_key(choice.region, choice.resource_id)
    panel = main.instances
    if choice.instance is not None:
        if choice.recovery is None:
            main.notify("This instance has no recovery.", severity="warning")
            return
        panel, key = main.recoveries, choice.recovery.recovery_id
    if key not in panel.table.model.rows:
        main.notify(f"{plain(choice.resource_id, 64)} is not in the fleet.", severity="warning", markup=False)
        return
    if key not in panel.table.model.position:
        panel.drop_filter()
    panel.table.move_to_key(key)
    main.focus_panel(panel)


def level(main: "MainScreen") -> None:
    """Go on to the next level of the events."""
    panel = main.events_panel
    here = next((i for i, text in enumerate(LEVELS) if text == panel.table.model.filter_text), 0)
    panel.put_filter(LEVELS[(here + 1) % len(LEVELS)])


def _aside(halves: int) -> Callable[["MainScreen"], None]:
    def look(main: "MainScreen") -> None:
        if not main.panel.table.look_aside(halves):
            main.notify(f"There is nothing more to the {'right' if halves > 0 else 'left'}.", severity="warning")

    return look


def _panel(places: int) -> Callable[["MainScreen"], None]:
    def focus(main: "MainScreen") -> None:
        main.panel.keep_filter()
        at = main.panels.index(main.panel)
        main.focus_panel(main.panels[(at + places) % len(main.panels)])

    return focus


def retry_sources(main: "MainScreen") -> None:
    """Let every source be asked now; where there is no desk, try to open it again."""
    if main.start_again():
        main.notify("Starting again…")
        return
    main.feed.command(lambda desk: desk.look_now(), "Every source is asked now")


def debug(main: "MainScreen") -> None:
    """Open what helps to find out why something is slow or silent."""
    from spottui.console.app import SpottuiApp
    from spottui.console.pages.debug import DebugPage

    assert isinstance(main.app, SpottuiApp)
    main.app.push_screen(DebugPage(main.app))


def columns(main: "MainScreen") -> None:
    """Let the person choose the columns of the focused table."""
    from spottui.console.dialogs.columns import ColumnsDialog

    panel = main.panel
    main.app.push_screen(
        ColumnsDialog(panel.label, panel.table, lambda chosen: main.kept.keep_columns(panel.id or "", chosen))
    )


def back(main: "MainScreen") -> None:
    """Take away the panel's filter, else its marks, else the zoom."""
    if main.panel.drop_filter() or main.panel.table.unmark():
        return
    if not main.has_class("-zoomed"):
        main.notify("There is nothing to leave here; q leaves the program.")
    main.remove_class("-zoomed")
    main.fit_recoveries()


def zoom(main: "MainScreen") -> None:
    """Give the focused panel the whole screen, or take it back."""
    here = f"-zoom-{main.panel.id}"
    grow = not main.has_class("-zoomed", here)
    main.remove_class("-zoom-instances", "-zoom-events", "-zoom-recoveries", "-zoomed")
    if grow:
        main.add_class("-zoomed", here)
    main.fit_recoveries()


def storm(main: "MainScreen") -> None:
    """Open the recoveries of now, by zone and type."""
    from spottui.console.pages.overview import StormPage

    main.app.push_screen(StormPage(main))


def statistics(main: "MainScreen") -> None:
    """Open what past reclaims come to."""
    from spottui.console.pages.overview import StatisticsPage

    main.app.push_screen(StatisticsPage(main))


def pause(main: "MainScreen") -> None:
    """Hold the events still, or follow them again."""
    main.reader.pause()
    main.write_lines()


def top(main: "MainScreen") -> None:
    """Go to the first row; of the events to the newest line, whatever older ones were being read."""
    if main.panel is main.events_panel and not main.reader.follows and not main.reader.is_paused:
        main.reader.start_over()
    main.panel.table.move_to(0)


def reverse(main: "MainScreen") -> None:
    """Turn the order of the focused table around."""
    table = main.panel.table
    table.sort_by(table.model.sort_column, reverse=not table.model.sort_reversed)


def help_(main: "MainScreen") -> None:
    """Open the help."""
    from spottui.console.pages.help import HelpPage

    main.app.push_screen(HelpPage(main.panel.label, main.situation))


def _focus(number: int) -> Callable[["MainScreen"], None]:
    return lambda main: main.focus_panel(main.panels[number])


def _pace(change: Callable[[Playback], None]) -> Callable[["MainScreen"], None]:
    def act(main: "MainScreen") -> None:
        if main.playback:
            change(main.playback)

    return act


DO: dict[str, Callable[["MainScreen"], None]] = {
    "confirm": recovery_handlers.confirm,
    "go": recovery_handlers.go,
    "veto": recovery_handlers.veto,
    "cancel": recovery_handlers.cancel,
    "hold": recovery_handlers.hold,
    "recover": recovery_handlers.recover,
    "auto": recovery_handlers.auto,
    "hold_time": _pace(Playback.hold_or_go_on),
    "next_moment": _pace(Playback.jump),
    "faster": _pace(Playback.faster),
    "slower": _pace(Playback.slower),
    "details": details,
    "timeline": timeline,
    "retry": recovery_handlers.retry,
    "copy": copy_id,
    "copy_json": copy_json,
    "raw": raw_page,
    "go_to": go_to,
    "level": level,
    "filter": lambda main: main.panel.open_filter(),
    "sort": lambda main: main.panel.table.sort_next(),
    "reverse": reverse,
    "columns": columns,
    "mark": lambda main: main.panel.table.mark(),
    "mark_others": lambda main: main.panel.table.mark_others(),
    "export": lambda main: files.export(main, "csv"),
    "export_json": lambda main: files.export(main, "json"),
    "storm": storm,
    "statistics": statistics,
    "pause": pause,
    "confirm_marked": recovery_handlers.confirm_marked,
    "veto_marked": recovery_handlers.veto_marked,
    "down": lambda main: main.panel.table.move(1),
    "up": lambda main: main.panel.table.move(-1),
    "page_down": lambda main: main.panel.table.move_page(1),
    "page_up": lambda main: main.panel.table.move_page(-1),
    "half_down": lambda main: main.panel.table.move_page(0.5),
    "half_up": lambda main: main.panel.table.move_page(-0.5),
    "right": _aside(1),
    "left": _aside(-1),
    "top": top,
    "bottom": lambda main: main.panel.table.move_to(sys.maxsize),
    "next_panel": _panel(1),
    "panel_before": _panel(-1),
    "instances": _focus(0),
    "events": _focus(1),
    "recoveries": _focus(2),
    "zoom": zoom,
    "back": back,
    "palette": lambda main: main.app.action_command_palette(),
    "retry_sources": retry_sources,
    "debug": debug,
    "screenshot": lambda main: files.screenshot(main),
    "suspend": leaving.suspend,
    "quit": leaving.quit_,
    "help": help_,
}
"""What to do for each action of the registry, by its id."""
