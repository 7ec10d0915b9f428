"""What a person can do: the one registry from which keys, footer, help, palette and the read-only refusal are made."""

from spottui.action import Action, Scope, always
from spottui.action_context import ActionContext
from spottui.domain.commands import Hold
from spottui.domain.text import plain

_NAME_CELLS = 14


def _replay_action(action_id: str, title: str, key: str, text: str) -> Action:
    otherwise = "Only a replay can be paused, sped up or slowed down."
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


SORT_KEYS = (
    ("L", "deadline", "time left"),
    ("N", "name", "name"),
    ("K", "type", "type"),
    ("Z", "zone", "zone"),
    ("A", "state", "state"),
    ("P", "price", "price"),
    ("I", "rate", "interruption rate"),
)
"""The keys that sort by a column: the key, the column's id, and what it is called."""

ACTIONS: tuple[Action, ...] = (
    Action(
        "confirm_marked",
        "Confirm marked",
        ("y",),
        Scope.RECOVERY,
        "With marked rows: show the plans of all marked ones that wait; enter runs exactly what is shown.",
        danger=True,
        offered=lambda context: context.marked > 0,
        otherwise="No row is marked; space marks one.",
        footer=ActionContext.can_decide_marked,
    ),
    Action(
        "veto_marked",
        "Veto marked",
        ("x",),
        Scope.RECOVERY,
        "With marked rows: veto all marked ones that wait, after a question that names them.",
        danger=True,
        offered=lambda context: context.marked > 0,
        otherwise="No row is marked; space marks one.",
        footer=ActionContext.can_decide_marked,
    ),
    Action(
        "confirm",
        "Confirm",
        ("y",),
        Scope.RECOVERY,
        "Show the plan of the selected recovery, or of the most urgent one that waits; "
        "enter runs exactly what is shown.",
        danger=True,
        otherwise="No recovery waits for you here.",
        footer=always,
        target=lambda context: context.to_confirm,
    ),
    Action(
        "go",
        "Go now",
        ("g",),
        Scope.RECOVERY,
        "In a veto window: show the plan; enter starts it at once.",
        danger=True,
        otherwise="No veto window on this row.",
        footer=always,
        target=lambda context: context.in_window,
    ),
    Action(
        "veto",
        "Veto",
        ("x",),
        Scope.RECOVERY,
        "Veto the selected waiting recovery, or the only one in a veto window: nothing is done for this reclaim.",
        danger=True,
        otherwise="No recovery to veto or cancel here.",
        footer=always,
        target=lambda context: context.to_veto,
    ),
    Action(
        "cancel",
        "Cancel",
        ("x",),
        Scope.RECOVERY,
        "Cancel the selected running recovery at its next safe point; what remains and its cost are shown first.",
        danger=True,
        otherwise="No recovery to veto or cancel here.",
        footer=always,
        target=lambda context: context.to_cancel,
    ),
    Action(
        "hold",
        "Hold",
        ("h",),
        Scope.RECOVERY,
        "Stop the veto window; the recovery then waits for you.",
        danger=True,
        command=Hold(),
        done="held, waits for you",
        otherwise="No veto window on this row.",
        footer=always,
        target=lambda context: context.in_window,
    ),
    Action(
        "recover",
        "Recover",
        ("r",),
        Scope.RECOVERY,
        "Plan a recovery of the selected instance, reclaimed or not; enter runs exactly what is shown.",
        danger=True,
        offered=lambda context: context.on_instance,
        otherwise="This row names no instance.",
        footer=ActionContext.can_recover,
    ),
    Action(
        "back_to_spot",
        "Back to spot",
        ("B",),
        Scope.RECOVERY,
        "Plan a spot instance in the place of an on-demand replacement; once it serves, B deletes the old one.",
        danger=True,
        offered=lambda context: context.on_demand,
        otherwise="Only an on-demand replacement of a spot instance can go back to spot.",
        footer=ActionContext.can_recover,
    ),
    Action(
        "retry",
        "Retry",
        ("t",),
        Scope.RECOVERY,
        "Retry a failed, cancelled or skipped recovery from the step that failed; its plan is shown first.",
        danger=True,
        otherwise="Only a failed, cancelled or skipped recovery can be retried.",
        footer=always,
        target=lambda context: context.to_retry,
    ),
    Action(
        "auto",
        "Auto",
        ("a",),
        Scope.AUTO,
        "Arm auto-mode after showing its limits, or disarm it.",
        danger=True,
        footer=always,
    ),
    _replay_action("hold_time", "Pause/play", "space", "Pause or resume playback."),
    _replay_action("next_moment", "Next", "n", "Jump to the next event."),
    _replay_action("faster", "Faster", "plus", "Double the playback speed."),
    _replay_action("slower", "Slower", "minus", "Halve the playback speed."),
    Action(
        "details",
        "Details",
        ("enter",),
        Scope.TABLE,
        "Everything known about the selected row; for a recovery its timeline: each call, RequestId and error.",
        offered=lambda context: context.on_row,
        otherwise="Nothing is selected.",
        footer=always,
    ),
    Action(
        "describe",
        "Describe",
        ("d",),
        Scope.TABLE,
        "The instance of the selected row: forecast, disks, images, prices, launch spec and past reclaims.",
        offered=lambda context: context.on_instance,
        otherwise="This row names no instance.",
    ),
    Action(
        "timeline",
        "Timeline",
        ("T",),
        Scope.RECOVERY,
        "The timeline of the selected row's recovery: each call with its RequestId, duration and error.",
        otherwise="The selected row has no recovery.",
        footer=lambda context: context.to_retry is not None,
        target=lambda context: context.recovery,
    ),
    Action(
        "filter",
        "Filter",
        ("slash",),
        Scope.TABLE,
        "Show only rows with these words: web zone:h -type:g5. esc clears it.",
        footer=always,
    ),
    Action(
        "level",
        "Level",
        ("l",),
        Scope.TABLE,
        "Cycle the events: problems and reclaims only, actions only, all.",
        offered=lambda context: context.on_events,
        otherwise="Only the events have levels; press 2 to go there.",
        footer=always,
    ),
    Action("sort", "Sort", ("s",), Scope.TABLE, "Sort by the next column; a click on a column title sorts by it."),
    *(
        Action(f"sort_{column}", f"Sort by {title}", (key,), Scope.TABLE, f"Sort by {title}; again reverses the order.")
        for key, column, title in SORT_KEYS
    ),
    Action("urgency", "By urgency", ("U",), Scope.TABLE, "Back to the default order: the most urgent first."),
    Action("reverse", "Reverse", ("S",), Scope.TABLE, "Reverse the sort order."),
    Action("columns", "Columns", ("C",), Scope.TABLE, "Choose the columns and their order; saved for the next start."),
    Action(
        "mark",
        "Mark",
        ("space",),
        Scope.TABLE,
        "Mark or unmark the row; y and x then act on all marked rows, e exports them.",
        offered=ActionContext.can_mark,
        otherwise="Nothing is selected.",
    ),
    Action("mark_others", "Mark others", ("asterisk",), Scope.TABLE, "Invert the marks of the rows in view."),
    Action(
        "export",
        "Export",
        ("e",),
        Scope.TABLE,
        "Write the table, or its marked rows, to a CSV file in the working directory.",
    ),
    Action("export_json", "Export JSON", ("E",), Scope.TABLE, "Write the table, or its marked rows, to a JSON file."),
    Action(
        "copy",
        "Copy id",
        ("c",),
        Scope.TABLE,
        "Copy the selected row's id to the clipboard, also over SSH (OSC 52); tmux needs set -g set-clipboard on.",
        offered=lambda context: context.on_row,
        otherwise="Nothing is selected.",
    ),
    Action(
        "copy_json",
        "Copy JSON",
        ("Y",),
        Scope.TABLE,
        "Copy everything known about the selected row as JSON.",
        offered=lambda context: context.on_row,
        otherwise="Nothing is selected.",
    ),
    Action(
        "raw",
        "Raw",
        ("v",),
        Scope.TABLE,
        "Everything known about the selected row as JSON, non-ASCII characters escaped.",
        offered=lambda context: context.on_row,
        otherwise="Nothing is selected.",
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
    Action("up", "Up", ("up", "k"), Scope.TABLE, "Previous row."),
    Action("page_down", "Page down", ("pagedown", "ctrl+f"), Scope.TABLE, "Page down."),
    Action("page_up", "Page up", ("pageup", "ctrl+b"), Scope.TABLE, "Page up."),
    Action("half_down", "Half down", ("ctrl+d",), Scope.TABLE, "Half a page down."),
    Action("half_up", "Half up", ("ctrl+u",), Scope.TABLE, "Half a page up."),
    Action("right", "Right", ("right",), Scope.TABLE, "Scroll half a screen to the right."),
    Action("left", "Left", ("left",), Scope.TABLE, "Scroll half a screen to the left."),
    Action("top", "Top", ("home", "g"), Scope.TABLE, "First row (g outside a veto window)."),
    Action("bottom", "Bottom", ("end", "G"), Scope.TABLE, "Last row."),
    Action("next_panel", "Next panel", ("tab",), Scope.PANEL, "Go to the next panel."),
    Action("panel_before", "Previous panel", ("shift+tab",), Scope.PANEL, "Go to the previous panel."),
    Action("instances", "Instances", ("1",), Scope.PANEL, "Go to the instances."),
    Action("events", "Events", ("2",), Scope.PANEL, "Go to the events."),
    Action("recoveries", "Recoveries", ("3",), Scope.PANEL, "Go to the recoveries."),
    Action(
        "pause",
        "Pause",
        ("p",),
        Scope.PANEL,
        "Pause the events, or follow new ones again.",
        offered=lambda context: context.on_events,
        otherwise="Only the events can be paused; press 2 to go there.",
        footer=always,
    ),
    Action("storm", "Storm", ("w",), Scope.PANEL, "Open recoveries by zone and type, and how many will make it."),
    Action("statistics", "Statistics", ("i",), Scope.PANEL, "Reclaims by day, zone and type, and their outcomes."),
    Action(
        "ready",
        "Readiness",
        ("b",),
        Scope.PANEL,
        "How each instance would come back now, how old its data would be, and what is missing.",
    ),
    Action("zoom", "Zoom", ("z",), Scope.PANEL, "Maximize the panel, or restore it."),
    Action("back", "Back", ("escape",), Scope.PANEL, "Clear the filter, then the marks, then the zoom."),
    Action(
        "retry_sources",
        "Refresh",
        ("R",),
        Scope.APP,
        "Query every source now; a throttled API is left alone until it opens. After a failed start, try again.",
        offered=ActionContext.can_ask_sources,
        otherwise="The console is still starting.",
    ),
    Action("debug", "Debug", ("D",), Scope.APP, "Versions, terminal, latency, workers, sources with errors, files."),
    Action(
        "screenshot",
        "Screenshot",
        ("ctrl+s",),
        Scope.APP,
        "Save the screen as SVG and text in the working directory.",
    ),
    Action("redraw", "Redraw", ("ctrl+l",), Scope.APP, "Draw the screen again, if something else wrote over it."),
    Action(
        "suspend",
        "Suspend",
        ("ctrl+z",),
        Scope.APP,
        "Suspend to the shell until fg; refused while anything is in progress, because nothing is watched meanwhile.",
    ),
    Action(
        "command",
        "Command",
        ("colon",),
        Scope.APP,
        "A command by name: inst, rec, ev, storm, stats, ready, view NAME, save NAME, theme NAME; ↑ recalls the last.",
    ),
    Action("palette", "Palette", ("ctrl+p",), Scope.APP, "Search all commands, filters, views and themes."),
    Action("quit", "Quit", ("q",), Scope.APP, "Quit; running recoveries resume at the next start."),
    Action("help", "Help", ("question_mark", "f1"), Scope.APP, "This page."),
)

BY_ID = {action.id: action for action in ACTIONS}


def refusal(action: Action, context: ActionContext) -> str:
    """Return why an action is refused, as a sentence; empty where it is allowed."""
    if action.danger and context.read_only:
        why = "this is a replay" if context.is_replay else "read-only. Start it without --read-only to act"
        return f"{action.title} is unavailable: {why}."
    if action.danger and context.failed:
        return f"{action.title}: unavailable, the console is not running: the panels say why. R retries."
    if action.danger and not context.desk_open:
        return f"{action.title}: the console is still starting."
    return "" if _is_possible(action, context) else action.otherwise


def on_key(key: str, context: ActionContext) -> tuple[Action, str]:
    """Return the action of a key in a context, and why it is refused; empty where it is allowed.

    Several actions can share a key: it is the first one that is possible here, allowed or not, else the last.
    """
    actions = [action for action in ACTIONS if key in action.keys]
    action = next((action for action in actions if _is_possible(action, context)), actions[-1])
    return action, refusal(action, context)


def label(action: Action, context: ActionContext) -> str:
    """Return an action's title for a footer, with the name of its target if that is not the selected row."""
    recovery = action.target(context) if action.target else None
    if recovery is None or (context.recovery and context.recovery.recovery_id == recovery.recovery_id):
        return action.title
    return f"{action.title} {plain(recovery.name or recovery.instance_id, _NAME_CELLS)}"


def _is_possible(action: Action, context: ActionContext) -> bool:
    """Whether there is something to do it to, allowed or not."""
    return action.offered(context) and (action.target is None or action.target(context) is not None)
