"""Metrics and health are for this machine only, and no client of them harms the console."""

import contextlib
import json
import logging
import socket
import struct
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from spottui import exposition
from spottui.domain.reasons import Failure
from spottui.domain.view import SourceHealth
from spottui.exposition import AT_ONCE, Health, health_of, serve
from tests.driving import wait_until

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOD = Health(1, ())


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def ask(port: int, path: str) -> tuple[int, str, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers["Content-Type"], refusal.read().decode()


@contextlib.contextmanager
def served(render: Callable[[], str] = lambda: "a 1\n", health: Callable[[], Health] = lambda: GOOD) -> Iterator[int]:
    port = free_port()
    stop = serve(port, render, health)
    try:
        yield port
    finally:
        stop()


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record)


@pytest.fixture
def said() -> Iterator[list[logging.LogRecord]]:
    records, log = Records(), logging.getLogger("spottui.metrics")
    log.addHandler(records)
    yield records.found
    log.removeHandler(records)


def test_it_is_served_on_loopback_and_a_taken_port_keeps_nobody_from_starting() -> None:
    with served() as port:
        serve(port, lambda: "", lambda: GOOD)()
        status, kind, body = ask(port, "/metrics?x=1")
        assert (status, body) == (200, "a 1\n")
        assert kind.startswith("text/plain; version=0.0.4")
        assert ask(port, "/")[0] == 404


def source(name: str, seconds_ago: float | None, code: str = "") -> SourceHealth:
    last_ok = None if seconds_ago is None else NOON - timedelta(seconds=seconds_ago)
    return SourceHealth(name, "cn-hangzhou", 10, last_ok, Failure("Get", code) if code else None)


@pytest.mark.parametrize(
    ("sources", "status", "wrong"),
    [
        ([source("queue", 3), source("lock", 29)], 200, []),
        ([source("queue", 3, "Throttling")], 200, []),
        ([source("queue", 3), source("lock", 31)], 503, ["lock cn-hangzhou: no answer for 31 s"]),
        (
            [source("lock", 40, "Forbidden.RAM")],
            503,
            ["lock cn-hangzhou: no answer for 40 s: Get: Forbidden.RAM"],
        ),
        ([source("queue", None)], 503, ["queue cn-hangzhou: no answer yet"]),
        (
            [source("queue", None, "QueueNotExist")],
            503,
            ["queue cn-hangzhou: no answer yet: Get: QueueNotExist"],
        ),
        ([], 503, []),
    ],
)
def test_health_is_good_when_every_source_answered_in_time(
    sources: list[SourceHealth], status: int, wrong: list[str]
) -> None:
    with served(health=lambda: health_of(sources, NOON)) as port:
        found_status, kind, body = ask(port, "/healthz")
    assert (found_status, kind) == (status, "application/json")
    assert json.loads(body) == {"ok": status == 200, "watched": len(sources), "wrong": wrong}
    assert body.count("\n") == 1


def test_health_is_bad_while_the_journal_takes_nothing() -> None:
    health = health_of([source("lock", 3)], NOON, "the disk is full")
    assert (health.is_good, health.wrong) == (False, ("journal: the disk is full",))


def test_a_scraper_that_resets_is_logged_once_and_never_on_the_screen(
    capfd: pytest.CaptureFixture[str], said: list[logging.LogRecord]
) -> None:
    with served(render=lambda: "x" * 5_000_000) as port:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                client.recv(1)
        wait_until(lambda: said)
        assert ask(port, "/healthz")[0] == 200
    assert len({record.getMessage() for record in said}) == len(said)
    assert capfd.readouterr() == ("", "")


def test_clients_that_stall_are_hung_up_on_and_block_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition._Handler, "timeout", 0.5)
    with served() as port, contextlib.ExitStack() as clients:
        for _ in range(3 * AT_ONCE):
            clients.enter_context(socket.create_connection(("127.0.0.1", port)))
        began = time.monotonic()
        wait_until(lambda: answers(port), 10)
        assert time.monotonic() - began < 5


def test_a_client_that_drips_does_not_hold_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "REQUEST_S", 0.3)
    with served() as port, socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /met")
        client.settimeout(5)
        assert client.recv(100) == b"", "hung up on long before it was silent for too long"


def answers(port: int) -> bool:
    try:
        return ask(port, "/healthz")[0] == 200
    except OSError:
        return False


def test_a_journal_that_cannot_be_read_is_an_answer_and_logged_once(said: list[logging.LogRecord]) -> None:
    def fails() -> str:
        raise ValueError("broken")

    with served(render=fails) as port:
        assert [ask(port, "/metrics")[0] for _ in range(3)] == [500, 500, 500]
    assert len(said) == 1
