"""Names and reasons come from outside: wherever a command prints them they are text, and nothing else."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spottui.config import load
from spottui.domain.facts import CallFailed, StateEntered
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.reasons import Failure, Reason, Why
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal
from tests.cli.running import own_state, run
from tests.reclaims import record, see

HOSTILE = "=cmd|[x](http://e)<b>#(rm -rf)\x1b[31m\n| row |"


@pytest.fixture
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own_state(monkeypatch, tmp_path)
    path = tmp_path / "c.toml"
    path.write_text('[[region]]\nid = "cn-hangzhou"\nqueue = "q"\nmns_endpoint = "http://127.0.0.1:9"\n')
    journal = Journal(Path(load(path).journal))
    now = datetime.now(UTC)
    seen = Observation("cn-hangzhou", "i-1", Evidence.LOCK, now)
    opened = see(journal, seen, at=now, name=HOSTILE)
    failure = Failure("CreateImage", HOSTILE, "other", HOSTILE, HOSTILE)
    reason = Reason(Why.NO_PLAN_YET, HOSTILE, HOSTILE, failure=failure)
    record(journal, opened.recovery_id, StateEntered(RecoveryState.SUSPECTED, reason), now)
    record(journal, opened.recovery_id, CallFailed("CreateImage", failure, target=HOSTILE), now)
    journal.close()
    return path


@pytest.mark.parametrize(
    "arguments", [["report", "i-1"], ["status"], ["status", "--tmux"], ["replay", "i-1"], ["report", "--since", "1d"]]
)
def test_no_escape_sequence_reaches_the_terminal(toml: Path, arguments: list[str]) -> None:
    done = run(*arguments, "--config", toml, colour=True)
    assert done.stdout.strip()
    assert "\x1b[31m" not in done.stdout


def test_a_post_mortem_has_no_markup_from_outside(toml: Path) -> None:
    markdown = run("report", "i-1", "--config", toml).stdout
    assert "[x](http" not in markdown
    assert "<b>" not in markdown
    rows = [line for line in markdown.splitlines() if "cmd" in line]
    assert rows
    assert not any(line.startswith("| row") for line in markdown.splitlines())


def test_tmux_is_given_no_format_and_a_spreadsheet_no_formula(toml: Path) -> None:
    assert "#" not in run("status", "--tmux", "--config", toml).stdout
    (row,) = csv.DictReader(io.StringIO(run("report", "--since", "1d", "--csv", "--config", toml).stdout))
    assert row["name"].startswith("'=cmd")
    assert json.loads(run("report", "i-1", "--json", "--config", toml).stdout)["name"].startswith("=cmd")
