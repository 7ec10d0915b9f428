"""What is old is dropped by whoever acts, and nothing else is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from spottui.domain.clock import SystemClock
from spottui.domain.facts import MessageSeen, StateEntered
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal
from spottui.journal.reclaims import Sighting, take_in
from spottui.journal.retention import Retention
from tests.driving import wait_until

NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=401)


def test_what_is_old_goes_and_what_is_open_or_new_stays(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        ended = _recovery(journal, "i-ended", OLD, ends=True)
        lately = _recovery(journal, "i-lately", NOW - timedelta(days=399), ends=True)
        still_open = _recovery(journal, "i-open", OLD, ends=False)
        for at in (NOW - timedelta(days=31), NOW - timedelta(days=29)):
            journal.run(lambda t, at=at: t.log(MessageSeen("Event", str(at.date())), at))  # type: ignore[misc]
        retention = Retention(journal, SystemClock(), timedelta(days=400))
        retention.start()
        wait_until(lambda: not journal.log.of(ended) and journal.log.count() == 4)
        retention.stop()
        retention.join(5)
        assert not retention.is_alive()
        assert len(journal.log.of(lately)) == 2
        assert len(journal.log.of(still_open)) == 1
        assert not list(journal.log.unlike_their_facts())
        known = journal.recoveries.get(ended)
        assert known, "that it was is still counted"
        assert known.state is RecoveryState.FAILED


def _recovery(journal: Journal, instance_id: str, at: datetime, *, ends: bool) -> str:
    seen = Sighting([Observation("cn-hangzhou", instance_id, Evidence.LOCK, at)])
    (recovery,) = journal.run(lambda t: take_in(t, seen, lambda *_: "", "", at))
    if ends:
        journal.run(lambda t: t.record(recovery.recovery_id, StateEntered(RecoveryState.FAILED), at))
    return recovery.recovery_id
