"""Under systemd a console says when it is ready, that it lives while it does, and that it stops."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from spottui.cli.sd_notify import keep_telling
from spottui.domain.clock import SystemClock
from spottui.journal import Journal
from spottui.sim.testing import SimServer
from spottui.watch import loop
from spottui.watch.health import Health
from tests.cli.running import run, run_json
from tests.driving import Headless, host_config, wait_until


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd listens to, of a service with a watchdog of half a second."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "500000")
        yield listening


def test_a_console_is_ready_lives_and_stops_and_its_journal_is_cared_for_meanwhile(
    manager: socket.socket, live_cloud: SimServer, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with Headless(config).wait_ready() as console:
        assert [manager.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        live_cloud.interrupt([live_cloud.spot_ids()[0]])
        wait_until(lambda: "needs you" in console.states().values())
        copy = tmp_path / "copy.db"
        assert run("journal", "backup", copy, "--config", config).exit_code == 0
        assert copy.stat().st_mode & 0o777 == 0o600
        refused = run("journal", "rebuild", "--yes", "--config", config)
        assert (refused.exit_code, f"pid {console.pid}" in refused.stderr) == (1, True)
        assert run_json("journal", "check", "--config", config)["ok"]
        # A socket takes ten datagrams that nobody has read, and no more; systemd reads them at once.
        _read_all(manager)
        assert console.stop() == 0
    assert _read_all(manager)[-1] == b"STOPPING=1"
    with Journal(copy) as journal:
        assert len(journal.recoveries.open()) == 1
    again = run("journal", "backup", copy, "--config", config)
    assert (again.exit_code, again.stderr) == (2, f"spottui: {copy} already exists. Name another file.\n")


def test_a_console_that_waits_for_its_journal_asks_for_more_time(
    manager: socket.socket, live_cloud: SimServer, config: Path, tmp_path: Path
) -> None:
    with Headless(host_config(config, tmp_path / "a", "postgresql://spottui@127.0.0.1:1/spottui")).wait_ready():
        assert manager.recv(100) == b"EXTEND_TIMEOUT_USEC=180000000"


def _read_all(manager: socket.socket) -> list[bytes]:
    read: list[bytes] = []
    manager.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            read.append(manager.recv(100))
    return read


def test_one_that_hangs_is_silent(manager: socket.socket) -> None:
    lives = threading.Event()
    lives.set()
    stop = keep_telling(lives.is_set)
    assert [manager.recv(100) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]
    lives.clear()
    manager.settimeout(0.6)
    with suppress(TimeoutError):  # One may have been on its way.
        manager.recv(100)
    with pytest.raises(TimeoutError):
        manager.recv(100)
    stop()
    assert manager.recv(100) == b"STOPPING=1"


def test_a_poll_that_hangs_does_not_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "STUCK_S", 0.2)
    began, goes_on = threading.Event(), threading.Event()

    def look() -> None:
        began.set()
        goes_on.wait()

    with Journal(tmp_path / "j.db") as journal:
        health = Health(journal, SystemClock())
        health.add("lock", "cn-hangzhou", 0.005)
        poll = loop.Loop("lock", "cn-hangzhou", 0.005, look, health, SystemClock())
        assert not poll.is_live
        poll.start()
        assert began.wait(10)
        assert poll.is_live
        wait_until(lambda: not poll.is_live, 10)
        goes_on.set()
        wait_until(lambda: poll.is_live, 10)
        poll.stop()
