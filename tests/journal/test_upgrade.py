"""A journal of an earlier version opens, is told of as it was, and its recoveries go on; a newer one is refused."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal, schema
from spottui.sim.testing import SimServer
from tests.cli.running import own_state, run, run_json
from tests.driving import Headless, wait_until

DUMP = Path(__file__).with_name("journal-of-schema-1.sql")
"""Written by `spottui --headless` of schema 1: one recovered by auto-mode, one that waited for a yes at the end."""
RECOVERED, WAITING = "i-bp1na5wfjmne49qrddmj", "i-bp1h6pwd8zq0df9avqxw"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(DUMP.read_text())
    connection.close()
    return path


@pytest.fixture
def toml(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    own_state(monkeypatch, tmp_path)
    with SimServer(instances=2, config=tmp_path / "c.toml") as cloud:
        assert cloud.endpoint.config
        text = cloud.endpoint.config.read_text().splitlines()
        kept = [f'journal = "{old}"' if line.startswith("journal =") else line for line in text]
        cloud.endpoint.config.write_text("\n".join(kept))
        yield cloud.endpoint.config


def test_what_it_holds_is_read_as_it_was_written(old: Path) -> None:
    journal = Journal(old)
    states = {one.instance_id: one.state for one in journal.recoveries.all()}
    plans = [journal.recoveries.plan(one.recovery_id) for one in journal.recoveries.all()]
    journal.close()
    assert states == {RECOVERED: RecoveryState.RECOVERED, WAITING: RecoveryState.NEEDS_YOU}
    assert all(plan and plan.routes and plan.candidates for plan in plans)
    with sqlite3.connect(old) as connection:
        ((version,),) = connection.execute("select value from spottui_meta where key = 'schema'").fetchall()
    assert int(version) == schema.SCHEMA_VERSION
    again = Journal(old)
    assert len(again.recoveries.all()) == 2, "opened a second time it is not upgraded again"
    again.close()


def test_the_commands_tell_of_it(toml: Path) -> None:
    assert run_json("report", RECOVERED, "--config", toml)["state"] == "recovered"
    assert run_json("report", "--since", "10000d", "--config", toml)["recovered"] == 1
    assert {one["state"] for one in run_json("status", "--config", toml)["recoveries"]} == {"recovered", "needs you"}


def test_a_console_goes_on_with_it(toml: Path) -> None:
    with Headless(toml) as console:
        wait_until(lambda: console.states().keys() >= {RECOVERED, WAITING})
        assert console.states()[RECOVERED] == "recovered"
        assert console.stop() == 0


def test_a_newer_one_is_refused_in_words_and_left_as_it_is(toml: Path, old: Path) -> None:
    Journal(old).close()
    with sqlite3.connect(old) as connection:
        connection.execute("update spottui_meta set value = '99' where key = 'schema'")
    connection.close()
    before = old.read_bytes()
    for command in (["status"], ["report", RECOVERED], ["janitor"], ["recover", RECOVERED, "--yes", "--dry-run"]):
        done = run(*command, "--config", toml)
        assert done.exit_code == 2, done.output
        assert "newer spottui" in done.stderr
        assert "Upgrade spottui" in done.stderr
    assert old.read_bytes() == before
