"""What each action of the registry does on the main screen."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message_pump import MessagePump

from spottui.console import recovering
from spottui.console.choice import by_id
from spottui.console.messages import LeaveWanted
from spottui.domain.playback import Playback
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain

if TYPE_CHECKING:
    from spottui.console.main import MainScreen


def details(main: "MainScreen") -> None:
    """Open the timeline of a chosen recovery, or everything that is known of another chosen row."""
    choice = main.choice
    if main.panel is main.recoveries and choice.recovery:
        timeline(main)
    elif choice.event is not None:
        from spottui.console.details import DetailsPage, event_details

        event = choice.event
        main.app.push_screen(DetailsPage(plain(choice.resource_id) or "Event", lambda: event_details(event)))
    else:
        from spottui.console.instance_page import InstancePage

        main.app.push_screen(InstancePage(main, choice.region, choice.resource_id))


def timeline(main: "MainScreen") -> None:
    """Open the timeline of the chosen row's recovery."""
    from spottui.console.timeline_page import TimelinePage

    if not (recovery := main.choice.recovery):
        return
    recovery_id = recovery.recovery_id

    def look() -> Recovery | None:
        return by_id(main.view, recovery_id) if main.view else None

    def version() -> int:
        return main.view.version if main.view else 0

    def ask(asker: MessagePump) -> None:
        main.feed.ask(lambda desk: desk.timeline(recovery_id), asker)

    title = f"Recovery of {plain(recovery.name or recovery.instance_id, 60)}"
    main.app.push_screen(TimelinePage(title, look, version, ask, main.clock))


def copy(main: "MainScreen") -> None:
    """Copy the id of the chosen row."""
    choice = main.choice
    text = plain(choice.resource_id)
    if not text:
        main.notify("This row names no instance.", severity="warning")
        return
    main.app.copy_to_clipboard(text)
    main.notify(f"Copied {text}", markup=False)


def columns(main: "MainScreen") -> None:
    """Let the person choose the columns of the focused table."""
    from spottui.console.columns_dialog import ColumnsDialog

    panel = main.panel
    main.app.push_screen(
        ColumnsDialog(panel.label, panel.table, lambda chosen: main.kept.keep_columns(panel.id or "", chosen))
    )


def export(main: "MainScreen") -> None:
    """Write what the focused table shows to a CSV file."""
    _export(main, "csv")


def export_json(main: "MainScreen") -> None:
    """Write what the focused table shows to a JSON file."""
    _export(main, "json")


def _export(main: "MainScreen", form: str) -> None:
    table, now = main.panel.table, main.clock.now()
    rows = table.model.meant
    if not rows:
        main.notify("There is no row to export.", severity="warning")
        return
    name = f"spottui-{main.panel.id}-{now:%Y%m%dT%H%M%SZ}.{form}"
    main.feed.export(name, table.model.table, table.columns, rows, now.timestamp())


def back(main: "MainScreen") -> None:
    """Take away the panel's filter, else its marks, else the zoom."""
    if not main.panel.drop_filter() and not main.panel.table.unmark():
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
    from spottui.console.overview_pages import StormPage

    main.app.push_screen(StormPage(main))


def statistics(main: "MainScreen") -> None:
    """Open what past reclaims come to."""
    from spottui.console.overview_pages import StatisticsPage

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


def quit_(main: "MainScreen") -> None:
    """Leave; ask first when a recovery runs or needs a person, but not in a read-only console, which runs nothing."""
    from spottui.console.dialog import AskToQuit

    view = main.view
    text = open_work(view.recoveries) if view and not view.read_only else ""
    if text:
        main.app.push_screen(
            AskToQuit("Quit?", Content(text), "Quit", "Stay"), lambda yes: _leave(main) if yes else None
        )
    else:
        _leave(main)


def open_work(recoveries: tuple[Recovery, ...]) -> str:
    """Return what rests while no console runs, and what needs a person; empty when there is neither."""
    running = [one for one in recoveries if not one.state.is_final and not one.state.waits_for_permission]
    needy = [one for one in recoveries if one.state is RecoveryState.NEEDS_YOU]
    parts = []
    if running:
        runs, rests = ("recovery runs", "It rests") if len(running) == 1 else ("recoveries run", "They rest")
        goes = "goes" if len(running) == 1 else "go"
        parts.append(f"{len(running)} {runs}: {_names(running)}.")
        parts.append(f"{rests} while no console runs, and {goes} on at the next start.")
    if needy:
        parts.append(f"{len(needy)} {'NEEDS' if len(needy) == 1 else 'NEED'} YOU: {_names(needy)}.")
    return "\n".join(parts)


def _names(recoveries: list[Recovery]) -> str:
    names = [plain(recovery.name or recovery.instance_id, 60) for recovery in recoveries[:5]]
    return ", ".join([*names, "…"] if len(recoveries) > 5 else names)


def help_(main: "MainScreen") -> None:
    """Open the help."""
    from spottui.console.help_page import HelpPage

    main.app.push_screen(HelpPage(read_only=main.situation.read_only))


def _focus(number: int) -> Callable[["MainScreen"], None]:
    def focus(main: "MainScreen") -> None:
        panel = main.panels[number]
        if main.has_class("-zoomed"):
            main.remove_class("-zoom-instances", "-zoom-events", "-zoom-recoveries")
            main.add_class(f"-zoom-{panel.id}")
            main.fit_recoveries()
        main.set_class(number == 1 or (number == 2 and main.has_class("-on-events")), "-on-events")
        main.go_to(panel)

    return focus


def _pace(change: Callable[[Playback], None]) -> Callable[["MainScreen"], None]:
    def act(main: "MainScreen") -> None:
        if main.playback:
            change(main.playback)

    return act


DO: dict[str, Callable[["MainScreen"], None]] = {
    "confirm": recovering.confirm,
    "go": recovering.confirm,
    "veto": recovering.veto,
    "cancel": recovering.cancel,
    "hold": recovering.hold,
    "recover": recovering.recover,
    "auto": recovering.auto,
    "hold_time": _pace(Playback.hold_or_go_on),
    "next_moment": _pace(Playback.jump),
    "faster": _pace(Playback.faster),
    "slower": _pace(Playback.slower),
    "details": details,
    "timeline": timeline,
    "retry": recovering.retry,
    "copy": copy,
    "filter": lambda main: main.panel.open_filter(),
    "sort": lambda main: main.panel.table.sort_next(),
    "reverse": reverse,
    "columns": columns,
    "mark": lambda main: main.panel.table.mark(),
    "mark_others": lambda main: main.panel.table.mark_others(),
    "export": export,
    "export_json": export_json,
    "storm": storm,
    "statistics": statistics,
    "pause": pause,
    "confirm_marked": recovering.confirm_marked,
    "veto_marked": recovering.veto_marked,
    "down": lambda main: main.panel.table.move(1),
    "up": lambda main: main.panel.table.move(-1),
    "page_down": lambda main: main.panel.table.move_page(1),
    "page_up": lambda main: main.panel.table.move_page(-1),
    "top": top,
    "bottom": lambda main: main.panel.table.move_to_end(),
    "instances": _focus(0),
    "events": _focus(1),
    "recoveries": _focus(2),
    "zoom": zoom,
    "back": back,
    "palette": lambda main: main.app.action_command_palette(),
    "quit": quit_,
    "help": help_,
}
"""What to do for each action of the registry, by its id."""


def _leave(main: "MainScreen") -> None:
    main.post_message(LeaveWanted())
