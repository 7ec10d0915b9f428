"""What is old is dropped by whoever acts, and nothing else is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from spottui.domain.clock import SystemClock
from spottui.domain.facts import Fact, MessageSeen, PoisonSeen, Released, Retried, StateEntered
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.launch_spec import Secret
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal, log
from spottui.journal import retention as retention_module
from spottui.journal.log import DROPPED_AT_ONCE, drop_old
from spottui.journal.reclaims import Sighting, take_in
from spottui.journal.recoveries import load_plan
from spottui.journal.retention import Retention
from spottui.journal.transaction import Transaction
from tests.driving import wait_until
from tests.journal.given import plan_of, set_plan

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
        wait_until(lambda: not journal.log.of(ended) and len(journal.log.find(lambda _: True, 99)) == 4)
        retention.stop()
        retention.join(5)
        assert not retention.is_alive()
        assert len(journal.log.of(lately)) == 2
        assert len(journal.log.of(still_open)) == 1
        assert not list(journal.log.unlike_their_facts())
        known = journal.recoveries.get(ended)
        assert known, "that it was is still counted"
        assert known.state is RecoveryState.FAILED


FLOODS = [PoisonSeen("?", body="x" * 99), MessageSeen("Instance:StateChange", "Running"), Released(NOW)]


@pytest.mark.parametrize("flood", FLOODS, ids=lambda fact: type(fact).__name__)
def test_user_data_goes_a_week_after_what_came_to_nothing_and_messages_while_they_flood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flood: Fact
) -> None:
    dropped: list[int] = []

    def drop(*args: Any) -> int:
        dropped.append(drop_old(*args))
        return dropped[-1]

    monkeypatch.setattr(log, "FLOOD_KEPT", 10)
    monkeypatch.setattr(retention_module, "drop_old", drop)
    with Journal(tmp_path / "j.db") as journal:
        old = _recovery(journal, "i-old", NOW - timedelta(days=8), ends=True)
        young = _recovery(journal, "i-young", NOW - timedelta(days=6), ends=True)
        plan = replace(plan_of(), spec=replace(plan_of().spec, user_data=Secret("aHVudGVyMg==")))
        for one in (old, young):
            set_plan(journal, one, plan)
        retention = Retention(journal, SystemClock(), timedelta(days=400))
        retention.start()
        wait_until(lambda: not _has_user_data(journal, old))
        assert _has_user_data(journal, young)
        wait_until(lambda: dropped[-1] == 0)  # It waits for the next day now.
        journal.run(lambda t: [t.log(flood, NOW) for _ in range(DROPPED_AT_ONCE)])
        wait_until(lambda: len(journal.log.after(0, 10_000, (type(flood),))) == 10)
        retention.stop()
        retention.join(5)


def test_a_recovery_is_dropped_whole_or_not_at_all(tmp_path: Path) -> None:
    """Whoever looks between two batches, doctor say, finds nothing that is half a recovery."""
    with Journal(tmp_path / "j.db") as journal:
        ids = [_recovery(journal, f"i-{number}", OLD, ends=True, lines=230) for number in range(25)]
        left = [len(journal.log.of(one)) for one in ids]
        while journal.run(lambda t: drop_old(t, NOW, timedelta(days=400))):
            before, left = left, [len(journal.log.of(one)) for one in ids]
            assert all(now in (0, was) for now, was in zip(left, before, strict=True))
            assert not list(journal.log.unlike_their_facts())
        assert set(left) == {0}


@pytest.mark.parametrize("kept_from", [1, 2, 50])
def test_what_an_earlier_version_left_of_a_recovery_is_no_trouble(tmp_path: Path, kept_from: int) -> None:
    with Journal(tmp_path / "j.db") as journal:
        half = _recovery(journal, "i-half", OLD, ends=True, lines=60)
        whole = _recovery(journal, "i-whole", OLD, ends=True)
        journal.run(lambda t: _drop_first(t, half, kept_from))
        assert not list(journal.log.unlike_their_facts())
        journal.run(lambda t: t.connection.execute(sa.text("UPDATE recovery SET data = replace(data, 'i-whole', 'x')")))
        assert list(journal.log.unlike_their_facts()) == [whole]


def test_what_the_journal_does_not_take_once_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("spottui.journal.retention.TRY_AGAIN_S", 0.2)
    with Journal(tmp_path / "j.db") as journal:
        ended = _recovery(journal, "i-ended", OLD, ends=True)
        refuse = "CREATE TRIGGER refused BEFORE DELETE ON fact BEGIN SELECT raise(ABORT, 'not now'); END"
        journal.run(lambda t: t.connection.execute(sa.text(refuse)))
        retention = Retention(journal, SystemClock(), timedelta(days=400))
        retention.start()
        wait_until(lambda: "old facts could not be dropped" in caplog.text)
        assert len(journal.log.of(ended)) == 2
        journal.run(lambda t: t.connection.execute(sa.text("DROP TRIGGER refused")))
        wait_until(lambda: not journal.log.of(ended))
        retention.stop()
        retention.join(5)


def _has_user_data(journal: Journal, recovery_id: str) -> bool:
    with journal.store.read() as connection:
        plan = load_plan(connection, recovery_id)
    assert plan
    return plan.spec.user_data is not None


def _drop_first(transaction: Transaction, recovery_id: str, count: int) -> None:
    transaction.connection.execute(
        sa.text("DELETE FROM fact WHERE seq IN (SELECT seq FROM fact WHERE recovery_id = :id ORDER BY seq LIMIT :n)"),
        {"id": recovery_id, "n": count},
    )


def _recovery(journal: Journal, instance_id: str, at: datetime, *, ends: bool, lines: int = 0) -> str:
    seen = Sighting([Observation("cn-hangzhou", instance_id, Evidence.LOCK, at)])
    (recovery,) = journal.run(lambda t: take_in(t, seen, lambda *_: "", "", at))
    for number in range(lines):
        journal.submit(lambda t, number=number: t.record(recovery.recovery_id, Retried(number, "ann"), at))  # type: ignore[misc]
        if number % 4 == 0:  # The same instance is seen again and again.
            journal.submit(lambda t: take_in(t, seen, lambda *_: "", "", at))
    if ends:
        journal.run(lambda t: t.record(recovery.recovery_id, StateEntered(RecoveryState.FAILED), at))
    return recovery.recovery_id
