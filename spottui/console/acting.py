"""What each action of the registry does on the main screen."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message_pump import MessagePump

from spottui.console.choice import by_id, interruption_of, recovery_of
from spottui.console.messages import LeaveWanted
from spottui.domain.plan import Plan, Route
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain

if TYPE_CHECKING:
    from spottui.console.main import MainScreen
    from spottui.console.plan_text import Subject


def confirm(main: "MainScreen") -> None:
    """Show the plan of the recovery that a yes is for; on enter, confirm exactly that plan."""
    if recovery := main.choice.waiting:
        _confirm(main, recovery)


def recover(main: "MainScreen") -> None:
    """Show a plan for the chosen instance; its open recovery is the one that is confirmed, if it has one."""
    instance, view = main.choice.instance, main.view
    if instance is None or view is None:
        return
    recovery = recovery_of(view, instance)
    if recovery and recovery.state.waits_for_permission:
        _confirm(main, recovery)
    elif recovery and not recovery.state.is_final:
        main.notify(f"{plain(recovery.name)}: its recovery runs already.", severity="warning", markup=False)
    else:
        _recover(main, instance.region, instance.instance_id, instance.name)


def veto(main: "MainScreen") -> None:
    """Veto the chosen recovery: at once in its veto window, else, or when it has just come there, after a question."""
    if not (recovery := main.choice.own):
        return
    name = plain(recovery.name or recovery.instance_id)

    def send() -> None:
        main.feed.command(lambda desk: desk.veto(recovery.recovery_id, main.who), f"{name}: vetoed")

    if recovery.state is RecoveryState.VETO_WINDOW and not main.has_slipped:
        send()
    else:
        text = (
            f"Nothing will be done for this reclaim of {name} ({plain(recovery.instance_id)}).\nIts data may be lost."
        )
        _ask(main, f"Veto the recovery of {name}?", text, "Veto", send)


def hold(main: "MainScreen") -> None:
    """End the veto window of the chosen recovery, without going."""
    if recovery := main.choice.own:
        name = plain(recovery.name or recovery.instance_id)
        main.feed.command(lambda desk: desk.hold(recovery.recovery_id, main.who), f"{name}: held, it waits for you")


def cancel(main: "MainScreen") -> None:
    """Ask, then stop the chosen row's recovery at its next safe point."""
    if not (recovery := main.choice.own):
        return
    name = plain(recovery.name or recovery.instance_id)
    made = [f"  {plain(made.kind)} {plain(made.resource_id)}" for made in recovery.created]
    left = "\n".join(
        ["Left behind so far, and charged until you delete it:", *made] if made else ["Nothing made so far."]
    )
    text = f"It is {recovery.state} and stops at the next safe point.\n\n{left}"

    def send() -> None:
        main.feed.command(lambda desk: desk.cancel(recovery.recovery_id, main.who), f"{name}: stopping")

    _ask(main, f"Stop the recovery of {name}?", text, "Stop it", send, leave="Let it run")


def auto(main: "MainScreen") -> None:
    """Arm auto-mode after its limits were shown; disarm it at once."""
    if main.view is None:
        return
    limits = main.view.auto
    if limits.armed:
        main.feed.command(lambda desk: desk.disarm(main.who, f"disarmed by {main.who}"), "Auto-mode is off")
        return
    text = (
        "Auto-mode recovers instances by itself, as soon as a lock confirms the reclaim:\n\n"
        f"  at most {limits.max_at_once} recoveries at once and {limits.max_per_hour} an hour\n"
        f"  each one after a veto window of {limits.veto_window_s:g} s, shorter or none when time is tight\n"
        "  recoveries that wait now get theirs too; held ones wait on\n\n"
        "It launches instances, which cost money. a disarms it."
    )
    if limits.reason:
        text += f"\n\nIt is off because: {plain(limits.reason)}"
    _ask(main, "Arm auto-mode?", text, "Arm", lambda: main.feed.command(lambda desk: desk.arm(main.who), "Armed"))


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

    def ask(asker: MessagePump) -> None:
        main.feed.ask(lambda desk: desk.timeline(recovery_id), asker)

    title = f"Recovery of {plain(recovery.name or recovery.instance_id, 60)}"
    main.app.push_screen(TimelinePage(title, look, ask, main.clock))


def retry(main: "MainScreen") -> None:
    """Show the plan of a recovery that came to nothing; on enter, try again exactly that."""
    if not (recovery := main.choice.recovery):
        return
    recovery_id, name = recovery.recovery_id, plain(recovery.name or recovery.instance_id)

    def run(plan: Plan | None) -> None:
        if plan:
            said = f"{name}: tried again, plan {plan.digest}"
            main.feed.command(lambda desk: desk.retry(recovery_id, plan.digest, main.who), said)

    _show_plan(main, _subject(main, recovery), lambda asker: main.feed.plan_again(recovery_id, asker), run)


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
        main.call_after_refresh(panel.table.focus)

    return focus


DO: dict[str, Callable[["MainScreen"], None]] = {
    "confirm": confirm,
    "go": confirm,
    "veto": veto,
    "cancel": cancel,
    "hold": hold,
    "recover": recover,
    "auto": auto,
    "details": details,
    "timeline": timeline,
    "retry": retry,
    "copy": copy,
    "filter": lambda main: main.panel.open_filter(),
    "sort": lambda main: main.panel.table.sort_next(),
    "reverse": reverse,
    "columns": columns,
    "mark": lambda main: main.panel.table.mark(),
    "mark_others": lambda main: main.panel.table.mark_others(),
    "export": export,
    "export_json": export_json,
    "storm": lambda main: None,
    "statistics": lambda main: None,
    "pause": lambda main: None,
    "confirm_marked": lambda main: None,
    "veto_marked": lambda main: None,
    "down": lambda main: main.panel.table.move(1),
    "up": lambda main: main.panel.table.move(-1),
    "page_down": lambda main: main.panel.table.move_page(1),
    "page_up": lambda main: main.panel.table.move_page(-1),
    "top": lambda main: main.panel.table.move_to(0),
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


def _confirm(main: "MainScreen", recovery: Recovery) -> None:
    recovery_id, name = recovery.recovery_id, plain(recovery.name or recovery.instance_id)

    def run(plan: Plan | None) -> None:
        if plan:
            said = f"{name}: confirmed, plan {plan.digest}"
            main.feed.command(lambda desk: desk.confirm(recovery_id, plan.digest, main.who), said)

    def choose(route: Route, asker: MessagePump) -> None:
        main.feed.choose_route(recovery_id, route, main.who, asker)

    _show_plan(main, _subject(main, recovery), lambda asker: main.feed.plan(recovery_id, asker), run, choose)


def _recover(main: "MainScreen", region: str, instance_id: str, name: str) -> None:
    def look() -> "Subject":
        from spottui.console.plan_text import Subject

        seen = interruption_of(main.view, region, instance_id) if main.view else None
        return Subject(region, instance_id, name, None, seen)

    wanted: list[Route] = []

    def choose(route: Route, asker: MessagePump) -> None:
        wanted[:] = [route]
        main.feed.plan_for(region, instance_id, asker, route)

    def run(plan: Plan | None) -> None:
        if plan:
            said = f"{plain(name)}: recovery started, plan {plan.digest}"
            route = wanted[0] if wanted else None
            main.feed.command(lambda desk: desk.recover(region, instance_id, plan.digest, main.who, route), said)

    _show_plan(main, look, lambda asker: main.feed.plan_for(region, instance_id, asker), run, choose)


def _subject(main: "MainScreen", recovery: Recovery) -> "Callable[[], Subject]":
    def look() -> "Subject":
        from spottui.console.plan_text import Subject

        view = main.view
        now = (
            next((r for r in view.recoveries if r.recovery_id == recovery.recovery_id), recovery) if view else recovery
        )
        seen = interruption_of(view, recovery.region, recovery.instance_id) if view else None
        return Subject(recovery.region, recovery.instance_id, recovery.name, now, seen)

    return look


def _show_plan(
    main: "MainScreen",
    look: "Callable[[], Subject]",
    ask: Callable[[MessagePump], None],
    run: Callable[[Plan | None], None],
    choose: Callable[[Route, MessagePump], None] | None = None,
) -> None:
    from spottui.console.plan_dialog import PlanDialog

    main.app.push_screen(PlanDialog(look, ask, main.clock, choose), run)


def _ask(main: "MainScreen", title: str, text: str, do: str, send: Callable[[], None], leave: str = "Leave") -> None:
    from spottui.console.dialog import Ask

    def answered(yes: bool | None) -> None:
        if yes:
            send()

    main.app.push_screen(Ask(title, Content(text), do, leave), answered)


def _leave(main: "MainScreen") -> None:
    main.post_message(LeaveWanted())
