"""Whoever is to be told is told of each thing once, in order, whatever becomes of the endpoint or of this process."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from spottui.domain.facts import Decided, Retried, StateEntered
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.reasons import Reason, Why
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.journal import Journal
from spottui.journal.reclaims import Sighting, take_in
from spottui.notify.channels import channels_of
from spottui.notify.sender import LAST_S, TOLD_PER_ROUND, Sender
from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, wait_until
from tests.reclaims import record, see

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
        self.unwanted = ""
        """What no message may hold."""
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.ended = threading.Event()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                endpoint.tries += 1
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path in endpoint.silent:
                    endpoint.ended.wait()
                if self.path in endpoint.broken or (endpoint.unwanted and endpoint.unwanted in body["message"]):
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

    def close(self) -> None:
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()


class Console:
    """What of a console tells people; the test says when it looks."""

    def __init__(self, journal: Journal, addresses: tuple[str, ...], clock: "Clock") -> None:
        self.sender = Sender(journal, addresses, clock)
        self.channels = channels_of(addresses)
        self.clock = clock

    def look(self) -> None:
        for channel in self.channels:
            self.sender.poll(channel)

    def look_for(self, seconds: float) -> None:
        end = self.clock.at + timedelta(seconds=seconds)
        while self.clock.at < end:
            self.clock.at += LOOK
            self.look()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db") as journal:
        yield journal


@pytest.fixture
def clock() -> Clock:
    return Clock()


def reclaim(journal: Journal, clock: Clock, instance_id: str = "i-1", name: str = "web-3") -> str:
    seen = Observation("cn-hangzhou", instance_id, Evidence.LOCK, clock.now())
    return see(journal, seen, at=clock.now(), name=name).recovery_id


def storm(journal: Journal, clock: Clock, source: Evidence, names: dict[str, float]) -> dict[str, str]:
    """Signs of instances in one change, by their names and by how many seconds ago; return the recoveries by name."""
    signs = [
        Observation("cn-hangzhou", f"i-{name}", source, clock.now() - timedelta(seconds=ago))
        for name, ago in names.items()
    ]
    sighting = Sighting(signs)
    opened = journal.run(lambda t: take_in(t, sighting, lambda _, instance_id: instance_id[2:], "", clock.now()))
    return {one.name: one.recovery_id for one in opened}


def decide(journal: Journal, clock: Clock, recovery_id: str, decision: Decision, who: str) -> None:
    record(journal, recovery_id, Decided(decision, who), clock.now())


def enter(journal: Journal, clock: Clock, recovery_id: str, state: RecoveryState, why: Why) -> Recovery:
    return record(journal, recovery_id, StateEntered(state, Reason(why)), clock.now())


def test_ten_minutes_of_a_dead_endpoint_lose_nothing_and_double_nothing(
    tmp_path: Path, journal: Journal, endpoint: Endpoint, clock: Clock
) -> None:
    """Every third minute the console dies and another one begins, with the addresses in another order."""
    addresses = (endpoint.address("/a"), endpoint.address("/b"))
    console = Console(journal, addresses, clock)
    endpoint.broken = {"/a"}
    for minute in range(10):
        recovery_id = reclaim(journal, clock, f"i-{minute}", f"web-{minute}")
        console.look_for(10)
        decide(journal, clock, recovery_id, Decision.CONFIRM, "auto-mode")
        console.look_for(20)
        enter(journal, clock, recovery_id, RecoveryState.RECOVERED, Why.RUNS_AGAIN)
        console.look_for(30)
        if minute % 3 == 2:
            addresses = addresses[::-1]
            console = Console(Journal(tmp_path / "journal.db"), addresses, clock)
    assert endpoint.heard("/a") == []
    assert len(endpoint.heard("/b")) == 30, "the living channel did not wait"
    assert console.sender.waiting() == 30
    endpoint.broken = set()
    console.look_for(130)
    for path in ("/a", "/b"):
        for minute in range(10):
            assert [text for text in endpoint.heard(path) if text.startswith(f"web-{minute}:")] == [
                f"web-{minute}: reclaim notice",
                f"web-{minute}: confirmed by auto-mode",
                f"web-{minute}: recovered",
            ]
    assert len(endpoint.taken) == 60
    assert console.sender.waiting() == 0


def test_a_restart_between_two_channels_tells_nobody_twice(
    tmp_path: Path, journal: Journal, endpoint: Endpoint, clock: Clock
) -> None:
    addresses = (endpoint.address("/a"), endpoint.address("/b"))
    first = Console(journal, addresses, clock)
    reclaim(journal, clock)
    endpoint.broken = {"/b"}
    first.look()
    endpoint.broken = set()
    clock.at += timedelta(minutes=1)
    Console(Journal(tmp_path / "journal.db"), addresses[::-1], clock).look()
    assert (len(endpoint.heard("/a")), len(endpoint.heard("/b"))) == (1, 1)


def test_a_silent_channel_keeps_no_other_waiting_and_no_console_from_ending(
    journal: Journal, endpoint: Endpoint, clock: Clock
) -> None:
    endpoint.silent = {"/a"}
    sender = Sender(journal, (endpoint.address("/a"), endpoint.address("/b")), clock)
    sender.start()
    reclaim(journal, clock)
    wait_until(lambda: endpoint.tries >= 2)
    reclaim(journal, clock, "i-2")
    wait_until(lambda: len(endpoint.heard("/b")) == 2)
    assert endpoint.heard("/a") == []
    began = time.monotonic()
    sender.stop()
    assert time.monotonic() - began < LAST_S + 1


def test_consoles_that_look_at_once_tell_once_and_the_last_goes_on_alone(
    tmp_path: Path, journal: Journal, endpoint: Endpoint, clock: Clock
) -> None:
    addresses = (endpoint.address("/a"),)
    consoles = [Console(Journal(tmp_path / "journal.db"), addresses, clock) for _ in range(3)]
    for number in range(20):
        reclaim(journal, clock, f"i-{number}", f"web-{number}")
    looks = [threading.Thread(target=console.look) for console in consoles]
    for look in looks:
        look.start()
    for look in looks:
        look.join()
    assert sorted(endpoint.heard("/a")) == sorted(f"web-{number}: reclaim notice" for number in range(20))
    reclaim(journal, clock, "i-20", "web-20")
    consoles[-1].look()
    assert endpoint.heard("/a")[20:] == ["web-20: reclaim notice"]


def test_what_a_console_was_telling_when_it_died_is_told_by_another(
    tmp_path: Path, journal: Journal, endpoint: Endpoint, clock: Clock
) -> None:
    addresses = (endpoint.address("/a"),)
    dying, other = (Console(Journal(tmp_path / "journal.db"), addresses, clock) for _ in range(2))
    endpoint.silent = {"/a"}
    reclaim(journal, clock)
    threading.Thread(target=dying.look, daemon=True).start()
    wait_until(lambda: endpoint.tries)
    endpoint.silent = set()
    other.look()
    assert endpoint.tries == 1, "it is being told"
    other.look_for(62)
    assert endpoint.heard("/a") == ["web-3: reclaim notice"]


def test_a_second_failure_after_a_retry_is_told_too(journal: Journal, endpoint: Endpoint, clock: Clock) -> None:
    console = Console(journal, (endpoint.address("/a"),), clock)
    recovery_id = reclaim(journal, clock)
    enter(journal, clock, recovery_id, RecoveryState.FAILED, Why.SYSTEM_DISK_NOT_KEPT)
    record(journal, recovery_id, Retried(1, "ann"), clock.now())
    enter(journal, clock, recovery_id, RecoveryState.FAILED, Why.SYSTEM_DISK_NOT_KEPT)
    console.look()
    assert endpoint.heard("/a") == ["web-3: reclaim notice", "web-3: failed", "web-3: failed"]


def test_a_letter_says_what_was_so_when_it_happened(journal: Journal, endpoint: Endpoint, clock: Clock) -> None:
    console = Console(journal, (endpoint.address("/a"),), clock)
    recovery_id = reclaim(journal, clock)
    enter(journal, clock, recovery_id, RecoveryState.NEEDS_YOU, Why.PLAN_READY)
    decide(journal, clock, recovery_id, Decision.CONFIRM, "ann")
    enter(journal, clock, recovery_id, RecoveryState.FAILED, Why.SYSTEM_DISK_NOT_KEPT)
    console.look()
    texts = [text.splitlines()[1] for _, _, text in endpoint.taken]
    assert "plan ready" in texts[2]
    assert "its system disk was not kept" in texts[3]


def test_an_incident_is_one_thread(journal: Journal, endpoint: Endpoint, clock: Clock) -> None:
    console = Console(journal, (endpoint.address("/a"),), clock)
    recovery_id = reclaim(journal, clock)
    decide(journal, clock, recovery_id, Decision.VETO, "lena@bastion")
    reclaim(journal, clock, "i-2")
    console.look()
    subjects = [title for _, title, _ in endpoint.taken]
    assert len(subjects) == 3
    assert len(set(subjects)) == 2


def test_a_new_channel_is_not_told_of_the_past_and_a_dead_one_is_asked_less_and_less(
    journal: Journal, endpoint: Endpoint, clock: Clock
) -> None:
    reclaim(journal, clock)
    clock.at += timedelta(minutes=1)
    console = Console(journal, (endpoint.address("/a"),), clock)
    console.look()
    assert endpoint.taken == []
    endpoint.broken = {"/a"}
    reclaim(journal, clock, "i-2")
    console.look_for(600)
    assert 5 <= endpoint.tries <= 14


def test_a_dead_channel_is_asked_once_a_try_whatever_waits_for_it_and_is_told_all_when_it_answers(
    journal: Journal, endpoint: Endpoint, clock: Clock
) -> None:
    console = Console(journal, (endpoint.address("/a"), endpoint.address("/b")), clock)
    endpoint.broken = {"/a"}
    storm(journal, clock, Evidence.LOCK, {f"web-{number}": 0 for number in range(50)})
    console.look_for(60)
    told = sorted(f"web-{number}: reclaim notice" for number in range(50))
    assert sorted(endpoint.heard("/b")) == told
    assert 3 <= endpoint.tries - 50 <= 5
    endpoint.broken = set()
    console.look_for(60)
    assert sorted(endpoint.heard("/a")) == told
    assert (len(endpoint.taken), console.sender.waiting()) == (100, 0)


def test_the_nearest_deadline_is_told_first_also_when_it_is_seen_in_the_middle_of_a_storm(
    journal: Journal, endpoint: Endpoint, clock: Clock
) -> None:
    console = Console(journal, (endpoint.address("/a"),), clock)
    storm(journal, clock, Evidence.QUEUE, {f"drill-{number}": 200 for number in range(20)})
    locked = storm(journal, clock, Evidence.LOCK, {"late": 10, "over": 100, "soon": 50, "next": 90})
    enter(journal, clock, locked["over"], RecoveryState.FAILED, Why.SYSTEM_DISK_NOT_KEPT)
    enter(journal, clock, locked["next"], RecoveryState.NEEDS_YOU, Why.PLAN_READY)
    endpoint.silent = {"/a"}
    look = threading.Thread(target=console.look)
    look.start()
    wait_until(lambda: endpoint.tries)
    storm(journal, clock, Evidence.LOCK, {"nearest": 95})
    endpoint.ended.set()
    look.join()
    heard = endpoint.heard("/a")
    rest = [f"drill-{number}" for number in range(20)] + ["over"]
    assert [text.partition(":")[0] for text in heard[:TOLD_PER_ROUND]] == ["next", "soon", "late", *rest][
        :TOLD_PER_ROUND
    ]
    second_round = heard[TOLD_PER_ROUND:]
    assert second_round[:2] == ["nearest: reclaim notice", "next is being reclaimed and needs you"]
    assert len(heard) == len(set(heard)) == 27


def test_a_letter_that_is_never_accepted_holds_up_no_other(journal: Journal, endpoint: Endpoint, clock: Clock) -> None:
    console = Console(journal, (endpoint.address("/a"),), clock)
    endpoint.unwanted = "bad"
    storm(journal, clock, Evidence.LOCK, {"bad-1": 60, "bad-2": 50, "web-1": 40, "web-2": 30, "web-3": 20})
    console.look_for(60)
    assert endpoint.heard("/a") == [f"web-{number}: reclaim notice" for number in (1, 2, 3)]
    assert console.sender.waiting() == 2


def test_what_is_due_when_the_program_ends_is_still_sent(journal: Journal, endpoint: Endpoint, clock: Clock) -> None:
    sender = Sender(journal, (endpoint.address("/a"),), clock)
    sender.start()
    reclaim(journal, clock)
    sender.stop()
    assert len(endpoint.heard("/a")) == 1


def test_what_nobody_takes_for_days_is_given_up_and_what_is_for_others_does_not_count(
    journal: Journal, endpoint: Endpoint, clock: Clock
) -> None:
    console = Console(journal, (endpoint.address("/a"),), clock)
    endpoint.broken = {"/a"}
    reclaim(journal, clock)
    console.look()
    assert (console.sender.waiting(), Sender(journal, (), clock).waiting()) == (1, 0)
    clock.at += timedelta(days=4)
    reclaim(journal, clock, "i-2", "web-4")
    endpoint.broken = set()
    console.look()
    assert endpoint.heard("/a") == ["web-4: reclaim notice"]
    assert console.sender.waiting() == 0


def test_no_secret_of_an_address_reaches_the_journal(
    tmp_path: Path, journal: Journal, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "s3cr3tpassword"
    addresses = (f"json://user:{secret}@127.0.0.1:9/", f"dingtalk://{secret}@{secret}/", f"nonsense://{secret}", "x")
    Sender(journal, addresses, clock).stop()
    dead = Console(journal, addresses[:1], clock)
    reclaim(journal, clock)
    dead.look()
    assert dead.sender.waiting() == 1
    journal.close()
    assert secret.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert secret not in caplog.text
    assert "address 3" in caplog.text


def test_kill_9_loses_nothing_and_tells_nothing_again(config: Path, live_cloud: SimServer, endpoint: Endpoint) -> None:
    """The real program: killed when it has told the notice and nobody takes what comes after it."""
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    text = config.read_text()
    config.write_text(f'notify = ["{endpoint.address("/a")}"]\n{text}')
    with Headless(config, "--auto").wait_ready() as console:
        wait_until(lambda: live_cloud.calls("DescribeInstances"))
        live_cloud.interrupt(live_cloud.spot_ids()[:1])
        wait_until(lambda: endpoint.taken)
        endpoint.broken = {"/a"}
        tries = endpoint.tries
        wait_until(lambda: endpoint.tries > tries and "recovered" in console.states().values())
        console.kill()
    endpoint.broken = set()
    told = set(endpoint.heard("/a"))
    with Headless(config, "--auto").wait_ready():
        wait_until(lambda: any(": recovered" in one for one in endpoint.heard("/a")), timeout_s=100)
    heard = endpoint.heard("/a")
    assert told
    assert len(heard) == len(set(heard))
    assert [one.partition(": ")[2] or one for one in heard][-2:] == ["confirmed by auto-mode", "recovered"]
