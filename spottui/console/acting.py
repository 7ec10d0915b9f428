"""What can be done with a selection, wherever it is shown: on the main screen or on a page."""

from spottui import actions
from spottui.action import Action
from spottui.action_context import ActionContext
from spottui.console.recovery_handlers import ON_RECOVERY, ON_SELECTION, ON_SEVERAL, veto
from spottui.console.selection import Selection
from spottui.console.session import Session
from spottui.console.text.health import has_started
from spottui.domain.recovery import Recovery

_VETO = "veto"
IDS = (*ON_SEVERAL, *ON_RECOVERY, *ON_SELECTION, _VETO)
"""The ids of the actions that can be done here."""


def act(
    session: Session,
    action: Action,
    context: ActionContext,
    selection: Selection,
    recoveries: tuple[Recovery, ...],
    *,
    may_slip: bool,
) -> bool:
    """Do an action with a selection, or with all `recoveries` of a row; False if it is none on recoveries.

    `may_slip` says that another recovery can move under the cursor by itself: a veto is then asked for first.
    """
    target = action.target(context) if action.target else None
    if action.id in ON_SEVERAL:
        ON_SEVERAL[action.id](session, recoveries)
    elif action.id in ON_SELECTION:
        ON_SELECTION[action.id](session, selection)
    elif target and action.id == _VETO:
        veto(session, target, at_once=context.own is not None and not may_slip)
    elif target and action.id in ON_RECOVERY:
        ON_RECOVERY[action.id](session, target)
    else:
        return False
    return True


def context_of(
    session: Session,
    selection: Selection,
    *,
    failed: bool = False,
    on_events: bool = False,
    marked: int = 0,
    of_marked: tuple[Recovery, ...] = (),
) -> ActionContext:
    """Return what is selected, for the registry of actions; `failed` says that the desk could not be opened.

    `marked` rows are meant together, and `of_marked` are their recoveries.
    """
    view = session.view
    return ActionContext(
        read_only=view is not None and view.read_only,
        desk_open=has_started(view) and session.worker.is_open,
        failed=failed,
        recovery=selection.recovery,
        waiting=selection.waiting,
        in_window=selection.in_window,
        on_row=selection.row is not None or bool(selection.resource_id),
        on_instance=bool(selection.resource_id),
        on_demand=selection.instance is not None and not selection.instance.is_spot,
        on_events=on_events,
        marked=marked,
        marked_waiting=sum(recovery.state.waits_for_permission for recovery in of_marked),
        is_replay=session.playback is not None,
    )


def offered(context: ActionContext) -> list[Action]:
    """Return the actions on recoveries that are possible now, in the order of the footer."""
    known = [action for action in actions.ACTIONS if action.id in IDS]
    return [action for action in known if not actions.refusal(action, context) and action.footer(context)]
