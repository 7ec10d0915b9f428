"""What the commands of `:` do: panels by their aliases, saved views, themes, and every action by its name."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from spottui import actions
from spottui.action import Action
from spottui.console.preferences import SavedView
from spottui.domain.text import plain

if TYPE_CHECKING:
    from spottui.console.main_screen import MainScreen

ALIASES = {
    "i": "instances",
    "inst": "instances",
    "e": "events",
    "ev": "events",
    "r": "recoveries",
    "rec": "recoveries",
    "w": "storm",
    "acc": "account",
    "accounts": "account",
    "stats": "statistics",
    "q": "quit",
    "h": "help",
}
PANELS = ("instances", "events", "recoveries")
ALL = "all"
_NAMES = (
    "instances",
    "events",
    "recoveries",
    "storm",
    "statistics",
    "ready",
    "account NAME",
    "view NAME",
    "save NAME",
    "views",
    "drop NAME",
)


def run(
    main: "MainScreen",
    text: str,
    act: Callable[[Action, str], None],
    themes: Sequence[str],
    choose_theme: Callable[[str], None],
) -> None:
    """Do what a command says, or notify which commands there are."""
    word, _, rest = text.strip().partition(" ")
    name, rest = ALIASES.get(word.casefold(), word.casefold()), rest.strip()
    main.session.preferences.keep_command(text)
    if name in PANELS:
        _go_to_panel(main, name, rest)
    elif name in _OF_VIEWS and rest:
        _OF_VIEWS[name](main, rest)
    elif name == "theme" and rest:
        _choose_theme(main, rest, themes, choose_theme)
    elif name == "account":
        show_account(main, rest)
    elif name == "views":
        main.session.app.notify(_views(main), markup=False)
    else:
        _act(main, text, act)


def use_view(main: "MainScreen", name: str) -> None:
    """Show a saved view: its panel with its filter, order and columns."""
    view = main.session.preferences.views.get(name)
    if view is None:
        main.session.app.notify(f'No view "{plain(name, 40)}". {_views(main)}', severity="warning", markup=False)
        return
    panel = next(panel for panel in main.panels if panel.id == view.panel)
    panel.put_filter(view.filter)
    panel.table.show_columns(view.columns)
    panel.table.sort_by(view.sort, reverse=view.is_reversed)
    main.focus_panel(panel)


def show_account(main: "MainScreen", name: str) -> None:
    """Narrow all views to one account, or show all; without a name that exists, notify which there are."""
    view, notify = main.session.view, main.session.app.notify
    known = view.accounts if view else ()
    if name == ALL or name in known:
        main.session.worker.narrow("" if name == ALL else name)
        return
    if not known:
        notify("There is one account: the configuration has no [account.NAME].", severity="warning", markup=False)
        return
    names = f"{', '.join(plain(name, 40) for name in known)}, or {ALL}"
    said = f'No account "{plain(name, 40)}"; accounts:' if name else "Accounts:"
    notify(f"{said} {names}.", severity="warning" if name else "information", markup=False)


def _save_view(main: "MainScreen", name: str) -> None:
    panel = main.panel
    model = panel.table.model
    view = SavedView(panel.id or "", model.filter_text, model.sort_column, model.sort_reversed, panel.table.arrangement)
    main.session.preferences.keep_view(name, view)
    text = f"View {plain(name, 40)} saved: :view {plain(name, 40)}, or spottui --view {plain(name, 40)}"
    main.session.app.notify(text, markup=False)


def _drop_view(main: "MainScreen", name: str) -> None:
    known = main.session.preferences.drop_view(name)
    main.session.app.notify(
        f"View {plain(name, 40)} deleted." if known else f'No view "{plain(name, 40)}".', markup=False
    )


def _choose_theme(main: "MainScreen", name: str, themes: Sequence[str], choose_theme: Callable[[str], None]) -> None:
    known = next((each for each in themes if name in (each, each.removeprefix("spottui-"))), None)
    if known:
        choose_theme(known)
    else:
        names = ", ".join(each.removeprefix("spottui-") for each in themes)
        main.session.app.notify(f'No theme "{plain(name, 40)}"; themes: {names}.', severity="warning", markup=False)


def _views(main: "MainScreen") -> str:
    names = ", ".join(plain(name, 40) for name in main.session.preferences.views)
    return f"Saved views: {names}." if names else "No saved view; :save NAME saves this one."


def _go_to_panel(main: "MainScreen", name: str, text: str) -> None:
    panel = next(panel for panel in main.panels if panel.id == name)
    if text:
        panel.put_filter(text)
    main.focus_panel(panel)


def _act(main: "MainScreen", text: str, act: Callable[[Action, str], None]) -> None:
    """Do the action with this name or id, refused as its key would be."""
    name = ALIASES.get(text.casefold(), text.casefold())
    action = next((each for each in actions.ACTIONS if name in (each.id, each.title.casefold())), None)
    if action is None or action.id == "command":
        names = ", ".join(_NAMES)
        main.session.app.notify(
            f'No command "{plain(text, 40)}"; commands: {names}, and every action by name.',
            severity="warning",
            markup=False,
        )
        return
    act(action, actions.refusal(action, main.action_context))


_OF_VIEWS: dict[str, Callable[["MainScreen", str], None]] = {"view": use_view, "save": _save_view, "drop": _drop_view}
