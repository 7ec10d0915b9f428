"""The metrics count every reclaim once, name no instance, and are for this machine only."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spottui.domain.interruption import Evidence, Observation
from spottui.domain.view import AutoMode, SourceHealth
from spottui.journal import Journal
from spottui.metrics import render

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AUTO = AutoMode(True, 0, 3, 10, 20)
LINE = re.compile(r'(# (HELP|TYPE) .+|[a-z_]+(\{([a-z]+="(\\.|[^"\\\n])*",?)*\})? [-+\d.e]+)')


def observe(journal: Journal, instance_id: str, source: Evidence, times: int = 1) -> None:
    seen = Observation("cn-hangzhou", instance_id, source, NOON)
    journal.interruptions.record([seen] * times, [], [], lambda *_: "", NOON)


def test_each_reclaim_counts_once_and_a_restart_counts_nothing_again(tmp_path: Path) -> None:
    for _ in range(2):
        journal = Journal(tmp_path / "j.db")
        for instance_id in ("i-1", "i-2"):
            observe(journal, instance_id, Evidence.QUEUE, 5)
            observe(journal, instance_id, Evidence.LOCK, 2)
        observe(journal, "i-3", Evidence.QUEUE)
        text = render(journal, [], AUTO, NOON)
        journal.close()
    assert 'spottui_interruptions_total{region="cn-hangzhou",evidence="lock"} 2\n' in text
    assert 'spottui_interruptions_total{region="cn-hangzhou",evidence="event"} 1\n' in text
    assert "i-1" not in text


def test_every_line_is_in_the_text_format(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    observe(journal, "i-1", Evidence.LOCK)
    sources = [
        SourceHealth("queue", "cn-hangzhou", 10, NOON - timedelta(seconds=3)),
        SourceHealth("lock", 'odd"\n\\', 2, None, "Forbidden"),
    ]
    text = render(journal, sources, AUTO, NOON)
    assert [line for line in text.splitlines() if not LINE.fullmatch(line)] == []
    assert 'spottui_source_up{source="queue",region="cn-hangzhou"} 1' in text
    assert 'spottui_source_age_seconds{source="queue",region="cn-hangzhou"} 3' in text
    journal.close()
