"""What a person can do: the one registry from which keys, footer, help, palette and the read-only refusal are made."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from spottui.action_context import ActionContext


class Scope(StrEnum):
    """Where an action belongs in the help, in the words of its heading."""

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


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do; `danger` says that it changes something in the cloud or allows that.

    `keys` are Textual's names of keys; the first one is shown. `offered` says when the action is possible, `otherwise`
    is the refusal where it is not. `footer` says when the footer may name it, and `target` returns the name of the
    recovery that it is for if that is not the selected row's own.
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
    target: Callable[[ActionContext], str] = lambda context: ""


def _replay_action(action_id: str, title: str, key: str, text: str) -> Action:
    otherwise = "What you see is now: only a replay goes at another pace."
    return Action(
        action_id,
        title,
        (key,),
        Scope.REPLAY,
        text,
        offered=lambda context: context.is_replay,
        otherwise=otherwise,
        footer=always,
    )


ACTIONS: tuple[Action, ...] = (
    Action(
        "confirm_marked",
        "Confirm marked",
        ("y",),
        Scope.RECOVERY,
        "Where rows are marked: show the plans of all marked ones that wait; enter then runs exactly what is shown.",
        danger=True,
        offered=lambda context: context.marked > 0,
        otherwise="No row is marked: space marks one.",
        footer=always,
    ),
    Action(
        "veto_marked",
        "Veto marked",
        ("x",),
        Scope.RECOVERY,
        "Where rows are marked: veto all marked ones that wait, after a question that names them.",
        danger=True,
        offered=lambda context: context.marked > 0,
        otherwise="No row is marked: space marks one.",
        footer=always,
    ),
    Action(
        "confirm",
        "Confirm",
        ("y",),
        Scope.RECOVERY,
        "Show the plan of the chosen recovery, or of the most urgent one that waits where the chosen one does not; "
        "enter then runs exactly what is shown.",
        danger=True,
        offered=ActionContext.can_confirm,
        otherwise="No recovery waits for you here.",
        footer=always,
        target=lambda context: context.waiting_name,
    ),
    Action(
        "go",
        "Go now",
        ("g",),
        Scope.RECOVERY,
        "In the veto window of the chosen recovery, or the only one there is: show the plan, and go at once.",
        danger=True,
        offered=lambda context: context.in_window,
        otherwise="No veto window runs here, or several do.",
        footer=always,
        target=lambda context: context.window_name,
    ),
    Action(
        "veto",
        "Veto",
        ("x",),
        Scope.RECOVERY,
        "Veto the chosen recovery while it waits, or the only one in a veto window: nothing is done for this reclaim.",
        danger=True,
        offered=ActionContext.can_veto,
        otherwise="No recovery to veto or cancel here.",
        footer=always,
        target=lambda context: "" if context.own else context.window_name,
    ),
    Action(
        "cancel",
        "Cancel",
        ("x",),
        Scope.RECOVERY,
        "Cancel the chosen recovery while it runs, at its next safe point, after a look at what that costs.",
        danger=True,
        offered=ActionContext.can_cancel,
        otherwise="No recovery to veto or cancel here.",
        footer=always,
    ),
    Action(
        "hold",
        "Hold",
        ("h",),
        Scope.RECOVERY,
        "End the veto window without going: the recovery then waits for you.",
        danger=True,
        offered=lambda context: context.in_window,
        otherwise="No veto window runs here, or several do.",
        footer=always,
        target=lambda context: context.window_name,
    ),
    Action(
        "recover",
        "Recover",
        ("r",),
        Scope.RECOVERY,
        "Plan a recovery of the chosen row's instance, reclaimed or not; enter then runs exactly what is shown.",
        danger=True,
        offered=lambda context: context.on_instance,
        otherwise="This row names no instance.",
        footer=ActionContext.can_recover,
    ),
    Action(
        "retry",
        "Try again",
        ("t",),
        Scope.RECOVERY,
        "Try a recovery again that came to nothing, from what failed on: its plan is shown first.",
        danger=True,
        offered=ActionContext.can_retry,
        otherwise="Only a recovery that failed, was cancelled or was skipped can be tried again.",
        footer=always,
    ),
    Action(
        "auto",
        "Auto",
        ("a",),
        Scope.AUTO,
        "Arm auto-mode after its limits were shown, or disarm it.",
        danger=True,
        footer=always,
    ),
    _replay_action("hold_time", "Hold/go on", "space", "Hold time still, or let it go on."),
    _replay_action("next_moment", "Next", "n", "Go to what happened next at once."),
    _replay_action("faster", "Faster", "plus", "Twice as fast."),
    _replay_action("slower", "Slower", "minus", "Half as fast."),
    Action(
        "details",
        "Details",
        ("enter",),
        Scope.TABLE,
        "Everything that is known of the chosen row; of a recovery its timeline: each call, RequestId and error.",
        offered=lambda context: context.on_row,
        otherwise="Nothing is chosen.",
        footer=always,
    ),
    Action(
        "timeline",
        "Timeline",
        ("T",),
        Scope.RECOVERY,
        "The timeline of the chosen row's recovery: each call with its RequestId, duration and error.",
        offered=lambda context: context.on_recovery,
        otherwise="The chosen row has no recovery.",
        footer=ActionContext.can_retry,
    ),
    Action(
        "filter",
        "Filter",
        ("slash",),
        Scope.TABLE,
        "Show only rows with these words: web zone:h -type:g5. esc takes the filter away.",
        footer=always,
    ),
    Action(
        "level",
        "Level",
        ("l",),
        Scope.TABLE,
        "Of the events only what is wrong or being reclaimed, then only what is done about it, then all of them.",
        offered=lambda context: context.on_events,
        otherwise="Only the events have levels (2 goes there).",
        footer=always,
    ),
    Action("sort", "Sort", ("s",), Scope.TABLE, "Sort by the next column; a click on a column's title does the same."),
    Action("reverse", "Reverse", ("S",), Scope.TABLE, "Turn the order around."),
    Action("columns", "Columns", ("C",), Scope.TABLE, "Choose the columns and their order; the choice is kept."),
    Action(
        "mark",
        "Mark",
        ("space",),
        Scope.TABLE,
        "Mark the row, or take its mark away; y and x then act on all marked rows, e exports them.",
        offered=ActionContext.can_mark,
        otherwise="Nothing is chosen.",
    ),
    Action("mark_others", "Mark others", ("asterisk",), Scope.TABLE, "Mark the rows in view that are not marked."),
    Action(
        "export",
        "Export",
        ("e",),
        Scope.TABLE,
        "Write what the table shows, or its marked rows, to a CSV file in the directory where spottui was started.",
    ),
    Action("export_json", "Export JSON", ("E",), Scope.TABLE, "The same as JSON, for a program."),
    Action(
        "copy",
        "Copy id",
        ("c",),
        Scope.TABLE,
        "Copy the id of the chosen row to the clipboard, through SSH too (OSC 52); tmux needs set -g set-clipboard on.",
        offered=lambda context: context.on_row,
        otherwise="Nothing is chosen.",
    ),
    Action(
        "copy_json",
        "Copy JSON",
        ("Y",),
        Scope.TABLE,
        "Copy all that is known of the chosen row as JSON.",
        offered=lambda context: context.on_row,
        otherwise="Nothing is chosen.",
    ),
    Action(
        "raw",
        "Raw",
        ("v",),
        Scope.TABLE,
        "All that is known of the chosen row as JSON, every character outside ASCII by its number.",
        offered=lambda context: context.on_row,
        otherwise="Nothing is chosen.",
    ),
    Action(
        "go_to",
        "Go to",
        ("o",),
        Scope.TABLE,
        "From an event or a recovery to its instance, from an instance to its recovery.",
        offered=lambda context: context.on_instance,
        otherwise="This row names no instance.",
    ),
    Action("down", "Down", ("down", "j"), Scope.TABLE, "Next row."),
    Action("up", "Up", ("up", "k"), Scope.TABLE, "Row before."),
    Action("page_down", "Page down", ("pagedown", "ctrl+f"), Scope.TABLE, "A page down."),
    Action("page_up", "Page up", ("pageup", "ctrl+b"), Scope.TABLE, "A page up."),
    Action("half_down", "Half down", ("ctrl+d",), Scope.TABLE, "Half a page down."),
    Action("half_up", "Half up", ("ctrl+u",), Scope.TABLE, "Half a page up."),
    Action("right", "Right", ("right",), Scope.TABLE, "Half a screen to the right: columns and texts without room."),
    Action("left", "Left", ("left",), Scope.TABLE, "Half a screen to the left."),
    Action("top", "Top", ("home", "g"), Scope.TABLE, "First row (g where no veto window is meant)."),
    Action("bottom", "Bottom", ("end", "G"), Scope.TABLE, "Last row."),
    Action("next_panel", "Next panel", ("tab",), Scope.PANEL, "Go to the next panel."),
    Action("panel_before", "Panel before", ("shift+tab",), Scope.PANEL, "Go to the panel before."),
    Action("instances", "Instances", ("1",), Scope.PANEL, "Go to the instances."),
    Action("events", "Events", ("2",), Scope.PANEL, "Go to the events."),
    Action("recoveries", "Recoveries", ("3",), Scope.PANEL, "Go to the recoveries."),
    Action(
        "pause",
        "Pause",
        ("p",),
        Scope.PANEL,
        "Hold the events still while new ones come, or follow them again.",
        offered=lambda context: context.on_events,
        otherwise="Only the events can be held still (2 goes there).",
        footer=always,
    ),
    Action("storm", "Storm", ("w",), Scope.PANEL, "The open recoveries by zone and type: how many will make it."),
    Action("statistics", "Statistics", ("i",), Scope.PANEL, "Interruptions by day, zone and type, and their ends."),
    Action("zoom", "Zoom", ("z",), Scope.PANEL, "Give the panel the whole screen, and take it back."),
    Action("back", "Back", ("escape",), Scope.PANEL, "Leave the filter, then the marks, then the zoom."),
    Action(
        "retry_sources",
        "Ask now",
        ("R",),
        Scope.APP,
        "Ask every source now, whatever it waits for; an API that throttles is left alone until it opens. "
        "Where the console could not start, try that again.",
        offered=ActionContext.can_ask_sources,
        otherwise="Not yet, the console is still starting.",
    ),
    Action("debug", "Debug", ("D",), Scope.APP, "Versions, terminal, lateness, workers, sources with errors, files."),
    Action(
        "screenshot",
        "Screenshot",
        ("ctrl+s",),
        Scope.APP,
        "Write the screen to an SVG and a text file in the directory where spottui was started.",
    ),
    Action(
        "suspend",
        "Suspend",
        ("ctrl+z",),
        Scope.APP,
        "Back to the shell until fg: nothing is watched meanwhile, so only where nothing is under way.",
    ),
    Action("palette", "Commands", ("colon",), Scope.APP, "All commands by name; ctrl+p does the same."),
    Action("quit", "Quit", ("q",), Scope.APP, "Leave; recoveries that run go on at the next start."),
    Action("help", "Help", ("question_mark", "f1"), Scope.APP, "This page."),
)

BY_ID = {action.id: action for action in ACTIONS}

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


def shown_key(key: str) -> str:
    """Return a key's name as people read it."""
    return _SHOWN_KEYS.get(key, key)


def refusal(action: Action, context: ActionContext) -> str:
    """Return why an action is refused, as a sentence; empty where it is allowed."""
    if action.danger and context.read_only:
        why = "this is a replay" if context.is_replay else "read-only. Start it without --read-only to act"
        return f"{action.title} is off: {why}."
    if action.danger and context.failed:
        return f"{action.title}: not possible, the console does not run: the panels say why. R tries again."
    if action.danger and not context.desk_open:
        return f"{action.title}: not yet, the console is still starting."
    return "" if action.offered(context) else action.otherwise


def on_key(key: str, context: ActionContext) -> tuple[Action, str]:
    """Return the action of a key in a context, and why it is refused; empty where it is allowed.

    Several actions can share a key: it is the first one that is allowed, else the last.
    """
    actions = [action for action in ACTIONS if key in action.keys]
    refusals = [refusal(action, context) for action in actions]
    index = refusals.index("") if "" in refusals else -1
    return actions[index], refusals[index]


def label(action: Action, context: ActionContext) -> str:
    """Return an action's title for a footer, with the name of its target if that is not the selected row."""
    return f"{action.title} {action.target(context)}".rstrip()
