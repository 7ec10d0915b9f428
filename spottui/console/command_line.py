"""What the commands of `:` do: panels by their aliases, saved views, themes, and every action by its name."""

from typing import TYPE_CHECKING

from spottui import actions
from spottui.console.preferences import SavedView
from spottui.domain.text import plain

if TYPE_CHECKING:
    from spottui.console.app import SpottuiApp

ALIASES = {
    "i": "instances",
    "inst": "instances",
    "e": "events",
    "ev": "events",
    "r": "recoveries",
    "rec": "recoveries",
    "w": "storm",
    "stats": "statistics",
    "q": "quit",
    "h": "help",
}
PANELS = ("instances", "events", "recoveries")
_NAMES = ("instances", "events", "recoveries", "storm", "statistics", "view NAME", "save NAME", "views", "drop NAME")


def run(app: "SpottuiApp", text: str) -> None:
    """Do what a command says, or notify which commands there are."""
    word, _, rest = text.strip().partition(" ")
    name, rest = ALIASES.get(word.casefold(), word.casefold()), rest.strip()
    app.session.preferences.keep_command(text)
    if name in PANELS:
        _go_to_panel(app, name, rest)
    elif name in ("view", "save", "drop", "theme") and rest:
        {"view": use_view, "save": _save_view, "drop": _drop_view, "theme": _choose_theme}[name](app, rest)
    elif name == "views":
        app.notify(_views(app), markup=False)
    else:
        _act(app, text)


def use_view(app: "SpottuiApp", name: str) -> None:
    """Show a saved view: its panel with its filter, order and columns."""
    view = app.session.preferences.views.get(name)
    if view is None:
        app.notify(f'No view "{plain(name, 40)}". {_views(app)}', severity="warning", markup=False)
        return
    panel = next(panel for panel in app.main.panels if panel.id == view.panel)
    panel.put_filter(view.filter)
    panel.table.show_columns(view.columns)
    panel.table.sort_by(view.sort, reverse=view.is_reversed)
    app.main.focus_panel(panel)


def _save_view(app: "SpottuiApp", name: str) -> None:
    panel = app.main.panel
    model = panel.table.model
    view = SavedView(panel.id or "", model.filter_text, model.sort_column, model.sort_reversed, panel.table.arrangement)
    app.session.preferences.keep_view(name, view)
    text = f"View {plain(name, 40)} saved: :view {plain(name, 40)}, or spottui --view {plain(name, 40)}"
    app.notify(text, markup=False)


def _drop_view(app: "SpottuiApp", name: str) -> None:
    known = app.session.preferences.drop_view(name)
    app.notify(f"View {plain(name, 40)} deleted." if known else f'No view "{plain(name, 40)}".', markup=False)


def _choose_theme(app: "SpottuiApp", name: str) -> None:
    known = next((each for each in app.theme_choices if name in (each, each.removeprefix("spottui-"))), None)
    if known:
        app.choose_theme(known)
    else:
        names = ", ".join(each.removeprefix("spottui-") for each in app.theme_choices)
        app.notify(f'No theme "{plain(name, 40)}": there are {names}.', severity="warning", markup=False)


def _views(app: "SpottuiApp") -> str:
    names = ", ".join(plain(name, 40) for name in app.session.preferences.views)
    return f"Saved views: {names}." if names else "No view is saved: :save NAME saves this one."


def _go_to_panel(app: "SpottuiApp", name: str, text: str) -> None:
    panel = next(panel for panel in app.main.panels if panel.id == name)
    if text:
        panel.put_filter(text)
    app.main.focus_panel(panel)


def _act(app: "SpottuiApp", text: str) -> None:
    """Do the action with this name or id, refused as its key would be."""
    name = ALIASES.get(text.casefold(), text.casefold())
    action = next((each for each in actions.ACTIONS if name in (each.id, each.title.casefold())), None)
    if action is None or action.id == "command":
        names = ", ".join(_NAMES)
        app.notify(
            f'No command "{plain(text, 40)}": there are {names}, and every action by name.',
            severity="warning",
            markup=False,
        )
        return
    app.act(action, actions.refusal(action, app.main.action_context))
