"""The lines by which Terraform takes over what was launched in the place of its instances."""

import shlex
from pathlib import Path

import pytest

from spottui.config import load
from spottui.domain.facts import CallAnswered
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal
from tests.cli.running import own_state, run
from tests.journal.given import enter, observe, plan_of, record, set_plan, sign


@pytest.fixture
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own_state(monkeypatch, tmp_path)
    path = tmp_path / "c.toml"
    path.write_text('[[region]]\nid = "cn-hangzhou"\nqueue = "q"\nmns_endpoint = "http://127.0.0.1:9"\n')
    return path


def replaced(
    journal: Journal, old: str, new: str, address: str, state: RecoveryState = RecoveryState.RECOVERED
) -> None:
    (recovery_id,) = observe(journal, sign(old))
    set_plan(journal, recovery_id, plan_of(instance_id=old, tags={"spottui:terraform": address}))
    record(journal, recovery_id, CallAnswered("RunInstances", resources=(new,)))
    enter(journal, recovery_id, state)


def commands(toml: Path, *arguments: str) -> list[list[str]]:
    done = run("report", "--terraform", *arguments, "--config", toml)
    assert done.exit_code == 0, done.output
    return [words for line in done.stdout.splitlines() if (words := shlex.split(line, comments=True))]


def test_each_instance_is_imported_as_what_runs_in_its_place_now(toml: Path) -> None:
    journal = Journal(Path(load(toml).journal))
    web = 'module.web["eu-1"].alicloud_instance.spot[0]'
    replaced(journal, "i-1", "i-2", web)
    replaced(journal, "i-2", "i-3", web)
    replaced(journal, "i-4", "i-4", "alicloud_instance.started_again")
    replaced(journal, "i-5", "i-6", "alicloud_instance.failed", RecoveryState.FAILED)
    hostile = (
        "$(reboot)",
        "alicloud_instance.a; reboot",
        "alicloud_db_instance.prod",
        "alicloud_instance.a\nreboot",
        "",
    )
    for number, address in enumerate(hostile):
        replaced(journal, f"i-old{number}", f"i-new{number}", address)
    journal.close()
    of_web = [["terraform", "state", "rm", web], ["terraform", "import", web, "i-3"]]
    assert commands(toml) == of_web, "what is no address is in comments only"
    assert commands(toml, "i-2") == of_web
    text = run("report", "--terraform", "i-old0", "--config", toml).stdout
    assert "# terraform import ADDRESS i-new0" in text
    assert "reboot" not in text
    assert run("report", "--terraform", "i-9", "--config", toml).exit_code == 1
    assert run("report", "--terraform", "--json", "--config", toml).exit_code == 2
