"""Several hosts, each with a state directory of its own, on one database."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest

from spottui.sim.testing import SimServer
from tests.cli.running import run_json, start
from tests.driving import Headless, clean_environment, effects, host_config, wait_until
from tests.journal.postgres_server import PostgresServer

TAKE_OVER_S = 8.0


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[SimServer]:
    """A cloud whose images take as long as a take-over."""
    with SimServer(config=tmp_path / "c.toml") as cloud:
        cloud.world(image_base_s=12, image_s_per_gib=0, boot_s=0.5)
        yield cloud


def host(tmp_path: Path, name: str, address: str) -> Path:
    """Write the configuration of one host."""
    policy = {"veto_window_s": 0, "lock_poll_s": 0.5, "max_at_once": 10}
    return host_config(tmp_path / "c.toml", tmp_path / name, address, **policy)


def driver(server: PostgresServer, name: str) -> str:
    found = server.run("SELECT driver FROM recovery", name)
    return str(found[0][0]) if found else ""


def drives(console: Headless, server: PostgresServer, name: str) -> bool:
    return f"-{console.pid}-" in driver(server, name)


def test_a_console_that_starts_before_its_database_says_what_it_waits_for_and_goes_on(
    cloud: SimServer, own_server: PostgresServer, tmp_path: Path
) -> None:
    config = host(tmp_path, "a", own_server.address("postgres"))
    own_server.stop()
    with Headless(config, "--auto").wait_ready() as console:
        assert console.lines[0]["kind"] == "journal"
        assert "refused" in console.lines[0]["problem"]
        victim = cloud.spot_ids()[0]
        cloud.interrupt([victim])
        own_server.start()
        wait_until(lambda: console.states().get(victim) == "recovered")
        assert [line["kind"] for line in console.lines[:2]] == ["journal", "ready"]
        assert console.lines[1]["auto"] is True


def test_a_console_that_waits_for_its_database_ends_when_it_is_asked_to(
    cloud: SimServer, own_server: PostgresServer, tmp_path: Path
) -> None:
    own_server.stop()
    with Headless(host(tmp_path, "a", own_server.address("postgres"))).wait_ready() as console:
        assert console.stop() == 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_another_host_goes_on_within_eight_seconds(
    cloud: SimServer, server: PostgresServer, tmp_path: Path, how: signal.Signals
) -> None:
    name = server.new_database()
    configs = [host(tmp_path, each, server.address(name)) for each in ("a", "b")]
    with Headless(configs[0], "--auto").wait_ready() as a, Headless(configs[1], "--auto").wait_ready() as b:
        victim = cloud.spot_ids()[0]
        cloud.interrupt([victim])
        wait_until(lambda: cloud.calls("CreateImage") and b.states() and a.states())
        first, other = (a, b) if drives(a, server, name) else (b, a)
        os.kill(first.pid, how)
        wait_until(lambda: drives(other, server, name), TAKE_OVER_S)
        wait_until(lambda: other.states().get(victim) == "recovered")
        if how is signal.SIGSTOP:
            os.kill(first.pid, signal.SIGCONT)
            wait_until(lambda: first.states().get(victim) == "recovered", 20)
            assert drives(other, server, name)
            assert first.stop() == 0
        assert other.stop() == 0
    assert len(effects(cloud, "CreateImage")) == 1
    assert len(effects(cloud, "RunInstances")) == 1


def test_a_crash_of_the_database_loses_and_doubles_nothing(
    cloud: SimServer, own_server: PostgresServer, tmp_path: Path
) -> None:
    configs = [host(tmp_path, each, own_server.address("postgres")) for each in ("a", "b")]
    with Headless(configs[0], "--auto").wait_ready() as a, Headless(configs[1], "--auto").wait_ready() as b:
        victims = cloud.spot_ids()[:4]
        cloud.interrupt(victims)
        for _ in range(3):
            wait_until(lambda: cloud.calls("CreateImage"))
            own_server.stop("immediate")
            own_server.start()
        wait_until(lambda: all(a.states().get(one) == b.states().get(one) == "recovered" for one in victims), 90)
    assert len(effects(cloud, "CreateImage")) == len(victims)
    assert len(effects(cloud, "RunInstances")) == len(victims)


def test_while_the_database_is_away_disks_are_protected_and_nothing_is_begun(
    cloud: SimServer, own_server: PostgresServer, tmp_path: Path
) -> None:
    with Headless(host(tmp_path, "a", own_server.address("postgres")), "--auto").wait_ready() as console:
        wait_until(lambda: cloud.calls("DescribeInstances"))
        own_server.stop()
        victims = cloud.spot_ids()[:3]
        for number, victim in enumerate(victims, 1):
            cloud.interrupt([victim])
            wait_until(lambda number=number: len(effects(cloud, "ModifyDiskAttribute")) >= number, 20)  # type: ignore[misc]
        assert not cloud.calls("CreateImage")
        own_server.start()
        wait_until(lambda: all(console.states().get(one) == "recovered" for one in victims), 90)
    assert len(effects(cloud, "CreateImage")) == len(victims)
    assert len(effects(cloud, "RunInstances")) == len(victims)


@pytest.mark.parametrize("by_its_id", [False, True])
def test_a_local_journal_goes_on_with_what_the_database_has_begun(
    cloud: SimServer, own_server: PostgresServer, tmp_path: Path, by_its_id: bool
) -> None:
    config, elsewhere = (host(tmp_path, each, own_server.address("postgres")) for each in ("a", "b"))
    victim = cloud.spot_ids()[0]
    with Headless(config, "--auto").wait_ready() as console:
        cloud.interrupt([victim])
        wait_until(lambda: effects(cloud, "CreateImage") and victim in console.recoveries())
        recovery_id = console.recoveries()[victim]["id"]
        own_server.stop()
        console.kill()
    named = recovery_id if by_its_id else victim
    with start(elsewhere, "recover", named, "--journal", str(tmp_path / "here.db"), "--yes") as process:
        output, _ = process.communicate(timeout=90)
    assert process.returncode == 0, output
    own_server.start()
    with Headless(config, "--auto").wait_ready() as console:
        wait_until(lambda: console.states().get(victim) == "recovered")
        assert console.recoveries()[victim]["id"] == recovery_id
    assert len(effects(cloud, "CreateImage")) == 1
    assert len(effects(cloud, "RunInstances")) == 1


def test_commands_say_what_is_in_a_database(cloud: SimServer, server: PostgresServer, tmp_path: Path) -> None:
    config = host(tmp_path, "a", server.address(server.new_database()))
    assert run_json("status", "--config", config)["mode"] == "unwatched"
    with Headless(config, "--auto").wait_ready() as console:
        victim = cloud.spot_ids()[0]
        cloud.interrupt([victim])
        wait_until(lambda: console.states().get(victim) == "imaging")
        said = run_json("status", "--config", config)
        assert (said["mode"], said["recoveries"][0]["instance_id"]) == ("auto", victim)
        assert run_json("report", victim, "--config", config)
        checks = {one["subject"]: one for one in run_json("doctor", "--config", config)["checks"]}
        assert "1 recovery in progress, 1 console running" in checks["journal"]["found"]
        assert (checks["database"]["verdict"], checks["database clock"]["verdict"]) == ("ok", "ok")
        assert "connections left" in checks["database connections"]["found"]
        assert "database pooler" not in checks
        assert "disk" not in checks


def test_a_screen_says_that_the_database_is_away_and_refuses_in_words(
    cloud: SimServer, own_server: PostgresServer, tmp_path: Path
) -> None:
    config = host(tmp_path, "a", own_server.address("postgres"))
    environment = clean_environment(config.parent / "state")
    command = [sys.executable, "-c", DESK, str(config)]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=environment) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "armed, no problem\n"
        own_server.stop()
        print("gone", file=process.stdin, flush=True)
        assert "journal: " in process.stdout.readline()
        said = process.stdout.readline()
        assert said.startswith("The journal cannot be written: ")
        assert "Nothing was decided" in said
        own_server.start()
        print("back", file=process.stdin, flush=True)
        assert process.stdout.readline() == "armed, no problem\n"


DESK = """
import sys, time
from pathlib import Path
from subprocess import PIPE
from spottui.cli.assembly import open_desk
from spottui.cli.console import leave
from spottui.config import load
from spottui.domain.clock import SystemClock
from spottui.domain.refusal import Refused
from tests.driving import wait_until
desk = open_desk(load(Path(sys.argv[1])), SystemClock(), auto=True, read_only=False)
def well():
    view = desk.view()
    return view.auto.armed and not view.problem and view.own in [one.id for one in view.consoles]
wait_until(well)
print("armed, no problem", flush=True)
sys.stdin.readline()
print(wait_until(lambda: desk.view().problem), flush=True)
try:
    desk.disarm("me")
except Refused as refused:
    print(refused, flush=True)
sys.stdin.readline()
wait_until(well)
print("armed, no problem", flush=True)
leave(0)
"""
