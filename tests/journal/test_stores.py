"""What holds of a journal in a file and of one in a database."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from spottui.domain.facts import SignSeen
from spottui.domain.interruption import Evidence
from spottui.journal import Journal, deliveries, schema
from spottui.journal.log import drop_old
from spottui.journal.transaction import Transaction
from tests.driving import wait_until
from tests.journal.conftest import Open
from tests.journal.writing import NOON, said, say, see


def test_what_is_committed_is_there_for_everybody(opened: Open, address: str) -> None:
    recovery = see(opened(address, acts=True), name="web-1")
    assert opened(address, read_only=True).recoveries.get(recovery.recovery_id) == recovery
    assert opened(address, acts=True).recoveries.known(recovery.recovery_id) == recovery


def test_who_reads_what_is_not_there_finds_nothing_and_makes_nothing(opened: Open, address: str) -> None:
    for _ in range(2):
        journal = opened(address, read_only=True)
        assert (journal.recoveries.all(), journal.consoles.living(), journal.log.find(lambda _: True, 9)) == (
            (),
            (),
            (),
        )


def test_signs_that_two_consoles_see_are_one_recovery(opened: Open, address: str) -> None:
    one, other = opened(address, acts=True), opened(address, acts=True)
    first, second = see(one), see(other, source=Evidence.LOCK)
    assert second.recovery_id == first.recovery_id
    assert second.interruption.marks == "LQ"
    assert second.driver == one.consoles.own
    wait_until(lambda: one.recoveries.known(first.recovery_id) == second, 5)
    assert list(one.log.unlike_their_facts()) == []


def test_what_a_change_reads_nobody_changes_before_it_is_committed(opened: Open, address: str) -> None:
    """Caps and arming are counted so."""
    journals = [opened(address, acts=True) for _ in range(3)]

    def add(transaction: Transaction) -> None:
        table, connection = schema.meta, transaction.connection
        found = connection.execute(sa.select(table.c.value).where(table.c.key == "count")).scalar()
        if found is None:
            connection.execute(table.insert().values(key="count", value="1"))
        else:
            connection.execute(table.update().where(table.c.key == "count").values(value=str(int(found) + 1)))
        say(transaction, found or "0")

    def work(number: int) -> None:
        for _ in range(25):
            journals[number].run(add)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said(journals[0]) == [str(number) for number in range(75)]


def test_a_change_that_fails_fails_alone(opened: Open, address: str) -> None:
    journal = opened(address, acts=True)
    hold = threading.Event()

    def wrong(transaction: Transaction) -> None:
        say(transaction, "never")
        transaction.connection.execute(schema.meta.insert().values(key="schema", value="twice"))

    journal.submit(lambda _: hold.wait(10))
    futures = [
        journal.submit(lambda t: say(t, "before")),
        journal.submit(wrong),
        journal.submit(lambda t: say(t, "after")),
    ]
    hold.set()
    assert isinstance(futures[1].exception(10), sa.exc.IntegrityError)
    assert [futures[0].result(10), futures[2].result(10)] == [None, None]
    assert said(journal) == ["before", "after"]


def test_all_that_one_reader_reads_is_of_one_moment(opened: Open, address: str) -> None:
    journal = opened(address, acts=True)
    count = sa.select(sa.func.count()).select_from(schema.fact)
    with opened(address, read_only=True).store.read() as connection:
        before = connection.execute(count).scalar()
        see(journal)
        assert connection.execute(count).scalar() == before


@pytest.mark.parametrize("name", ["web-1", 'a"b\\c', "100%_", "näme", "{}"])
def test_an_instance_is_found_by_any_name(opened: Open, address: str, name: str) -> None:
    journal = opened(address, acts=True)
    recovery = see(journal, name=name)
    see(journal, "i-2", name=f"{name}\0")
    assert journal.history.newest_of(name) == recovery
    assert journal.history.newest_of("i-2")
    assert journal.history.newest_of("no such") is None


def test_what_is_old_goes_in_small_pieces(opened: Open, address: str) -> None:
    journal = opened(address, acts=True)
    see(journal)
    journal.run(lambda t: say(t, "old"))
    dropped = journal.run(lambda t: drop_old(t, NOON + timedelta(days=31), timedelta(days=400)))
    assert dropped == 1
    assert [one.recovery_id != "" for one in journal.log.after(0, 99)] == [True, True]


def test_a_letter_is_told_by_one_console_and_a_late_failure_of_another_does_not_bring_it_back(
    opened: Open, address: str
) -> None:
    one, other = opened(address, acts=True), opened(address, acts=True)
    one.run(lambda t: deliveries.introduce(t, "chat"))
    see(one, "i-1")
    see(one, "i-1", source=Evidence.LOCK)
    see(one, "i-2")
    facts = one.log.after(0, 99, [SignSeen])
    assert len(facts) == 3
    one.run(lambda t: deliveries.queue_up(t, "chat", facts, facts[-1].seq, NOON))

    def due(journal: Journal, after_s: float = 0) -> list[deliveries.Delivery]:
        with journal.store.read() as connection:
            return deliveries.due(connection, "chat", NOON + timedelta(seconds=after_s))

    first, second = due(one)
    assert [first.logged.instance_id, second.logged.instance_id] == ["i-1", "i-2"], "of each recovery the oldest"
    assert one.run(lambda t: deliveries.claim(t, "chat", first, NOON))
    assert not other.run(lambda t: deliveries.claim(t, "chat", first, NOON))
    assert due(other) == [second], "what comes after the first waits for it"
    later = NOON + deliveries.CLAIMED_FOR
    assert other.run(lambda t: deliveries.claim(t, "chat", first, later)), "the first console seems to have died"
    other.run(lambda t: deliveries.taken(t, "chat", first))
    one.run(lambda t: deliveries.failed(t, "chat", first, NOON))
    assert [delivery.logged for delivery in due(one, 3_600)] == list(facts[1:])
