"""What the actions on recoveries do: confirm, recover, veto, hold, cancel, retry, and auto-mode."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message_pump import MessagePump

from spottui import actions, words
from spottui.console.messages import MarksUsed
from spottui.console.selection import Selection, by_id, interruption_of, recovery_of
from spottui.console.session import Session
from spottui.domain.commands import Cancel, Command, Confirm, Retry, Veto
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.text import plain
from spottui.domain.view import DeskView
from spottui.tables.prices import signed

if TYPE_CHECKING:
    from spottui.console.desk import Desk
    from spottui.console.dialogs.dialog import Question
    from spottui.console.dialogs.plan import ChosenPlan
    from spottui.console.text.plan import Subject

_AT_ONCE = 32

# Dialogs are imported when they are opened: see `action_handlers`.


def confirm(session: Session, recovery: Recovery) -> None:
    """Show the plan of a recovery that waits for permission; on enter, confirm exactly that plan."""
    recovery_id = recovery.recovery_id
    _show_plan(
        session,
        _subject(session, recovery.region, recovery.instance_id, recovery.name, recovery),
        lambda asker: session.worker.plan(recovery_id, asker),
        lambda desk, chosen: desk.carry_out(recovery_id, Confirm(chosen.plan.digest, chosen.route), session.who),
        "confirmed",
    )


def recover(session: Session, selection: Selection) -> None:
    """Show a plan for the selected row's instance; if its open recovery waits for permission, that one's plan."""
    view = session.view
    if view is None or not selection.resource_id:
        return
    recovery = recovery_of(view, selection.region, selection.resource_id)
    if recovery and recovery.state.waits_for_permission:
        confirm(session, recovery)
    elif recovery and not recovery.state.is_final:
        text = f"{plain(selection.name)}: its recovery is already running."
        session.app.notify(text, severity="warning", markup=False)
    else:
        _recover(session, selection.region, selection.resource_id, selection.name)


def back_to_spot(session: Session, selection: Selection) -> None:
    """Show the plan by which an on-demand replacement goes back to spot; one that has, ask whether to delete it."""
    if selection.own:
        text = f"{plain(selection.name)}: its recovery is already running."
        session.app.notify(text, severity="warning", markup=False)
    elif _has_gone_back(session, selection):
        _delete_on_demand(session, selection.region, selection.resource_id, selection.name)
    else:
        _recover(session, selection.region, selection.resource_id, selection.name, to_spot=True)


def veto(session: Session, recovery: Recovery, *, at_once: bool) -> None:
    """Veto a recovery: `at_once` if it is in its veto window, else after a question."""
    from spottui.console.dialogs.dialog import Question

    name = plain(recovery.name or recovery.instance_id)

    def send() -> None:
        _send(session, recovery, Veto(), "vetoed")

    if at_once and recovery.state is RecoveryState.VETO_WINDOW:
        send()
    else:
        text = (
            f"Nothing will be done for this reclaim.\n{name} ({plain(recovery.instance_id)}) {_at_stake(recovery)}."
            "\n\nNo call is made: nothing changes in the cloud."
        )
        _ask(session, Question(f"Veto the recovery of {name}?", Content(text), "Veto"), send)


def confirm_marked(session: Session, marked: tuple[Recovery, ...]) -> None:
    """Show the plans of the marked recoveries that wait for permission; on enter, confirm exactly those."""
    from spottui.console.dialogs.bulk import BulkDialog

    waiting = _waiting(session, marked)
    if not waiting:
        return
    known = {recovery.recovery_id: recovery for recovery in waiting}

    def run(digests: dict[str, str] | None) -> None:
        if digests:
            _send_each(session, [(known[key], Confirm(digest)) for key, digest in digests.items()], "confirmed")

    def ask(asker: MessagePump) -> None:
        session.worker.ask(lambda desk: {recovery_id: desk.plan(recovery_id) for recovery_id in known}, asker)

    session.app.push_screen(BulkDialog(waiting, ask, session.clock), run)


def veto_marked(session: Session, marked: tuple[Recovery, ...]) -> None:
    """Ask, then veto the marked recoveries that wait for permission."""
    from spottui.console.dialogs.dialog import Question

    waiting = _waiting(session, marked)
    if not waiting:
        return

    names = "\n".join(f"  {plain(each.name or each.instance_id)} {_at_stake(each)}" for each in waiting)
    text = f"Nothing will be done for these reclaims. No call is made.\n\n{names}"
    count = f"{len(waiting)} recoveries" if len(waiting) > 1 else "1 recovery"
    question = Question(f"Veto {count}?", Content(text), "Veto")
    _ask(session, question, lambda: _send_each(session, [(recovery, Veto()) for recovery in waiting], "vetoed"))


def _at_stake(recovery: Recovery) -> str:
    """Return what becomes of an instance after a veto, and of its data as far as that is known by now."""
    if not recovery.route.traits.launches:
        return "will be stopped, not released: its disks stay"
    released = "will be released" if recovery.interruption.confirmed else "will be released unless this is a drill"
    if kept := len(recovery.made("kept disk")):
        return f"{released}; {'1 disk is kept with its' if kept == 1 else f'{kept} disks are kept with their'} data"
    return f"{released}; no disk is protected yet: its data may be lost"


def cancel(session: Session, recovery: Recovery) -> None:
    """Ask, then cancel a recovery at its next safe point."""
    from spottui.console.dialogs.cancel import CancelDialog

    def send() -> None:
        _send(session, recovery, Cancel(), "cancelled at the next safe point")

    _ask(session, CancelDialog(session, recovery), send)


def auto(session: Session) -> None:
    """Arm auto-mode after a question that states its limits; disarm it at once."""
    from spottui.console.dialogs.dialog import Question

    if session.view is None:
        return
    limits = session.view.auto
    if limits.armed:
        session.worker.command(lambda desk: desk.disarm(session.who), "Auto-mode is off")
        return
    text = (
        "Auto-mode recovers instances on its own once a lock confirms the reclaim:\n\n"
        f"  at most {limits.max_at_once} recoveries at once and {limits.max_per_hour} per hour\n"
        f"  each one after a veto window of {limits.veto_window_s:g} s, shorter or none when time is tight\n"
        "  recoveries that wait now are included; held ones stay held\n"
        f"{_ceiling(session.view)}\n"
        "For each of them it makes the calls of its plan, such as ModifyDiskAttribute, CreateImage and RunInstances. "
        "Instances cost money. Press a again to disarm it."
    )
    if limits.stopped:
        text += f"\n\nDisarmed because: {words.stopped(limits.stopped)}"
    question = Question("Arm auto-mode?", Content(text), "Arm")
    _ask(session, question, lambda: session.worker.command(lambda desk: desk.arm(session.who), "Auto-mode is armed"))


def retry(session: Session, recovery: Recovery) -> None:
    """Show the plan of a recovery that ended without a replacement; on enter, try again exactly that."""
    recovery_id = recovery.recovery_id
    _show_plan(
        session,
        _subject(session, recovery.region, recovery.instance_id, recovery.name, recovery),
        lambda asker: session.worker.plan_again(recovery_id, asker),
        lambda desk, chosen: desk.carry_out(recovery_id, Retry(chosen.plan.digest, chosen.route), session.who),
        "retried",
        retries=True,
    )


def raw(session: Session, current: Callable[[], Selection]) -> None:
    """Open a page that follows a selection as JSON."""
    from spottui.console.pages.page import TextPage
    from spottui.console.text.details import json_lines, json_title, row_json

    title = json_title(current())
    session.app.push_screen(TextPage(session, title, lambda: json_lines(row_json(current(), session.view))))


def _waiting(session: Session, marked: tuple[Recovery, ...]) -> tuple[Recovery, ...]:
    """Return the marked recoveries that wait for permission, the nearest deadline first; notify where none does."""
    waiting = {recovery.recovery_id: recovery for recovery in marked if recovery.state.waits_for_permission}
    if not waiting:
        session.app.notify("None of these recoveries waits for a decision.", severity="warning")
    return tuple(sorted(waiting.values(), key=lambda recovery: recovery.deadline))


def _ceiling(view: DeskView) -> str:
    limits = view.auto
    if not limits.max_added_cost_per_hour:
        return "  no ceiling on the added cost\n"
    spent, most = limits.added_cost_per_hour, limits.max_added_cost_per_hour
    currency = next((plan.currency for plan in view.plans.values() if plan.currency), "")
    most_more, so_far = signed(most, currency), signed(spent, currency)
    return f"  launches within one hour may add at most {most_more}; {so_far} so far\n"


def _recover(session: Session, region: str, instance_id: str, name: str, *, to_spot: bool = False) -> None:
    _show_plan(
        session,
        _subject(session, region, instance_id, name),
        lambda asker: session.worker.plan_for(region, instance_id, asker, to_spot=to_spot),
        lambda desk, chosen: desk.recover(region, instance_id, chosen.plan.digest, session.who, chosen.route),
        "recovery started",
    )


def _has_gone_back(session: Session, selection: Selection) -> bool:
    recovery, view = selection.recovery, session.view
    if recovery and recovery.state is RecoveryState.RECOVERED and recovery.new_instance_id != recovery.instance_id:
        return True
    known = view.fleet_background.on_demand if view and view.fleet_background else {}
    on_demand = known.get((selection.region, selection.resource_id))
    return bool(on_demand and on_demand.replaced_by)


def _delete_on_demand(session: Session, region: str, instance_id: str, name: str) -> None:
    from spottui.console.dialogs.deletion import DeletionDialog

    def send() -> None:
        done = f"{plain(name)}: {plain(instance_id)} deleted"
        session.worker.command(lambda desk: desk.delete_on_demand(region, instance_id, session.who), done)

    _ask(session, DeletionDialog(session, region, instance_id, name), send)


def _subject(
    session: Session, region: str, instance_id: str, name: str, recovery: Recovery | None = None
) -> "Callable[[], Subject]":
    def current() -> "Subject":
        from spottui.console.text.plan import Subject

        view = session.view
        newest = by_id(view, recovery.recovery_id) if view and recovery else None
        interruption = interruption_of(view, region, instance_id) if view else None
        return Subject(region, instance_id, name, newest or recovery, interruption)

    return current


def _show_plan(
    session: Session,
    subject: "Callable[[], Subject]",
    ask: Callable[[MessagePump], None],
    call: "Callable[[Desk, ChosenPlan], object]",
    done: str,
    *,
    retries: bool = False,
) -> None:
    """Show the plan that `ask` asks for; on enter, send the command `call`, and notify that it is `done`."""
    from spottui.console.dialogs.plan import PlanDialog

    def run(chosen: "ChosenPlan | None") -> None:
        if chosen:
            instance = subject()
            name = plain(instance.name or instance.instance_id)
            text = f"{name}: {done}, plan {chosen.shown.digest}"
            session.worker.command(lambda desk: call(desk, chosen), text)

    session.app.push_screen(PlanDialog(subject, ask, session.clock, retries=retries), run)


def _send(session: Session, recovery: Recovery, command: Command, done: str) -> None:
    text = f"{plain(recovery.name or recovery.instance_id)}: {done}"
    session.worker.command(lambda desk: desk.carry_out(recovery.recovery_id, command, session.who), text)


def _send_each(session: Session, commands: Sequence[tuple[Recovery, Command]], done: str) -> None:
    """Send the commands of marked recoveries together, so that they share a commit; the marks are used up then.

    A refused one does not hold back the others, and is named.
    """

    def refusal(desk: "Desk", recovery: Recovery, command: Command) -> str:
        try:
            desk.carry_out(recovery.recovery_id, command, session.who)
        except Refused as refused:
            return f"{plain(recovery.name or recovery.instance_id)}: {refused}"
        return ""

    def send(desk: "Desk") -> None:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            answers = threads.map(lambda each: refusal(desk, *each), commands)
            refused = [answer for answer in answers if answer]
        if refused:
            raise Refused("\n".join([f"{len(commands) - len(refused)} of {len(commands)} {done}.", *refused]))

    session.app.post_message(MarksUsed())
    count = f"{len(commands)} recoveries" if len(commands) > 1 else "1 recovery"
    session.worker.command(send, f"{count} {done}")


def _ask(session: Session, question: "Question", send: Callable[[], None]) -> None:
    session.app.push_screen(question, lambda yes: send() if yes else None)


ON_RECOVERY: dict[str, Callable[[Session, Recovery], None]] = {
    "confirm": confirm,
    "go": confirm,
    "cancel": cancel,
    "retry": retry,
    **{
        action.id: partial(_send, command=action.command, done=action.done)
        for action in actions.ACTIONS
        if action.command
    },
}
"""What the actions with a target do with it, by their ids; a veto needs to know more."""

ON_SELECTION: dict[str, Callable[[Session, Selection], None]] = {
    "recover": recover,
    "back_to_spot": back_to_spot,
    "raw": lambda session, selection: raw(session, lambda: selection),
}
"""What the actions on a row do, by their ids."""

ON_SEVERAL: dict[str, Callable[[Session, tuple[Recovery, ...]], None]] = {
    "confirm_marked": confirm_marked,
    "veto_marked": veto_marked,
}
"""What the actions on several recoveries do, by their ids."""
