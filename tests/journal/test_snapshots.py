"""A snapshot that its facts contradict is found, and made anew from them; nothing else is touched."""

from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from spottui.domain.facts import StateEntered
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal, schema
from spottui.journal.journal import opened as open_store
from tests.cli.running import own_state, run, run_json
from tests.journal.writing import NOON, see

REGION = '[[region]]\nid = "cn-hangzhou"\nqueue = "q"\nmns_endpoint = "localhost"\n'


def configured(directory: Path, address: str) -> Path:
    path = directory / "c.toml"
    path.write_text(f'journal = "{address}"\n{REGION}')
    return path


def break_three(address: str, wrong: str, missing: str, unreadable: str) -> None:
    """Change snapshots behind the journal's back."""
    table = schema.recovery
    other = sa.func.replace(table.c.data, "i-1", "i-9")
    store, consoles = open_store(address, read_only=False, acts=False)
    with closing(store), closing(consoles), store.write() as connection:
        connection.execute(table.update().where(table.c.id == wrong).values(state="recovered", data=other))
        connection.execute(table.delete().where(table.c.id == missing))
        connection.execute(table.update().where(table.c.id == unreadable).values(data="{"))


def test_a_wrong_a_missing_and_an_unreadable_snapshot_are_rebuilt(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_state(monkeypatch, tmp_path)
    config = configured(tmp_path, address)
    with Journal(address, acts=True) as journal:
        ids = [see(journal, instance_id).recovery_id for instance_id in ("i-1", "i-2", "i-3", "i-4")]
        journal.run(lambda t: t.record(ids[3], StateEntered(RecoveryState.FAILED), NOON))
        before = {one: journal.recoveries.get(one) for one in ids}
        refused = run("journal", "rebuild", "--yes", "--config", config)
        assert (refused.exit_code, "a console of this journal runs" in refused.stderr) == (1, True)
    sound = run("journal", "check", "--config", config)
    assert (sound.exit_code, sound.stdout.endswith(": sound, every recovery matches its facts\n")) == (0, True)
    break_three(address, *ids[:3])
    checked = run_json("journal", "check", "--config", config, exit_code=1)
    assert checked == {"ok": False, "problem": None, "unlike_their_facts": ids[:3]}
    asked = run("journal", "rebuild", "--config", config)
    assert (asked.exit_code, "pass --yes" in asked.stderr) == (2, True)
    head, *rebuilt = run("journal", "rebuild", "--yes", "--config", config).stdout.splitlines()
    assert (head.endswith(": 3 recoveries rebuilt"), rebuilt) == (True, ids[:3])
    assert run_json("journal", "check", "--config", config)["ok"]
    with Journal(address) as journal:
        assert {one: journal.recoveries.get(one) for one in ids} == before


def test_a_fact_that_nobody_can_read_is_said_and_nothing_is_rebuilt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_state(monkeypatch, tmp_path)
    path = tmp_path / "j.db"
    config = configured(tmp_path, str(path))
    with Journal(path) as journal:
        see(journal, "i-1")
    store, _ = open_store(str(path), read_only=False, acts=False)
    with closing(store), store.write() as connection:
        connection.execute(schema.fact.update().values(data="{"))
    for command in (["check"], ["rebuild", "--yes"]):
        done = run("journal", *command, "--config", config)
        assert (done.exit_code, done.stderr.startswith(f"spottui: journal {path}: ")) == (1, True)
        assert done.stderr.endswith("Or restore a backup.\n")


def test_what_cannot_be_done_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_state(monkeypatch, tmp_path)
    path = tmp_path / "j.db"
    missing = run("journal", "check", "--config", configured(tmp_path, str(path)))
    assert (missing.exit_code, missing.stderr) == (
        1,
        f"spottui: {path} does not exist; the first console creates it.\n",
    )
    assert run("journal", "backup", tmp_path / "copy", "--config", tmp_path / "c.toml").exit_code == 2
    refused = run("journal", "backup", "x.dump", "--config", configured(tmp_path, "postgresql://db/spottui"))
    assert (refused.exit_code, "pg_dump --format=custom --file=x.dump" in refused.stderr) == (2, True)
