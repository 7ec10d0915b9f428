"""Who lives, over all hosts, as every console of a database sees it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from spottui.journal.leases import LOCK, UNLOCKED_S
from tests.driving import wait_until
from tests.journal.conftest import Open
from tests.journal.postgres_server import PASSWORD, PostgresServer
from tests.journal.tcp_proxy import TcpProxy

TAKE_OVER_S = 7.0
"""A take-over takes a second more, and is to be over within eight."""
CONSOLE = """
import sys, time
from spottui.journal import Journal
journal = Journal(sys.argv[1], acts=True)
print(journal.consoles.own, flush=True)
time.sleep(600)
"""


@contextmanager
def another(database: str) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """Run a console in a process of its own; give it and its id."""
    with subprocess.Popen([sys.executable, "-c", CONSOLE, database], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_all_consoles_are_known_by_host_and_process_and_leave_at_once(opened: Open, database: str) -> None:
    journal, reader = opened(database, acts=True), opened(database, read_only=True)
    reader.follow()
    with another(database) as (process, own):
        wait_until(lambda: len(reader.consoles.living()) == 2, 10)
        first, second = reader.consoles.living()
        assert (first.id, second.id) == (journal.consoles.own, own)
        assert (first.pid, second.pid) == (os.getpid(), process.pid)
        assert first.since < second.since
        assert reader.consoles.own == ""
    journal.close()
    wait_until(lambda: not reader.consoles.living(), 10)


def test_one_that_is_killed_is_dead_within_seconds(opened: Open, database: str) -> None:
    journal = opened(database, acts=True)
    with another(database) as (process, own):
        assert journal.consoles.is_alive(own)
        process.kill()
        wait_until(lambda: not journal.consoles.is_alive(own), TAKE_OVER_S)
        assert [one.id for one in journal.consoles.living()] == [journal.consoles.own]


def test_one_that_is_stopped_does_not_answer_until_it_goes_on(opened: Open, database: str) -> None:
    journal = opened(database, acts=True)
    with another(database) as (process, own):
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: not journal.consoles.is_alive(own), TAKE_OVER_S)
        assert [one.answers for one in journal.consoles.living()] == [True, False]
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: journal.consoles.is_alive(own), 5)


def test_a_connection_that_is_cut_costs_nobody_his_place(opened: Open, database: str, server: PostgresServer) -> None:
    proxy = TcpProxy(server.port)
    journal = opened(database, acts=True)
    cut_off = opened(database.replace(str(server.port), str(proxy.port)), acts=True)
    wait_until(lambda: len(journal.consoles.living()) == 2, 10)
    name = database.rpartition("/")[2]
    locks = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory'"
    for _ in range(3):
        proxy.cut()
        until = time.monotonic() + UNLOCKED_S - 0.5
        while time.monotonic() < until:
            is_alive, looked_at = journal.consoles.is_alive(cut_off.consoles.own), time.monotonic()
            assert is_alive or looked_at > until
            time.sleep(0.05)
        wait_until(lambda: server.run(f"{locks} AND datname = '{name}'") == [(2,)], 10)


def test_one_of_whom_nobody_has_heard_yet_is_not_dead(opened: Open, database: str) -> None:
    """It has begun something before the others have looked who lives."""
    journal, newcomer = opened(database, acts=True), opened(database, acts=True)
    assert journal.consoles.is_alive(newcomer.consoles.own)
    assert not journal.consoles.is_alive("")
    assert journal.consoles.is_alive("nobody")
    wait_until(lambda: not journal.consoles.is_alive("nobody"), 5)
    assert journal.consoles.is_alive(newcomer.consoles.own)


def test_a_restart_of_the_server_costs_nobody_his_place(opened: Open, own_server: PostgresServer) -> None:
    one, other = (opened(own_server.address("postgres"), acts=True) for _ in range(2))
    wait_until(lambda: len(one.consoles.living()) == 2, 10)
    own_server.stop()
    time.sleep(6)  # Longer than a lease.
    own_server.start()
    until, was_alive = time.monotonic() + 6, []
    while time.monotonic() < until:
        was_alive.append(one.consoles.is_alive(other.consoles.own) and other.consoles.is_alive(one.consoles.own))
        time.sleep(0.05)
    assert all(was_alive)


def test_the_next_to_start_forgets_those_that_were_killed_long_ago(
    opened: Open, database: str, server: PostgresServer
) -> None:
    opened(database, acts=True).close()
    name = database.rpartition("/")[2]
    now = "extract(epoch FROM clock_timestamp())"
    for console, key, age_s in (("killed", 1, 7_200), ("lately", 2, 60), ("stopped", 3, 7_200)):
        server.run(f"INSERT INTO lease VALUES ('{console}', 'h', 1, {now}, {now} - {age_s}, {key})", name)
    with psycopg.connect(database, password=PASSWORD, autocommit=True) as stopped:
        stopped.execute("SELECT pg_advisory_lock(%s::int4, 3)", [LOCK])
        journal = opened(database, acts=True)
        left = {row[0] for row in server.run("SELECT console FROM lease", name)}
    assert left == {"lately", "stopped", journal.consoles.own}


def test_a_host_whose_clock_is_ahead_forgets_no_batch_of_a_living_writer(
    opened: Open, database: str, server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    living = opened(database, acts=True)
    living.run(lambda _: None)
    batches = ("SELECT writer, batch FROM last_batch", database.rpartition("/")[2])
    (written,) = server.run(*batches)
    ahead = time.time() + 2 * 86_400
    monkeypatch.setattr(time, "time", lambda: ahead)
    opened(database, acts=True)
    assert written in server.run(*batches)
