"""A journal in PostgreSQL: how it is opened, and what is lost or doubled when connections or the server go away."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import psycopg
import pytest

from spottui.cloud.account import CloudAccount
from spottui.config import load
from spottui.domain.clock import SystemClock
from spottui.journal import Journal
from spottui.journal.store import JournalAway, JournalProblem
from spottui.journal.writer import Promise
from spottui.recovery.protect import DiskProtection
from spottui.sim.testing import SimServer
from spottui.watch.intake import Intake
from tests.driving import wait_until
from tests.journal.conftest import Open
from tests.journal.postgres_server import PASSWORD, PostgresServer
from tests.journal.tcp_proxy import TcpProxy
from tests.journal.writing import said, say, see


@pytest.fixture
def proxy(server: PostgresServer) -> Iterator[TcpProxy]:
    proxy = TcpProxy(server.port)
    yield proxy
    proxy.release()
    proxy.cut()


def through(proxy: TcpProxy, database: str) -> str:
    """Return the address of a journal by way of a proxy."""
    return database.replace(database.rpartition(":")[2].partition("/")[0], str(proxy.port))


@pytest.mark.parametrize("mode", [{"acts": True}, {"read_only": True}], ids=["to act", "to read"])
@pytest.mark.parametrize(
    ("user", "name", "port", "words"),
    [
        ("spottui", "no_such", None, "does not exist"),
        ("nobody", "postgres", None, "password authentication failed"),
        ("spottui", "postgres", 1, "Connection refused"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_line_and_away_is_only_who_may_return(
    server: PostgresServer, mode: dict[str, bool], user: str, name: str, port: int | None, words: str
) -> None:
    address = f"postgresql://{user}@127.0.0.1:{port or server.port}/{name}"
    with pytest.raises(JournalProblem) as problem:
        Journal(address, **mode)
    assert words in str(problem.value)
    assert str(problem.value).startswith(f"journal {address}: ")
    assert "\n" not in str(problem.value)
    assert isinstance(problem.value, JournalAway) == (port is not None)


def test_of_several_servers_one_that_answers_is_enough(opened: Open, database: str, server: PostgresServer) -> None:
    """While none does, the journal is away."""
    several = database.replace(f"127.0.0.1:{server.port}", "127.0.0.1:1,127.0.0.1:{}")
    assert see(opened(several.format(server.port), acts=True))
    with pytest.raises(JournalAway, match="refused"):
        Journal(several.format(2), acts=True)
    with pytest.raises(JournalProblem, match="does not exist") as problem:
        Journal(f"{several.format(server.port)}-no-such", acts=True)
    assert not isinstance(problem.value, JournalAway)


def test_a_server_that_is_silent_is_away(database: str, proxy: TcpProxy) -> None:
    proxy.hold()
    with pytest.raises(JournalAway, match="timeout"):
        Journal(through(proxy, database), acts=True)


@pytest.mark.parametrize("attributes", ["", "?target_session_attrs=read-write"])
def test_a_server_that_only_reads_yet_is_away(
    opened: Open, database: str, server: PostgresServer, attributes: str
) -> None:
    name = database.rpartition("/")[2]
    opened(database, acts=True).close()
    server.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(JournalAway, match="read-only"):
        Journal(f"{database}{attributes}", acts=True)
    server.run(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert see(opened(f"{database}{attributes}", acts=True))


def test_a_wrong_password_is_said_and_not_told(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    with pytest.raises(JournalProblem, match="password authentication failed") as problem:
        Journal(server.address("postgres"), acts=True)
    assert "hunter2" not in str(problem.value)


def test_a_server_that_takes_no_more_connections_is_said(server: PostgresServer) -> None:
    server.run("CREATE ROLE one LOGIN SUPERUSER PASSWORD 'not so secret'")
    name = server.new_database("CONNECTION LIMIT 2")
    server.run(f"CREATE ROLE few LOGIN PASSWORD '{PASSWORD}'")
    server.run(f"ALTER DATABASE {name} OWNER TO few")
    with pytest.raises(JournalProblem, match="too many connections"):
        Journal(server.address(name).replace("spottui@", "few@"), acts=True)


def test_a_database_of_another_encoding_is_refused(server: PostgresServer) -> None:
    name = server.new_database("ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'")
    with pytest.raises(JournalProblem, match="UTF8"):
        Journal(server.address(name), acts=True)


def test_without_psycopg_it_is_said_what_to_install() -> None:
    code = "import sys; sys.modules['psycopg'] = None\nfrom spottui.journal import Journal\nJournal('postgresql://x/y')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "JournalProblem: a PostgreSQL journal needs psycopg" in done.stderr


def test_two_journals_live_in_schemas_of_one_database(opened: Open, database: str, server: PostgresServer) -> None:
    for name in ("north", '"South 1"'):
        journal = opened(f"{database}?options=-csearch_path%3D{name.replace(' ', '%5C%20')}", acts=True)
        see(journal)
        assert len(journal.recoveries.all()) == 1
        assert journal.store.address == database
        assert len(journal.consoles.living()) == 1
    found = server.run(
        "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'fact'", database.rpartition("/")[2]
    )
    assert sorted(found) == [("South 1",), ("north",)]


def test_passwords_come_from_a_service_file(
    opened: Open, database: str, server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = database.rpartition("/")[2]
    service = tmp_path / "services"
    service.write_text(
        f"[ours]\nhost=127.0.0.1\nport={server.port}\nuser=spottui\ndbname={name}\npassword={PASSWORD}\n"
    )
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    assert see(opened("postgresql://?service=ours", acts=True))
    monkeypatch.setenv("PGPASSFILE", "/dev/null")
    with pytest.raises(JournalProblem, match="no password"):
        Journal(database)


def test_who_reads_makes_no_table_and_waits_for_no_writer(opened: Open, database: str, server: PostgresServer) -> None:
    opened(database, read_only=True)
    name = database.rpartition("/")[2]
    assert server.run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name) == [(0,)]
    see(opened(database, acts=True))
    with psycopg.connect(database) as other:
        other.execute("SELECT seq FROM log_head FOR UPDATE")
        assert len(opened(database, read_only=True).recoveries.all()) == 1


def test_what_one_writes_another_hears_of(opened: Open, database: str) -> None:
    one, other = opened(database, acts=True), opened(database, read_only=True)
    other.follow()
    before = other.version
    see(one)
    wait_until(lambda: other.recoveries.open(), 5)
    assert other.version > before


@pytest.mark.parametrize("after", [False, True])
def test_a_commit_whose_answer_is_lost_is_done_once(opened: Open, database: str, proxy: TcpProxy, after: bool) -> None:
    """Also when another host commits before it is known."""
    other, journal = opened(database, acts=True), opened(through(proxy, database), acts=True)
    facts: list[int] = []
    journal.follow(lambda logged: facts.extend(one.seq for one in logged))
    for number in range(4):
        proxy.cut_at(b"COMMIT", after=after)
        change = journal.submit(lambda t, number=number: say(t, f"mine {number}"))  # type: ignore[misc]
        other.run(lambda t, number=number: say(t, f"other {number}"))  # type: ignore[misc]
        change.result(15)
    assert proxy.cuts == 4
    lines = said(other)
    assert sorted(lines) == sorted(f"{who} {number}" for who in ("mine", "other") for number in range(4))
    wait_until(lambda: len(facts) == 8, 5)
    assert facts == list(range(1, 9)), "each is told once, in their order"
    assert journal.writer.problem == ""


@pytest.mark.parametrize("after", [True, False], ids=["committed", "not committed"])
def test_a_commit_whose_answer_never_comes_keeps_nobody_waiting_and_is_looked_up_later(
    opened: Open, database: str, proxy: TcpProxy, after: bool
) -> None:
    other, journal = opened(database, acts=True), opened(through(proxy, database), acts=True)
    journal.run(lambda t: say(t, "before"))
    proxy.cut_at(b"COMMIT", after=after, hold=True)
    began = time.monotonic()
    with pytest.raises(JournalAway, match="it is unknown whether this was written until it answers again"):
        journal.run(lambda t: say(t, "unsure"), timeout_s=0.5)
    assert time.monotonic() - began < 8
    proxy.release()
    journal.run(lambda t: say(t, "after"), timeout_s=20)
    assert said(other) == ["before", *(["unsure"] if after else []), "after"]


def test_connections_that_are_cut_lose_and_double_nothing(opened: Open, database: str, proxy: TcpProxy) -> None:
    other, journal = opened(database, acts=True), opened(through(proxy, database), acts=True)
    changes: list[Future[None]] = []
    for number in range(60):
        changes.append(journal.submit(lambda t, number=number: say(t, str(number))))  # type: ignore[misc]
        if number % 6 == 0:
            proxy.cut()
        time.sleep(0.005)
    for change in changes:
        change.result(20)
    assert Counter(said(other)) == Counter(str(number) for number in range(60))


def test_a_server_that_crashes_loses_and_doubles_nothing(opened: Open, own_server: PostgresServer) -> None:
    journal = opened(own_server.address("postgres"), acts=True)
    other = opened(own_server.address("postgres"), acts=True)
    changes: list[Promise[None]] = []
    for crash in range(3):
        for number in range(100):
            name = f"{crash} {number}"
            changes.append((journal, other)[number % 2].submit(lambda t, name=name: say(t, name)))  # type: ignore[misc]
            if number == 30:
                own_server.stop("immediate")
        wait_until(lambda: journal.writer.problem, 10)
        own_server.start()
        for change in changes:
            change.result(20)
    assert Counter(said(journal)) == Counter(f"{crash} {number}" for crash in range(3) for number in range(100))
    assert list(journal.log.unlike_their_facts()) == []


def test_while_it_is_away_it_is_said_nobody_waits_and_nothing_is_done_late(
    opened: Open, own_server: PostgresServer
) -> None:
    journal = opened(own_server.address("postgres"), acts=True)
    own_server.stop()
    kept = journal.submit(lambda t: say(t, "kept"))
    wait_until(lambda: "refused" in journal.writer.problem, 5)
    wait_until(lambda: journal.store.leases.problem, 5)  # type: ignore[attr-defined]
    with pytest.raises(JournalAway, match="server"):
        journal.recoveries.all()
    with pytest.raises(TimeoutError):
        journal.run(lambda t: say(t, "given up"), timeout_s=0.2)
    own_server.start()
    kept.result(10)
    wait_until(lambda: journal.writer.problem == "", 5)
    assert said(journal) == ["kept"]


def test_disks_of_an_instance_that_no_sweep_has_seen_are_protected_while_it_is_away(
    opened: Open, own_server: PostgresServer, live_cloud: SimServer, config: Path
) -> None:
    journal, account = opened(own_server.address("postgres"), acts=True), CloudAccount(load(config))
    protection = DiskProtection(journal, account.regions, SystemClock())
    intake = Intake(journal, SystemClock(), account.regions, lambda *_: "", protection.send, lambda _: None)
    victim = live_cloud.spot_ids()[0]
    live_cloud.interrupt([victim])
    own_server.stop()
    wait_until(lambda: journal.store.leases.problem, 5)  # type: ignore[attr-defined]
    with pytest.raises(JournalAway):
        intake.locks(account.regions["cn-hangzhou"].locked())
    (instance,) = (row for row in live_cloud.state()["instances"] if row["InstanceId"] == victim)
    assert protection.of("cn-hangzhou", victim).result(20).disk_ids == tuple(instance["DiskIds"])


def test_a_network_that_says_nothing_is_noticed_and_gone_on_with(opened: Open, database: str, proxy: TcpProxy) -> None:
    other, journal = opened(database, acts=True), opened(through(proxy, database), acts=True)
    proxy.hold()
    change = journal.submit(lambda t: say(t, "late"))
    wait_until(lambda: journal.writer.problem, 15)
    other.run(lambda t: say(t, "meanwhile"), timeout_s=8)
    assert not other.consoles.is_alive(journal.consoles.own)
    proxy.release()
    change.result(20)
    assert sorted(said(other)) == ["late", "meanwhile"]
    wait_until(lambda: other.consoles.is_alive(journal.consoles.own), 10)


STOPPED = """
import os, signal, sys, time
from spottui.journal import Journal
from tests.journal.writing import say
journal = Journal(sys.argv[1], acts=True)
def stop(transaction):
    transaction.connection
    say(transaction, "stopped")
    if not os.path.exists(sys.argv[2]):
        open(sys.argv[2], "w").close()
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(1)  # Another thread may be the one that takes the signal.
journal.run(stop)
journal.close()
"""


def test_a_process_that_is_stopped_while_it_writes_holds_up_nobody(opened: Open, database: str, tmp_path: Path) -> None:
    journal, marked = opened(database, acts=True), tmp_path / "marked"
    with subprocess.Popen([sys.executable, "-c", STOPPED, database, str(marked)]) as process:
        try:
            wait_until(marked.exists, 20)
            journal.run(lambda t: say(t, "meanwhile"), timeout_s=8)
            assert said(journal) == ["meanwhile"]
            os.kill(process.pid, signal.SIGCONT)
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert said(journal) == ["meanwhile", "stopped"]


def test_a_database_that_went_back_in_time_is_not_written(opened: Open, database: str, server: PostgresServer) -> None:
    journal = opened(database, acts=True)
    see(journal)
    name = database.rpartition("/")[2]
    server.run("DELETE FROM fact WHERE seq > 1", name)
    server.run("UPDATE log_head SET seq = 1", name)
    with pytest.raises(JournalProblem, match="earlier state"):
        see(journal)
    assert server.run("SELECT count(*) FROM fact", name) == [(1,)]
