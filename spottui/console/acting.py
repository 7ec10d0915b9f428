"""What can be done with a selection, wherever it is shown: on the main screen or on a page."""

from spottui import actions
from spottui.action import Action
from spottui.action_context import ActionContext
from spottui.console import recovery_handlers
from spottui.console.selection import Selection
from spottui.console.session import Session
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain

_NAME_CELLS = 14

_VETO = "veto"


def act(
    session: Session, action_id: str, selection: Selection, recoveries: tuple[Recovery, ...], *, may_slip: bool
) -> bool:
    """Do an action with a selection, or with all `recoveries` of a row; False if it is none on recoveries.

    `may_slip` says that another recovery can move under the cursor by itself: a veto is then asked for first.
    """
    if action_id in recovery_handlers.ON_SEVERAL:
        recovery_handlers.ON_SEVERAL[action_id](session, recoveries)
    elif action_id == _VETO:
        recovery_handlers.veto(session, selection, has_slipped=may_slip)
    elif action_id in recovery_handlers.ON_ONE:
        recovery_handlers.ON_ONE[action_id](session, selection)
    else:
        return False
    return True


def context_of(
    session: Session, selection: Selection, *, failed: bool = False, on_events: bool = False, marked: int = 0
) -> ActionContext:
    """Return what is selected, for the registry of actions; `failed` says that the desk could not be opened."""
    view = session.view
    return ActionContext(
        read_only=view is not None and view.read_only,
        desk_open=view is not None and not view.starting and session.worker.is_open,
        failed=failed,
        own=selection.own.state if selection.own else None,
        ended=selection.recovery.state if selection.recovery and not selection.own else None,
        waiting=selection.waiting.state if selection.waiting else None,
        in_window=selection.in_window is not None,
        waiting_name=plain(selection.name_elsewhere(selection.waiting), _NAME_CELLS),
        window_name=plain(selection.name_elsewhere(selection.in_window), _NAME_CELLS),
        on_row=selection.row is not None or bool(selection.resource_id),
        on_recovery=selection.recovery is not None,
        on_instance=bool(selection.resource_id),
        on_demand=selection.instance is not None and not selection.instance.is_spot,
        on_events=on_events,
        marked=marked,
        is_replay=session.playback is not None,
    )


def offered(context: ActionContext) -> list[Action]:
    """Return the actions on recoveries that are possible now, in the order of the footer."""
    ids = (*recovery_handlers.ON_SEVERAL, *recovery_handlers.ON_ONE, _VETO)
    known = [action for action in actions.ACTIONS if action.id in ids]
    return [action for action in known if not actions.refusal(action, context) and action.footer(context)]
