"""A console that is stopped, as ctrl+z, a debugger or a starved host does, while another acts on the same journal."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from spottui.config import load
from spottui.journal import Journal
from spottui.sim.testing import SimServer
from tests.cli.running import run_json, start
from tests.driving import Headless, add_policy, effects, wait_until

TAKE_OVER_S = 30.0


def drives(console: Headless, config: Path, instance_id: str) -> bool:
    with Journal(load(config).journal, read_only=True) as journal:
        return any(f"-{console.pid}-" in one.driver for one in journal.recoveries.of_instance(REGION, instance_id))


REGION = "cn-hangzhou"


def stop_between_writes(console: Headless, journal: str) -> None:
    """Stop it while it cannot have the journal's lock: one that has it lets nobody take over until it is killed."""
    with closing(sqlite3.connect(journal, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        os.kill(console.pid, signal.SIGSTOP)
        connection.execute("ROLLBACK")


def silent(console: Headless) -> set[int]:
    (*_, last) = [line for line in list(console.lines) if line["kind"] == "journal"]
    return {one["pid"] for one in last["consoles"] if not one["answers"]}


def test_its_recoveries_are_taken_over_it_is_named_and_when_it_goes_on_it_repeats_nothing(
    live_cloud: SimServer, config: Path
) -> None:
    live_cloud.world(image_base_s=14)
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    with Headless(config, "--auto").wait_ready() as a, Headless(config, "--auto").wait_ready() as b:
        victims = live_cloud.spot_ids()[:3]
        live_cloud.interrupt(victims)
        wait_until(lambda: len(effects(live_cloud, "CreateImage")) == 3)
        frozen, other = (a, b) if drives(a, config, victims[0]) else (b, a)
        stop_between_writes(frozen, load(config).journal)
        wait_until(lambda: all(drives(other, config, one) for one in victims), TAKE_OVER_S)
        wait_until(lambda: silent(other) == {frozen.pid}, 5)
        with start(config, "status") as status:
            said, _ = status.communicate(timeout=30)
        assert f"pid {frozen.pid} is not responding · end it there with kill -9 {frozen.pid}" in said
        assert run_json("status", "--config", config)["consoles"][0].keys() == {"host", "pid", "answers", "unread"}
        wait_until(lambda: list(other.states().values()) == ["recovered"] * 3)
        os.kill(frozen.pid, signal.SIGCONT)
        wait_until(lambda: list(frozen.states().values()) == ["recovered"] * 3, 20)
        wait_until(lambda: not silent(other), 5)
        assert (frozen.stop(), other.stop()) == (0, 0)
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == 3


HOLDS = """
import signal, sys
from spottui.journal import Journal
def stop(transaction):
    transaction.connection
    print("holds", flush=True)
    signal.raise_signal(signal.SIGSTOP)
Journal(sys.argv[1], acts=True).run(stop)
"""


@contextmanager
def stopped_while_it_writes(journal: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A console that is stopped in a transaction, and killed at the end."""
    with subprocess.Popen([sys.executable, "-c", HOLDS, journal], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == b"holds\n"
            yield holder
        finally:
            holder.kill()


def test_one_that_holds_the_journals_lock_is_named_to_all_who_wait_until_it_is_killed(
    live_cloud: SimServer, config: Path
) -> None:
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    journal = load(config).journal
    with Headless(config, "--auto").wait_ready() as console:
        wait_until(lambda: live_cloud.calls("DescribeInstances"))
        with stopped_while_it_writes(journal) as holder:
            said = f"process {holder.pid} holds its lock and does not answer: kill -9 {holder.pid} frees it"
            victim = live_cloud.spot_ids()[0]
            live_cloud.interrupt([victim])
            wait_until(lambda: problem(console) == f"journal: {said}", 20)
            assert len(effects(live_cloud, "ModifyDiskAttribute")) == 1, "disks are protected all the same"
            waiting, another = Headless(config), start(config, "recover", victim, "--yes")
            told, _ = another.communicate(timeout=30)
            assert (another.returncode, told) == (2, f"spottui: journal {journal}: {said}\n")
            wait_until(lambda: [line for line in list(waiting.lines) if line["kind"] == "journal"])
            assert problem(waiting) == f"journal {journal}: {said}"
            assert run_json("status", "--config", config)["mode"] == "auto"
        wait_until(lambda: console.states().get(victim) == "recovered")
        assert problem(console) is None
        assert waiting.wait_ready().stop() == 0
        assert console.stop() == 0
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == 1


def problem(console: Headless) -> object:
    (*_, last) = [line for line in list(console.lines) if line["kind"] == "journal"]
    return last["problem"]
