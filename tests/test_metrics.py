"""The metrics count every reclaim once, name no instance, and are for this machine only."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spottui.domain.facts import Retried, StateEntered
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.reasons import Failure
from spottui.domain.recovery import RecoveryState
from spottui.domain.view import AutoMode, SourceHealth
from spottui.journal import Journal
from spottui.metrics import Tally, render
from tests.driving import wait_until
from tests.reclaims import record, see

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AUTO = AutoMode(True, 0, 3, 10, 20)
REGIONS = ("cn-hangzhou",)
LINE = re.compile(r'(# (HELP|TYPE) .+|[a-z_]+(\{([a-z]+="(\\.|[^"\\\n])*",?)*\})? [-+\d.e]+)')


COUNTER = re.compile("_(total|bucket|sum|count)$")
LATER = NOON + timedelta(seconds=90)
LOCKED = 'spottui_interruptions_total{region="cn-hangzhou",evidence="lock"}'
DRILLS = 'spottui_interruptions_total{region="cn-hangzhou",evidence="event"}'


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "j.db") as journal:
        yield journal


def observe(journal: Journal, instance_id: str, source: Evidence, times: int = 1, at: datetime = NOON) -> str:
    seen = Observation("cn-hangzhou", instance_id, source, NOON)
    return see(journal, *[seen] * times, at=at).recovery_id


def end(journal: Journal, recovery_id: str, state: RecoveryState) -> None:
    record(journal, recovery_id, StateEntered(state), LATER)


def told(tally: Tally, now: datetime = NOON) -> dict[str, float]:
    """Every series with its value."""
    lines = [line for line in render(tally, 0, [], AUTO, now).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_each_reclaim_counts_once_and_a_restart_counts_nothing_again(tmp_path: Path) -> None:
    for _ in range(2):
        with Journal(tmp_path / "j.db") as journal:
            for instance_id in ("i-1", "i-2"):
                observe(journal, instance_id, Evidence.QUEUE, 5)
                observe(journal, instance_id, Evidence.LOCK, 2)
            drill = observe(journal, "i-3", Evidence.QUEUE)
            end(journal, drill, RecoveryState.SKIPPED)
            text = render(Tally(journal, REGIONS), 0, [], AUTO, NOON)
    assert f"{LOCKED} 2\n" in text
    assert f"{DRILLS} 1\n" in text
    assert "i-1" not in text


def test_what_is_counted_follows_the_log_and_never_goes_down(journal: Journal) -> None:
    """The same as a restart counts, at each step."""
    tally = Tally(journal, REGIONS)
    seen: list[dict[str, float]] = [{}]

    def look() -> dict[str, float]:
        values = told(tally)
        counters = {name: value for name, value in values.items() if COUNTER.search(name.partition("{")[0])}
        assert counters == {name: value for name, value in told(Tally(journal, REGIONS)).items() if name in counters}
        assert [name for name, value in seen[-1].items() if counters[name] < value] == []
        seen.append(counters)
        return values

    first = look()
    ends = [f'spottui_recoveries_total{{region="cn-hangzhou",state="{state}"}}' for state in ("failed", "recovered")]
    assert [first[name] for name in (DRILLS, LOCKED, *ends)] == [0, 0, 0, 0], "the first event is an increase"
    recovery_id = observe(journal, "i-1", Evidence.QUEUE)
    assert look()[DRILLS] == 0, "it may still turn out to be one with a lock"
    observe(journal, "i-1", Evidence.LOCK)
    assert look()[LOCKED] == 1
    end(journal, recovery_id, RecoveryState.FAILED)
    look()
    record(journal, recovery_id, Retried(1, "ann"), LATER)
    look()
    end(journal, recovery_id, RecoveryState.RECOVERED)
    last = look()
    assert [last[name] for name in ends] == [1, 1]
    assert last["spottui_recovery_seconds_count"] == 1
    assert last["spottui_recovery_seconds_sum"] == 90


def test_gauges_say_what_is_now(journal: Journal) -> None:
    tally, region = Tally(journal, REGIONS), '{region="cn-hangzhou"}'
    assert told(tally)[f"spottui_needs_you{region}"] == told(tally)[f"spottui_reclaiming{region}"] == 0
    recovery_id = observe(journal, "i-1", Evidence.QUEUE, at=NOON + timedelta(seconds=2))
    observe(journal, "i-1", Evidence.LOCK)
    record(journal, recovery_id, StateEntered(RecoveryState.NEEDS_YOU), NOON)
    now = told(tally)
    gauges = ("needs_you", "reclaiming", "recoveries_under_way", "queue_latency_seconds")
    assert [now[f"spottui_{name}{region}"] for name in gauges] == [1, 1, 1, 2]
    record(journal, recovery_id, StateEntered(RecoveryState.NEEDS_YOU, queued=3), NOON)
    assert told(tally)[f"spottui_needs_you{region}"] == 0, "auto-mode lets it go by itself"
    end(journal, recovery_id, RecoveryState.RECOVERED)
    assert told(tally)[f"spottui_reclaiming{region}"] == 1, "still locked"
    assert told(tally, NOON + timedelta(hours=1))[f"spottui_reclaiming{region}"] == 0


def test_a_scrape_reads_nothing_from_disk_that_has_not_changed(tmp_path: Path, journal: Journal) -> None:
    """The file is gone under it: what was counted is still told."""
    observe(journal, "i-1", Evidence.LOCK)
    tally = Tally(journal, REGIONS)
    before = told(tally)
    assert before["spottui_journal_up"] == 1
    (tmp_path / "j.db").unlink()
    wait_until(lambda: told(tally)["spottui_journal_up"] == 0, timeout_s=10)
    journal.close()
    assert told(tally) == before | {"spottui_journal_up": 0}


def test_another_process_writes_and_it_is_counted(tmp_path: Path, journal: Journal) -> None:
    tally = Tally(journal, REGIONS)
    with Journal(tmp_path / "j.db") as other:
        observe(other, "i-1", Evidence.LOCK)
    wait_until(lambda: told(tally).get(LOCKED) == 1, timeout_s=10)


def test_every_line_is_in_the_text_format(journal: Journal) -> None:
    observe(journal, "i-1", Evidence.LOCK)
    sources = [
        SourceHealth("queue", "cn-hangzhou", 10, NOON - timedelta(seconds=3)),
        SourceHealth("lock", 'odd"\n\\', 2, None, Failure("DescribeInstances", "Forbidden")),
    ]
    text = render(Tally(journal, REGIONS), 7, sources, AUTO, NOON)
    assert [line for line in text.splitlines() if not LINE.fullmatch(line)] == []
    assert 'spottui_source_up{source="queue",region="cn-hangzhou"} 1' in text
    assert 'spottui_source_age_seconds{source="queue",region="cn-hangzhou"} 3' in text
    assert "spottui_letters_waiting 7" in text
