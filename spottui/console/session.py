"""What pages, dialogs and action handlers share while one console runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from textual.app import App

from spottui.console.desk_worker import DeskWorker
from spottui.console.preferences import Preferences
from spottui.console.watchdog import Watchdog
from spottui.domain.clock import Clock
from spottui.domain.playback import Playback
from spottui.domain.view import DeskView


@dataclass(slots=True)
class Session:
    """The running app, the way to the desk, and what the desk shows.

    `view` is the newest one that is on the screen, None until the desk is open; only the main screen sets it. `who` is
    recorded with every command. `playback` is the clock of a replay, None in a console that watches. `paths` are the
    files to name on the debug page and when the console fails.
    """

    app: App[None]
    worker: DeskWorker
    clock: Clock
    who: str
    preferences: Preferences
    playback: Playback | None = None
    paths: Mapping[str, Path | str] = field(default_factory=dict)
    watchdog: Watchdog = field(default_factory=Watchdog)
    view: DeskView | None = None
