"""What shows why something is slow or silent: versions, terminal, latency, workers, sources and files."""

import os
import platform
import threading
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from textual.app import App
from textual.content import Content

from spottui import __version__, words
from spottui.console.pages.page import Page
from spottui.console.session import Session
from spottui.console.text.details import Fact, section
from spottui.console.watchdog import Watchdog
from spottui.domain.view import DeskView, SourceHealth
from spottui.tables.moments import age
from spottui.words import EventKind

_LIBRARIES = ("textual", "rich", "msgspec", "sqlalchemy", "alibabacloud-ecs20140526", "aliyun-mns-sdk")
_TERMINAL = ("TERM", "COLORTERM", "NO_COLOR", "TMUX", "SSH_TTY", "LANG", "LC_ALL")
_ERRORS = 8


class DebugPage(Page):
    """Follows the program itself; holds no secret, and of the configuration only its path.

    `row_counts` returns how many rows each panel holds now.
    """

    def __init__(self, session: Session, row_counts: Callable[[], Mapping[str, int]]) -> None:
        super().__init__(session, "Debug")
        self._row_counts = row_counts

    def text(self) -> Content:
        """Return the facts as they are now."""
        app, view = self._session.app, self._session.view
        parts = [
            section("Versions", _versions()),
            section("Terminal", _terminal(app)),
            section("Screen", _screen(self._session.watchdog, self._row_counts())),
            section("Workers", _workers(app)),
            section("Sources", self._sources(view) if view else []),
            section("Recent errors", _errors(view) if view else []),
            section("Files", [(name, str(path)) for name, path in self._session.paths.items()]),
        ]
        return Content("\n").join(parts)

    def _sources(self, view: DeskView) -> list[Fact]:
        now = self._session.clock.now()
        return [(f"{source.name} {source.region}", _health(source, age(source.age_s(now)))) for source in view.sources]


def _versions() -> list[Fact]:
    python = f"{platform.python_implementation()} {platform.python_version()}, {platform.platform()}"
    return [("spottui", __version__), ("Python", python), *((name, version(name)) for name in _LIBRARIES)]


def _terminal(app: App[Any]) -> list[Fact]:
    colours = app.console.color_system or "none"
    return [
        *((name, os.environ.get(name, "not set")) for name in _TERMINAL),
        ("size", f"{app.size.width}×{app.size.height}"),
        ("colours", f"{colours}{', off (NO_COLOR)' if app.no_color else ''}"),
        ("theme", app.theme),
    ]


def _screen(watchdog: Watchdog, row_counts: Mapping[str, int]) -> list[Fact]:
    late = watchdog.lateness
    return [
        ("latency", f"p50 {late.p50_ms:.1f} ms, p99 {late.p99_ms:.1f} ms, max {late.most_ms:.1f} ms ({late.of})"),
        ("stalls", f"{watchdog.stalls} of 0.2 s or more, see the log"),
        ("rows", ", ".join(f"{count:,} {what}" for what, count in row_counts.items())),
    ]


def _workers(app: App[Any]) -> list[Fact]:
    threads = sorted(thread.name for thread in threading.enumerate())
    return [
        *((worker.name, worker.state.name.lower()) for worker in app.workers),
        (f"{len(threads)} threads", ", ".join(threads)),
    ]


def _health(source: SourceHealth, last: str) -> str:
    answered = f"last answer {last} ago" if source.last_ok else "no answer yet"
    fault = f": {words.fault(source.failure)}" if source.failure else ""
    return f"{answered}, every {source.interval_s:g} s{fault}"


def _errors(view: DeskView) -> list[Fact]:
    events = [event for event in view.events if words.event_kind(event.fact) is EventKind.SOURCE][-_ERRORS:]
    return [(f"{e.at:%H:%M:%S} {e.region}", words.text(e)) for e in reversed(events)] or [("none", "-")]
