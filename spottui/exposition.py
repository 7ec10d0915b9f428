"""What is served on loopback to those who look after a console: `/metrics` for Prometheus, `/healthz` for systemd.

Whoever asks cannot harm the console: so many at once, so many seconds each, and nothing of it on the screen.
"""

import json
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from spottui import words
from spottui.domain.view import SourceHealth

log = logging.getLogger("spottui.metrics")

HOST = "127.0.0.1"
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
AT_ONCE = 8
"""One more is hung up on, and asks again at its next interval."""
SILENCE_S = 5.0
"""A connection that is idle for this long is closed."""
REQUEST_S = 15.0
"""So is one that is not done by then, however it drips."""


class Health(msgspec.Struct, frozen=True):
    """Whether everything that a console watches answers; `wrong` says in words what does not."""

    watched: int
    wrong: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong, and there is something to be right."""
        return self.watched > 0 and not self.wrong

    @property
    def line(self) -> str:
        """One line of JSON: `{ok, watched, wrong[]}`."""
        return json.dumps({"ok": self.is_good, "watched": self.watched, "wrong": list(self.wrong)})


def health_of(sources: Iterable[SourceHealth], now: datetime, problem: str = "") -> Health:
    """Return a console's health: every source has answered, within its staleness, and the journal has no `problem`."""
    source_healths = tuple(sources)
    unheard = (said for source_health in source_healths if (said := _wrong_with(source_health, now)))
    return Health(len(source_healths), (*([f"journal: {problem}"] if problem else []), *unheard))


def serve(port: int, render: Callable[[], str], health: Callable[[], Health]) -> Callable[[], None]:
    """Serve both on loopback in threads of their own and return what stops it.

    A port that is taken, by another console say, is said in the log: it must not keep a console from starting.
    """

    class Handler(_Handler):
        def answer(self) -> tuple[int, str, str] | None:
            match self.path.partition("?")[0]:
                case "/metrics":
                    return 200, METRICS_TYPE, render()
                case "/healthz":
                    state = health()
                    return 200 if state.is_good else 503, "application/json", state.line + "\n"
            return None

    try:
        server = _Server((HOST, port), Handler)
    except OSError as error:
        log.error("metrics: port %d: %s; this console serves no metrics", port, error.strerror)
        return lambda: None
    threading.Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop


def _wrong_with(source: SourceHealth, now: datetime) -> str:
    age_s = source.age_s(now)
    if age_s is not None and not source.is_stale(now):
        return ""
    since = "no answer yet" if age_s is None else f"no answer for {age_s:.0f} s"
    return ": ".join(
        part
        for part in (f"{source.name} {source.region}", since, words.fault(source.failure) if source.failure else "")
        if part
    )


class _Server(ThreadingHTTPServer):
    """A bounded number of threads; what goes wrong with a connection is logged once of each kind."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._told: set[str] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, when one is free."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer within the time that a request has."""
        limit = threading.Timer(REQUEST_S, _hang_up, (request,))
        limit.daemon = True
        limit.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            limit.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log; stderr is the screen."""
        self.log_once(sys.exc_info()[1])

    def log_once(self, error: BaseException | None) -> None:
        """Log an error, once of each kind: a scraper comes again every few seconds."""
        kind = type(error).__name__
        if kind not in self._told:
            self._told.add(kind)
            log.warning("metrics: a request failed: %s; further ones of this kind are not logged", kind, exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    timeout = SILENCE_S
    server: _Server

    def answer(self) -> tuple[int, str, str] | None:
        """Return status, content type and body, or None where there is nothing."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Answer a question."""
        try:
            answer = self.answer()
        except Exception as error:
            self.server.log_once(error)
            self.send_error(500)
            return
        if answer is None:
            self.send_error(404)
            return
        status, kind, text = answer
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: stderr is the screen."""


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
