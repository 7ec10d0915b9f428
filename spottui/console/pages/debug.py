"""What helps to find out why something is slow or silent: versions, terminal, lateness, workers, sources, files."""

import os
import platform
import threading
from importlib.metadata import version
from typing import TYPE_CHECKING

from textual.content import Content

from spottui import __version__, words
from spottui.console.pages.page import Page
from spottui.console.text.details import Fact, section
from spottui.domain.view import DeskView, SourceHealth
from spottui.tables.moments import age
from spottui.words import EventKind

if TYPE_CHECKING:
    from spottui.console.app import SpottuiApp

_LIBRARIES = ("textual", "rich", "msgspec", "sqlalchemy", "alibabacloud-ecs20140526", "aliyun-mns-sdk")
_TERMINAL = ("TERM", "COLORTERM", "NO_COLOR", "TMUX", "SSH_TTY", "LANG", "LC_ALL")
_TROUBLES = 8


class DebugPage(Page):
    """Follows the program itself; holds no secret and nothing of the configuration but where it is."""

    KEYS = "esc leaves · c copies all of it · ↑ ↓ pgup pgdn scroll"

    def __init__(self, app: "SpottuiApp") -> None:
        super().__init__("Debug")
        self._of = app

    def text(self) -> Content:
        """Return the facts as they are now."""
        app, view = self._of, self._of.main.view
        parts = [
            section("Versions", _versions()),
            section("Terminal", _terminal(app)),
            section("Screen", _screen(app)),
            section("Workers", _workers(app)),
            section("Sources", _sources(app, view) if view else []),
            section("Their last errors", _troubles(view) if view else []),
            section("Files", [(name, str(path)) for name, path in app.paths.items()]),
        ]
        return Content("\n").join(parts)


def _versions() -> list[Fact]:
    python = f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()}"
    return [("spottui", __version__), ("Python", python), *((name, version(name)) for name in _LIBRARIES)]


def _terminal(app: "SpottuiApp") -> list[Fact]:
    colours = app.console.color_system or "none"
    return [
        *((name, os.environ.get(name, "not set")) for name in _TERMINAL),
        ("size", f"{app.size.width}×{app.size.height}"),
        ("colours", f"{colours}{', left out for NO_COLOR' if app.no_color else ''}"),
        ("theme", app.theme),
    ]


def _screen(app: "SpottuiApp") -> list[Fact]:
    late = app.watchdog.lateness
    held = {panel.label.lower(): len(panel.table.model.rows) for panel in app.main.panels}
    return [
        ("lateness", f"p50 {late.p50_ms:.1f} ms, p99 {late.p99_ms:.1f} ms, most {late.most_ms:.1f} ms ({late.of})"),
        ("stalls", f"{app.watchdog.stalls} of 0.2 s or more, each is in the log"),
        ("rows held", ", ".join(f"{count:,} {what}" for what, count in held.items())),
    ]


def _workers(app: "SpottuiApp") -> list[Fact]:
    threads = sorted(thread.name for thread in threading.enumerate())
    return [
        *((worker.name, worker.state.name.lower()) for worker in app.workers),
        (f"{len(threads)} threads", ", ".join(threads)),
    ]


def _sources(app: "SpottuiApp", view: DeskView) -> list[Fact]:
    now = app.main.clock.now()
    return [(f"{one.name} {one.region}", _health(one, age(one.age_s(now)))) for one in view.sources]


def _health(source: SourceHealth, last: str) -> str:
    said = f"last answer {last} ago" if source.last_ok else "no answer yet"
    fault = f": {words.fault(source.failure)}" if source.failure else ""
    return f"{said}, asked every {source.interval_s:g} s{fault}"


def _troubles(view: DeskView) -> list[Fact]:
    told = [event for event in view.events if words.event_kind(event.fact) is EventKind.SOURCE][-_TROUBLES:]
    return [(f"{event.at:%H:%M:%S} {event.region}", words.text(event)) for event in reversed(told)] or [("none", "-")]
