"""Whoever is to be told is told of each thing once, in order, whatever becomes of the endpoint or of this process."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from spottui.domain.interruption import Evidence, Observation
from spottui.domain.recovery import Decision
from spottui.journal import Journal
from spottui.notify.channels import channels_of
from spottui.notify.sender import Sender

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOOK = timedelta(seconds=2)


class Clock:
    """A clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class Endpoint:
    """A webhook on loopback; `taken` holds what it accepted, by path."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, str]] = []
        self.tries = 0
        self.broken: set[str] = set()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                endpoint.tries += 1
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path in endpoint.broken:
                    self.send_response(503)
                else:
                    endpoint.taken.append((self.path, body["title"], body["message"]))
                    self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def address(self, path: str) -> str:
        return f"json://127.0.0.1:{self.server.server_port}{path}"

    def heard(self, path: str) -> list[str]:
        """The first line of each message that came to a path."""
        return [text.splitlines()[0] for where, _, text in self.taken if where == path]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.server.shutdown()
    endpoint.server.server_close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db")
    yield journal
    journal.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def reclaim(journal: Journal, clock: Clock, instance_id: str = "i-1") -> str:
    seen = Observation("cn-hangzhou", instance_id, Evidence.LOCK, clock.now())
    (opened,) = journal.interruptions.record([seen], [], [], lambda *_: "web-3", clock.now())
    return opened.id


def look_for(sender: Sender, clock: Clock, seconds: float) -> None:
    end = clock.at + timedelta(seconds=seconds)
    while clock.at < end:
        clock.at += LOOK
        sender.look()


def test_ten_minutes_of_a_dead_endpoint_lose_nothing_and_double_nothing(
    journal: Journal, endpoint: Endpoint, clock: Clock
) -> None:
    """Every third minute the console dies and another one begins, with the addresses in another order."""
    addresses = (endpoint.address("/a"), endpoint.address("/b"))
    sender = Sender(journal, addresses, clock)
    endpoint.broken = {"/a"}
    expected: dict[str, list[str]] = {}
    for minute in range(10):
        instance_id = f"i-{minute}"
        recovery_id = reclaim(journal, clock, instance_id)
        look_for(sender, clock, 10)
        journal.recoveries.decide(recovery_id, Decision.CONFIRM, "auto-mode", clock.now())
        look_for(sender, clock, 20)
        journal.outbox.post(recovery_id, f"{instance_id}: recovered", "", clock.now())
        look_for(sender, clock, 30)
        if minute % 3 == 2:
            sender.stop()
            addresses = addresses[::-1]
            sender = Sender(Journal(journal.database.path), addresses, clock)
        expected[recovery_id] = [
            "web-3: notice of a reclaim",
            "web-3: confirm by auto-mode",
            f"{instance_id}: recovered",
        ]
    assert endpoint.heard("/a") == []
    assert len(endpoint.heard("/b")) == 30, "the living channel did not wait"
    endpoint.broken = set()
    look_for(sender, clock, 130)
    for path in ("/a", "/b"):
        for recovery_id, letters in expected.items():
            known = journal.interruptions.get(recovery_id)
            assert known
            mine = [text.splitlines()[0] for where, title, text in endpoint.taken
                    if where == path and f"{known.instance_id} in" in title]  # fmt: skip
            assert mine == letters
    assert len(endpoint.taken) == 60
    assert journal.outbox.waiting() == 0


def test_a_restart_between_two_channels_tells_nobody_twice(journal: Journal, endpoint: Endpoint, clock: Clock) -> None:
    addresses = (endpoint.address("/a"), endpoint.address("/b"))
    first = Sender(journal, addresses, clock)
    reclaim(journal, clock)
    endpoint.broken = {"/b"}
    first.look()
    endpoint.broken = set()
    first.stop()
    clock.at += timedelta(minutes=1)
    again = Sender(Journal(journal.database.path), addresses[::-1], clock)
    again.look()
    assert (len(endpoint.heard("/a")), len(endpoint.heard("/b"))) == (1, 1)


def test_two_consoles_of_a_journal_tell_once_and_the_second_goes_on_alone(
    journal: Journal, endpoint: Endpoint, clock: Clock
) -> None:
    addresses = (endpoint.address("/a"),)
    first, second = Sender(journal, addresses, clock), Sender(Journal(journal.database.path), addresses, clock)
    reclaim(journal, clock)
    first.look()
    reclaim(journal, clock, "i-2")
    second.look()
    assert len(endpoint.taken) == 1
    first.stop()
    second.look()
    assert len(endpoint.taken) == 2


def test_an_incident_is_one_thread(journal: Journal, endpoint: Endpoint, clock: Clock) -> None:
    sender = Sender(journal, (endpoint.address("/a"),), clock)
    recovery_id = reclaim(journal, clock)
    journal.recoveries.decide(recovery_id, Decision.VETO, "lena@bastion", clock.now())
    reclaim(journal, clock, "i-2")
    sender.look()
    subjects = [title for _, title, _ in endpoint.taken]
    assert len(subjects) == 3
    assert len(set(subjects)) == 2


def test_a_new_channel_is_not_told_of_the_past_and_a_dead_one_is_asked_less_and_less(
    journal: Journal, endpoint: Endpoint, clock: Clock
) -> None:
    reclaim(journal, clock)
    clock.at += timedelta(minutes=1)
    sender = Sender(journal, (endpoint.address("/a"),), clock)
    sender.look()
    assert endpoint.taken == []
    endpoint.broken = {"/a"}
    reclaim(journal, clock, "i-2")
    look_for(sender, clock, 600)
    assert 5 <= endpoint.tries <= 12


def test_what_is_due_when_the_program_ends_is_still_sent(journal: Journal, endpoint: Endpoint, clock: Clock) -> None:
    sender = Sender(journal, (endpoint.address("/a"),), clock)
    sender.start()
    reclaim(journal, clock)
    sender.stop()
    assert len(endpoint.heard("/a")) == 1


def test_old_letters_go(journal: Journal, endpoint: Endpoint, clock: Clock) -> None:
    sender = Sender(journal, (endpoint.address("/a"),), clock)
    reclaim(journal, clock)
    sender.look()
    reclaim(journal, clock, "i-2")
    clock.at += timedelta(days=8)
    assert journal.outbox.settle([one.name for one in channels_of((endpoint.address("/a"),))], clock.now()) == 1
    with journal.database.read() as connection:
        assert connection.exec_driver_sql("select count(*) from outbox").scalar() == 0
        assert connection.exec_driver_sql("select count(*) from delivery").scalar() == 0


def test_no_secret_of_an_address_reaches_the_journal(
    journal: Journal, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "s3cr3tpassword"
    addresses = (f"json://user:{secret}@127.0.0.1:9/", f"dingtalk://{secret}@{secret}/", f"nonsense://{secret}", "x")
    Sender(journal, addresses, clock).stop()
    dead = Sender(journal, addresses[:1], clock)
    reclaim(journal, clock)
    dead.look()
    assert journal.outbox.waiting() == 1
    journal.close()
    assert secret.encode() not in b"".join(file.read_bytes() for file in journal.database.path.parent.iterdir())
    assert secret not in caplog.text
    assert "address 3" in caplog.text
