"""What the actions that change something do: confirm, recover, veto, hold, cancel, try again, and auto-mode."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message_pump import MessagePump

from spottui import words
from spottui.console.choice import interruption_of, recovery_of
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain
from spottui.domain.view import AutoMode

if TYPE_CHECKING:
    from spottui.console.desk import Desk
    from spottui.console.dialogs.plan import Chosen
    from spottui.console.main_screen import MainScreen
    from spottui.console.text.plan import Subject


def confirm(main: "MainScreen") -> None:
    """Show the plan of the recovery that a yes is for; on enter, confirm exactly that plan."""
    if recovery := main.choice.waiting:
        _confirm(main, recovery)


def go(main: "MainScreen") -> None:
    """Show the plan of the recovery in its veto window; on enter, let it go at once."""
    if recovery := main.choice.window:
        _confirm(main, recovery)


def recover(main: "MainScreen") -> None:
    """Show a plan for the chosen row's instance; its open recovery is the one that is confirmed, if it has one."""
    choice, view = main.choice, main.view
    if view is None or not choice.resource_id:
        return
    recovery = recovery_of(view, choice.region, choice.resource_id)
    if recovery and recovery.state.waits_for_permission:
        _confirm(main, recovery)
    elif recovery and not recovery.state.is_final:
        main.notify(f"{plain(choice.name)}: its recovery runs already.", severity="warning", markup=False)
    else:
        _recover(main, choice.region, choice.resource_id, choice.name)


def veto(main: "MainScreen") -> None:
    """Veto a recovery: at once where it was chosen in its veto window and has not just come there, else ask first."""
    choice = main.choice
    if not (recovery := choice.to_veto):
        return
    name = plain(recovery.name or recovery.instance_id)

    def send() -> None:
        main.feed.command(lambda desk: desk.veto(recovery.recovery_id, main.who), f"{name}: vetoed")

    if choice.own and recovery.state is RecoveryState.VETO_WINDOW and not main.has_slipped:
        send()
    else:
        text = (
            f"Nothing will be done for this reclaim of {name} ({plain(recovery.instance_id)}).\n"
            "Its data may be lost.\n\nNo call is made: nothing changes in the cloud."
        )
        _ask(main, f"Veto the recovery of {name}?", text, "Veto", send)


def confirm_marked(main: "MainScreen") -> None:
    """Show the plans of the marked recoveries that wait; on enter, confirm exactly those."""
    from spottui.console.dialogs.bulk import BulkDialog

    waiting = _marked_that_wait(main)
    if not waiting:
        return
    ids = [one.recovery_id for one in waiting]

    def run(digests: dict[str, str] | None) -> None:
        for recovery_id, digest in (digests or {}).items():
            main.feed.command(_confirmation(recovery_id, digest, main.who), f"{len(digests or {})} confirmed")

    def ask(asker: MessagePump) -> None:
        main.feed.ask(lambda desk: {one: desk.plan(one) for one in ids}, asker)

    main.app.push_screen(BulkDialog(waiting, ask, main.clock), run)


def veto_marked(main: "MainScreen") -> None:
    """Ask, then veto the marked recoveries that wait."""
    waiting = _marked_that_wait(main)
    if not waiting:
        return

    def veto_all(desk: "Desk") -> None:
        for one in waiting:
            desk.veto(one.recovery_id, main.who)

    names = "\n".join(f"  {plain(one.name or one.instance_id)}" for one in waiting)
    text = f"Nothing will be done for these reclaims. Their data may be lost. No call is made.\n\n{names}"
    many = f"{len(waiting)} recoveries" if len(waiting) > 1 else "1 recovery"
    _ask(main, f"Veto {many}?", text, "Veto", lambda: main.feed.command(veto_all, f"{many} vetoed"))


def hold(main: "MainScreen") -> None:
    """End the veto window of the chosen recovery, or of the only one that has any, without going."""
    if recovery := main.choice.window:
        name = plain(recovery.name or recovery.instance_id)
        main.feed.command(lambda desk: desk.hold(recovery.recovery_id, main.who), f"{name}: held, it waits for you")


def cancel(main: "MainScreen") -> None:
    """Ask, then cancel the chosen row's recovery at its next safe point."""
    from spottui.console.dialogs.cancel import CancelDialog

    if not (recovery := main.choice.own):
        return
    name = plain(recovery.name or recovery.instance_id)

    def answered(yes: bool | None) -> None:
        if yes:
            said = f"{name}: it is cancelled at the next safe point"
            main.feed.command(lambda desk: desk.cancel(recovery.recovery_id, main.who), said)

    main.app.push_screen(CancelDialog(main, recovery), answered)


def auto(main: "MainScreen") -> None:
    """Arm auto-mode after its limits were shown; disarm it at once."""
    if main.view is None:
        return
    limits = main.view.auto
    if limits.armed:
        main.feed.command(lambda desk: desk.disarm(main.who), "Auto-mode is off")
        return
    text = (
        "Auto-mode recovers instances by itself, as soon as a lock confirms the reclaim:\n\n"
        f"  at most {limits.max_at_once} recoveries at once and {limits.max_per_hour} an hour\n"
        f"  each one after a veto window of {limits.veto_window_s:g} s, shorter or none when time is tight\n"
        "  recoveries that wait now get theirs too; held ones wait on\n"
        f"{_ceiling(limits)}\n"
        "It calls ModifyDiskAttribute, CreateImage, RunInstances and what else each plan names,\n"
        "for every instance that is reclaimed. Instances cost money. a disarms it."
    )
    if limits.stopped:
        text += f"\n\nIt is off because: {words.stopped(limits.stopped)}"
    _ask(main, "Arm auto-mode?", text, "Arm", lambda: main.feed.command(lambda desk: desk.arm(main.who), "Armed"))


def retry(main: "MainScreen") -> None:
    """Show the plan of a recovery that came to nothing; on enter, try again exactly that."""
    if not (recovery := main.choice.recovery):
        return
    recovery_id, name = recovery.recovery_id, plain(recovery.name or recovery.instance_id)

    def run(chosen: "Chosen | None") -> None:
        if chosen:
            digest = chosen.plan.digest
            main.feed.command(
                lambda desk: desk.retry(recovery_id, digest, main.who), f"{name}: tried again, plan {digest}"
            )

    _show_plan(
        main, _subject(main, recovery), lambda asker: main.feed.plan_again(recovery_id, asker), run, can_choose=False
    )


def _confirmation(recovery_id: str, digest: str, who: str) -> "Callable[[Desk], None]":
    return lambda desk: desk.confirm(recovery_id, digest, who)


def _marked_that_wait(main: "MainScreen") -> tuple[Recovery, ...]:
    found = {one.recovery_id: one for one in main.marked_recoveries if one.state.waits_for_permission}
    if not found:
        main.notify("None of the marked rows has a recovery that waits.", severity="warning")
    return tuple(sorted(found.values(), key=lambda one: one.deadline))


def _ceiling(limits: AutoMode) -> str:
    if not limits.max_added_cost_per_hour:
        return "  no ceiling on what replacements may cost more\n"
    spent, most = limits.added_cost_per_hour, limits.max_added_cost_per_hour
    return f"  replacements of one hour may cost {most:g} an hour more than before, {spent:g} of it is taken\n"


def _confirm(main: "MainScreen", recovery: Recovery) -> None:
    recovery_id, name = recovery.recovery_id, plain(recovery.name or recovery.instance_id)

    def run(chosen: "Chosen | None") -> None:
        if chosen:
            digest, route = chosen.plan.digest, chosen.route
            main.feed.command(
                lambda desk: desk.confirm(recovery_id, digest, main.who, route),
                f"{name}: confirmed, plan {chosen.shown.digest}",
            )

    _show_plan(main, _subject(main, recovery), lambda asker: main.feed.plan(recovery_id, asker), run)


def _recover(main: "MainScreen", region: str, instance_id: str, name: str) -> None:
    def look() -> "Subject":
        from spottui.console.text.plan import Subject

        seen = interruption_of(main.view, region, instance_id) if main.view else None
        return Subject(region, instance_id, name, None, seen)

    def run(chosen: "Chosen | None") -> None:
        if chosen:
            digest, route = chosen.plan.digest, chosen.route
            main.feed.command(
                lambda desk: desk.recover(region, instance_id, digest, main.who, route),
                f"{plain(name)}: recovery started, plan {chosen.shown.digest}",
            )

    _show_plan(main, look, lambda asker: main.feed.plan_for(region, instance_id, asker), run)


def _subject(main: "MainScreen", recovery: Recovery) -> "Callable[[], Subject]":
    def look() -> "Subject":
        from spottui.console.text.plan import Subject

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
    run: "Callable[[Chosen | None], None]",
    *,
    can_choose: bool = True,
) -> None:
    from spottui.console.dialogs.plan import PlanDialog

    main.app.push_screen(PlanDialog(look, ask, main.clock, can_choose=can_choose), run)


def _ask(main: "MainScreen", title: str, text: str, do: str, send: Callable[[], None]) -> None:
    from spottui.console.dialogs.dialog import Ask

    def answered(yes: bool | None) -> None:
        if yes:
            send()

    main.app.push_screen(Ask(title, Content(text), do), answered)
