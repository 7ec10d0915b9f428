"""One thing that a person can do, and where it belongs."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from spottui.action_context import ActionContext
from spottui.domain.commands import Command
from spottui.domain.recovery import Recovery


class Scope(StrEnum):
    """The heading of the help under which an action is listed."""

    RECOVERY = "Recoveries"
    AUTO = "Auto-mode"
    TABLE = "Tables"
    PANEL = "Panels"
    REPLAY = "Replay (spottui replay)"
    APP = "Program"


def always(context: ActionContext) -> bool:
    """In every context."""
    return True


def never(context: ActionContext) -> bool:
    """In no context."""
    return False


class Action(msgspec.Struct, frozen=True):
    """One thing a person can do; `danger` says that it changes something in the cloud or allows that.

    `keys` are Textual's names of keys; the first one is shown. `offered` says when the action is possible, `otherwise`
    is the refusal where it is not. `footer` says when the footer may name it. An action on one recovery has a `target`,
    without which it is not possible. One that only sends a `command` to it says what was `done` then.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    scope: Scope
    help: str
    danger: bool = False
    offered: Callable[[ActionContext], bool] = always
    otherwise: str = ""
    footer: Callable[[ActionContext], bool] = never
    target: Callable[[ActionContext], Recovery | None] | None = None
    command: Command | None = None
    done: str = ""


def shown_key(key: str) -> str:
    """Return a key's name as people read it."""
    return _SHOWN_KEYS.get(key, key)


_SHOWN_KEYS = {
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "escape": "esc",
    "asterisk": "*",
    "plus": "+",
    "minus": "-",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "left": "←",
    "right": "→",
    "down": "↓",
    "up": "↑",
}
