"""Reclaims in a journal without a cloud: signs as the sources write them, and facts as the engine does."""

from datetime import datetime

from spottui.domain.facts import Fact
from spottui.domain.interruption import Observation
from spottui.domain.recovery import Recovery
from spottui.journal import Journal
from spottui.journal.reclaims import Sighting, take_in


def see(journal: Journal, *signs: Observation, at: datetime, name: str = "") -> Recovery:
    """Commit signs, and return the recovery of the last one."""
    return journal.run(lambda t: take_in(t, Sighting(list(signs)), lambda *_: name, "", at))[-1]


def record(journal: Journal, recovery_id: str, fact: Fact, at: datetime) -> Recovery:
    """Commit a fact of a recovery, and return the recovery after it."""
    return journal.run(lambda t: t.record(recovery_id, fact, at))
