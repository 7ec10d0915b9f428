"""How a person leaves: for good, or back to the shell for a while; and what stands still meanwhile."""

from typing import TYPE_CHECKING

from textual.content import Content

from spottui.console.messages import LeaveWanted
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain

if TYPE_CHECKING:
    from spottui.console.main import MainScreen


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


def suspend(main: "MainScreen") -> None:
    """Go back to the shell until `fg`; refused while something would stand still that must not."""
    view = main.view
    if view and not view.read_only and (view.auto.armed or any(not one.state.is_final for one in view.recoveries)):
        what = "auto-mode is armed" if view.auto.armed else "a recovery is open"
        told = f"Not while {what}: a suspended console does nothing. In tmux, detach instead."
        main.notify(told, severity="warning")
    elif (driver := main.app._driver) and driver.can_suspend:
        main.app.action_suspend_process()
    else:
        main.notify("This terminal knows no suspending.", severity="warning")


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


def _leave(main: "MainScreen") -> None:
    main.post_message(LeaveWanted())
