"""How a person leaves: for good, or back to the shell for a while; and what stands still meanwhile."""

from typing import TYPE_CHECKING

from spottui.console.messages import LeaveWanted

if TYPE_CHECKING:
    from spottui.console.main_screen import MainScreen


def quit_(main: "MainScreen") -> None:
    """Leave; ask first when a recovery runs or waits for a word, but not in a read-only console, which runs nothing."""
    from spottui.console.dialogs.quit import QuitDialog, open_work

    view = main.view
    if view and not view.read_only and open_work(view):
        main.app.push_screen(QuitDialog(main), lambda yes: _leave(main) if yes else None)
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


def _leave(main: "MainScreen") -> None:
    main.post_message(LeaveWanted())
