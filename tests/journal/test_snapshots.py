"""A snapshot that its facts contradict is found, and made anew from them; nothing else is touched."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from spottui.domain.facts import StateEntered
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal
from tests.cli.running import own_state, run, run_json
from tests.journal.writing import NOON, see

CONFIG = '[[region]]\nid = "cn-hangzhou"\nqueue = "q"\nmns_endpoint = "localhost"\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own_state(monkeypatch, tmp_path)
    path = tmp_path / "c.toml"
    path.write_text(f'journal = "{tmp_path / "j.db"}"\n{CONFIG}')
    return path


def break_it(path: Path, *statements: tuple[str, str]) -> None:
    with closing(sqlite3.connect(path)) as file:
        for statement, recovery_id in statements:
            file.execute(f"{statement} WHERE id = ?", (recovery_id,))
        file.commit()


def test_a_wrong_a_missing_and_an_unreadable_snapshot_are_rebuilt(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    missing = run("journal", "check", "--config", config)
    assert (missing.exit_code, missing.stderr) == (
        1,
        f"spottui: {path} does not exist; the first console creates it.\n",
    )
    with Journal(path) as journal:
        ids = [see(journal, instance_id).recovery_id for instance_id in ("i-1", "i-2", "i-3", "i-4")]
        journal.run(lambda t: t.record(ids[3], StateEntered(RecoveryState.FAILED), NOON))
        before = {one: journal.recoveries.get(one) for one in ids}
    assert run("journal", "check", "--config", config).stdout == (
        f"{path}: sound, every recovery is what its facts come to\n"
    )
    break_it(
        path,
        ("UPDATE recovery SET state = 'recovered', data = replace(data, 'i-1', 'i-9')", ids[0]),
        ("DELETE FROM recovery", ids[1]),
        ("UPDATE recovery SET data = '{'", ids[2]),
    )
    checked = run_json("journal", "check", "--config", config, exit_code=1)
    assert checked == {"ok": False, "problem": None, "unlike_their_facts": ids[:3]}
    asked = run("journal", "rebuild", "--config", config)
    assert (asked.exit_code, "pass --yes" in asked.stderr) == (2, True)
    assert run("journal", "rebuild", "--yes", "--config", config).stdout.splitlines() == [
        f"{path}: 3 recoveries rebuilt",
        *ids[:3],
    ]
    assert run_json("journal", "check", "--config", config)["ok"]
    with Journal(path) as journal:
        assert {one: journal.recoveries.get(one) for one in ids} == before


def test_a_database_is_backed_up_by_its_own_tool(config: Path) -> None:
    config.write_text(f'journal = "postgresql://db/spottui"\n{CONFIG}')
    refused = run("journal", "backup", "x.dump", "--config", config)
    assert refused.exit_code == 2
    assert "pg_dump --format=custom --file=x.dump" in refused.stderr
