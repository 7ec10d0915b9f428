"""The commands of the palette, each as `group: verb (key)`: every action that can be done now, filters and themes."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from spottui import actions
from spottui.action import Action, Scope, shown_key
from spottui.console.command_line import show_account
from spottui.domain.text import plain
from spottui.tables.instances import BACK_WORD, EARLY_WORD

if TYPE_CHECKING:
    from spottui.console.main_screen import MainScreen

_GROUPS = {
    Scope.RECOVERY: "recovery",
    Scope.AUTO: "auto-mode",
    Scope.TABLE: "table",
    Scope.PANEL: "panel",
    Scope.REPLAY: "replay",
    Scope.APP: "program",
}


def commands(
    main: "MainScreen", act: Callable[[Action], None], themes: Iterable[str], choose_theme: Callable[[str], None]
) -> Iterable[SystemCommand]:
    """Yield what can be done now; what would be refused is left out."""
    context = main.action_context
    for action in actions.ACTIONS:
        if action.id != "palette" and not actions.refusal(action, context):
            yield SystemCommand(title(action), action.help, partial(act, action))
    yield from _filters(main)
    for name in themes:
        text = "Colours of the screen; saved for the next start."
        yield SystemCommand(f"theme: {name.removeprefix('spottui-')}", text, partial(choose_theme, name))


def title(action: Action) -> str:
    """Return an action's title in the palette."""
    return f"{_GROUPS[action.scope]}: {action.title.lower()} ({shown_key(action.keys[0])})"


def _filters(main: "MainScreen") -> Iterable[SystemCommand]:
    view = main.session.view
    for account in ("all", *view.accounts) if view and len(view.accounts) > 1 else ():
        text = "Show this account only." if account != "all" else "Show every account."
        yield SystemCommand(f"account: {plain(account, 40)}", text, partial(show_account, main, account))
    for region in view.region_ids if view and len(view.region_ids) > 1 else ():
        text = "Only the instances of this region; esc clears it."
        query = f"region={region.removeprefix('cn-')}"
        yield SystemCommand(f"filter: region {plain(region, 40)}", text, partial(main.filter_instances, query))
    text = "Only the instances that are being reclaimed; esc clears it."
    yield SystemCommand("filter: being reclaimed", text, partial(main.filter_instances, "~^(!|✓)$~"))
    text = "Only the instances that may be reclaimed soon, by price, stock or interruption rate; esc clears it."
    yield SystemCommand("filter: early warning", text, partial(main.filter_instances, EARLY_WORD))
    text = "Only the on-demand replacements that may go back to spot now; esc clears it."
    yield SystemCommand("filter: way back to spot", text, partial(main.filter_instances, BACK_WORD))
