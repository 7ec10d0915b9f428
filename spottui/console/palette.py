"""The commands of the palette, each as `group: verb (key)`: every action that can be done now, filters and themes."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from spottui import actions
from spottui.actions import Action, Scope
from spottui.domain.text import plain

if TYPE_CHECKING:
    from spottui.console.app import SpottuiApp
    from spottui.console.main_screen import MainScreen

_GROUPS = {
    Scope.RECOVERY: "recovery",
    Scope.AUTO: "auto-mode",
    Scope.TABLE: "table",
    Scope.PANEL: "panel",
    Scope.REPLAY: "replay",
    Scope.APP: "program",
}


def commands(app: "SpottuiApp") -> Iterable[SystemCommand]:
    """Yield what can be done now; what would be refused is left out."""
    main = app.main
    situation = main.situation
    for action in actions.ACTIONS:
        if action.id != "palette" and not actions.refusal(action, situation):
            yield SystemCommand(title(action), action.help, partial(main.act, action, ""))
    yield from _filters(main)
    for name in app.theme_choices:
        told = "The colours of the screen; the choice is kept."
        yield SystemCommand(f"theme: {name.removeprefix('spottui-')}", told, partial(app.choose_theme, name))


def title(action: Action) -> str:
    """Return an action's title in the palette."""
    return f"{_GROUPS[action.scope]}: {action.title.lower()} ({actions.shown_key(action.keys[0])})"


def _filters(main: "MainScreen") -> Iterable[SystemCommand]:
    regions = main.view.regions if main.view and len(main.view.regions) > 1 else ()
    for region in regions:
        shown = plain(region, 40)
        told = "Only the instances of this region; esc takes the filter away."
        text = f"region={region.removeprefix('cn-')}"
        yield SystemCommand(f"filter: region {shown}", told, partial(main.filter_instances, text))
    told = "Only the instances that are being reclaimed; esc takes the filter away."
    yield SystemCommand("filter: being reclaimed", told, partial(main.filter_instances, "~^(!|✓)$~"))
