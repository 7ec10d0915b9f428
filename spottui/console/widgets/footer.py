"""The keys at the bottom of the main screen, from the registry of actions."""

from spottui import actions
from spottui.action import Action, shown_key
from spottui.action_context import ActionContext
from spottui.console.widgets.keys import Key

_WHERE_ROOM = (
    "timeline",
    "go_to",
    "zoom",
    "mark",
    "sort",
    "columns",
    "copy",
    "storm",
    "statistics",
    "describe",
    "command",
    "quit",
)
"""What a footer names besides, where it has the room."""


def footer(context: ActionContext, width: int) -> tuple[Key, ...]:
    """Return the keys of what can be done now, as many as fit."""
    return tuple(key_of(action, context) for action in named_in_footer(context, width - 1))


def named_in_footer(context: ActionContext, width: int) -> tuple[Action, ...]:
    """Return the actions to name in a footer of `width` cells: what can be done now, Help always the last."""
    named = [action for action in actions.ACTIONS if action.footer(context)]
    named += [action for action in map(actions.BY_ID.__getitem__, _WHERE_ROOM) if action not in named]
    left = width - key_of(actions.BY_ID["help"], context).cells
    chosen: list[Action] = []
    for action in named:
        needed = key_of(action, context).cells
        if needed <= left and not actions.refusal(action, context):
            left -= needed
            chosen.append(action)
    return (*chosen, actions.BY_ID["help"])


def filter_footer() -> tuple[Key, ...]:
    """Return the keys of an open filter's line."""
    return Key("enter", "enter", "Keep the filter"), Key("escape", "esc", "Clear it")


def key_of(action: Action, context: ActionContext) -> Key:
    """Return an action's first key with its title there."""
    return Key(action.keys[0], shown_key(action.keys[0]), actions.label(action, context), action.danger)
