"""What tests write into journals."""

from datetime import UTC, datetime

from spottui.domain.facts import MessageSeen
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.recovery import Recovery
from spottui.journal import Journal
from spottui.journal.reclaims import Sighting, take_in
from spottui.journal.transaction import Transaction

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def see(journal: Journal, instance_id: str = "i-1", name: str = "", source: Evidence = Evidence.QUEUE) -> Recovery:
    """Take in one sign and return its recovery."""
    seen = Sighting([Observation("cn-hangzhou", instance_id, source, NOON)])
    (found,) = journal.run(lambda t: take_in(t, seen, lambda *_: name, journal.consoles.own, NOON))
    return found


def say(transaction: Transaction, name: str) -> None:
    """Write a line."""
    transaction.log(MessageSeen(name), NOON)


def said(journal: Journal) -> list[str]:
    """Return the lines, oldest first, once their numbers were seen to have no gap."""
    facts = journal.log.after(0, 10_000)
    assert [one.seq for one in facts] == list(range(1, len(facts) + 1))
    return [one.fact.name for one in facts if isinstance(one.fact, MessageSeen)]
