"""launch, recover, status and report: what is done is done once, and is told as it was."""

import csv
import io
import json
import signal
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from spottui.cli.game_day import score_of, show_score
from spottui.config import load
from spottui.journal import Journal
from spottui.journal.incidents import incident
from spottui.sim.testing import SimServer
from spottui.tables.prices import signed
from tests.cli.running import Night, own_state, run, run_json, start


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own_state(monkeypatch, tmp_path)


def test_recover_waits_for_the_lock_and_brings_the_instance_back_once(night: Night) -> None:
    assert night.exit_code == 0, night.output
    assert "imaging" in night.output
    assert len(night.launches) == 1


def test_a_second_recover_is_refused_and_a_dry_run_changes_nothing(night: Night) -> None:
    before = len(night.cloud.calls("RunInstances"))
    with start(night.toml, "recover", night.instance_id, "--yes") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "has already been recovered" in output
    other = night.cloud.spot_ids()[3]
    assert "1. ecs." in run("recover", other, "--dry-run", "--config", night.toml).stdout
    plan = run_json("recover", other, "--dry-run", "--config", night.toml)
    assert (plan["instance_id"], plan["routes"]) == (other, ["image", "kept-disk"])
    assert plan["places"][0]["zone"].startswith("cn-hangzhou-")
    by_disk = run_json("recover", other, "--dry-run", "--route", "kept-disk", "--config", night.toml)
    assert by_disk["routes"] == ["kept-disk", "image"]
    assert run("recover", other, "--dry-run", "--route", "restart", "--config", night.toml).exit_code == 1
    assert run("--read-only", "--config", night.toml, "recover", other, "--yes").exit_code == 1
    assert run("recover", "i-nobody", "--dry-run", "--config", night.toml).exit_code == 1
    assert len(night.cloud.calls("RunInstances")) == before


def test_status_has_the_agreed_shape(night: Night) -> None:
    said = run_json("status", "--config", night.toml)
    assert set(said) == {"mode", "consoles", "sources", "spot", "reclaiming", "recoveries"}
    assert said["mode"] == "unwatched"
    (recovery,) = [one for one in said["recoveries"] if one["instance_id"] == night.instance_id]
    assert {"id", "region", "state", "reason", "route", "deadline", "verdict", "image_id", "created"} <= set(recovery)
    assert recovery["state"] == "recovered"
    assert said["reclaiming"] == 1, "still locked until its release"
    assert "recovered" in run("status", "--config", night.toml).stdout


def test_a_watched_status_says_of_when_it_is_and_ends_well_at_ctrl_c(night: Night) -> None:
    with start(night.toml, "status", "--watch", "--every", "1") as process:
        assert process.stdout
        heads = (text for text in iter(process.stdout.readline, "") if "reclaiming" in text)
        first, second = next(heads).split()[0], next(heads).split()[0]
        assert time.strptime(first, "%H:%M:%S") != time.strptime(second, "%H:%M:%S")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0


def test_a_source_that_does_not_answer_is_named(night: Night) -> None:
    night.cloud.world(queue_down=True)
    done = run("status", "--config", night.toml)
    night.cloud.world(queue_down=False)
    assert done.exit_code == 1
    assert "FAIL" in done.stdout
    assert "ServiceUnavailable" in done.stdout


def test_the_tmux_line_is_short_and_asks_the_cloud_nothing(night: Night) -> None:
    before = len(night.cloud.calls())
    assert run("status", "--tmux", "--config", night.toml).stdout == "spottui OFF\n"
    assert len(night.cloud.calls()) == before


def test_a_post_mortem_tells_what_happened(night: Night) -> None:
    told = run_json("report", night.instance_id, "--config", night.toml)
    assert told["state"] == "recovered"
    assert told["recovery_s"] > 0
    assert told["data_age_s"] > 0
    assert told["in_time"] is True
    assert told["duplicates"] >= 4
    steps = [one["text"] for one in told["timeline"]]
    assert [one["at"] for one in told["timeline"]] == sorted(one["at"] for one in told["timeline"])
    assert any("RunInstances" in step for step in steps)
    assert told["added_per_hour"] == pytest.approx(told["new_per_hour"] - told["old_per_hour"])
    assert told["verdict"] in ("WILL MAKE IT", "TIGHT")
    image = next(one for one in told["kept"] if one["kind"] == "image")
    assert (image["id"], image["per_month_at_most"]) == (told["image_id"], None)
    assert image["gib"] > 0
    markdown = run("report", told["id"], "--config", night.toml).stdout
    assert f"| forecast | {told['verdict']} |" in markdown
    assert f"old {told['old_per_hour']:g}, new {told['new_per_hour']:g}" in markdown
    assert f"{image['gib']} GiB, price unknown |" in markdown
    assert "| recovery time |" in markdown
    assert f"| duplicates suppressed | {told['duplicates']} |" in markdown


def test_what_is_kept_has_a_price_where_the_configuration_names_one(night: Night, tmp_path: Path) -> None:
    toml = night.toml.with_name(f"{tmp_path.name}-prices.toml")
    toml.write_text(f"{night.toml.read_text()}\n[storage_price]\nsnapshot = 0.5\n")
    told = run_json("report", night.instance_id, "--config", toml)
    image = next(one for one in told["kept"] if one["kind"] == "image")
    assert image["per_month_at_most"] == image["gib"] * 0.5
    assert f"at most {image['gib'] * 0.5:.2f} per month" in run("report", night.instance_id, "--config", toml).stdout


def test_statistics_count_each_incident_once(night: Night) -> None:
    said = run_json("report", "--since", "1h", "--config", night.toml)
    assert said["recovered"] == 1
    assert said["duplicates_suppressed"] >= 4
    (row,) = csv.DictReader(io.StringIO(run("report", "--since", "1h", "--csv", "--config", night.toml).stdout))
    assert row["instance_id"] == night.instance_id
    assert row["zone"].startswith("cn-hangzhou-")
    assert float(row["added_per_hour"]) == said["added_per_hour"]
    assert (int(row["kept_things"]), int(row["kept_gib"])) == (said["kept_things"], said["kept_gib"])
    assert said["verdicts"] == {f"{row['verdict']}, recovered": 1}
    assert said["added_per_hour_known_of"] == 1
    savings = said["savings"]
    assert savings["currency"] == "CNY"
    assert 0 < savings["saved"] == pytest.approx(savings["on_demand"] - savings["spot"], abs=2e-6)
    # Nothing is assumed of the time before the first survey.
    assert savings["unpriced_hours"] > 0
    told = run("report", "--since", "1h", "--config", night.toml).stdout
    assert f"saved against on-demand     {savings['saved']:,.2f} of " in told
    assert f"forecast vs outcome         1 {row['verdict']}, recovered" in told
    assert f"added per hour              {signed(said['added_per_hour'], 'CNY')}\n" in told


def test_the_score_of_a_night_is_taken_from_the_journal(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal(load(night.toml).journal, read_only=True)
    found = incident(journal, night.instance_id)
    journal.close()
    assert found
    score = score_of(found)
    assert (score.state, score.duplicates) == ("recovered", found.interruption.duplicates)
    assert score.confirm_s is not None
    assert score.recovery_s is not None
    assert 0 <= score.confirm_s < score.recovery_s
    show_score(load(night.toml), headless=True)
    record, *table = capsys.readouterr().out.splitlines()
    assert json.loads(record)["scores"] == [asdict(score)]
    assert table[-1] == f"1 of 1 recovered, {score.duplicates} duplicates suppressed"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["i-nobody"], 1), ([], 2), (["i-x", "--since", "1d"], 2), (["--since", "yesterday"], 2), (["i-x", "--csv"], 2)],
)
def test_report_says_what_it_cannot_do(night: Night, arguments: list[str], code: int) -> None:
    done = run("report", *arguments, "--config", night.toml)
    assert done.exit_code == code
    assert done.stderr


@pytest.fixture
def template(night: Night, tmp_path: Path) -> Path:
    """A configuration with a template that the cloud accepts."""
    instance = next(iter(night.cloud.save()["instances"].values()))
    path = night.toml.with_name(f"{tmp_path.name}.toml")
    path.write_text(
        night.toml.read_text()
        + f"""
[template.web]
region = "cn-hangzhou"
image_id = "{instance["image_id"]}"
instance_type = "{instance["type"]}"
vswitch_id = "{instance["vswitch_id"]}"
security_group_ids = {json.dumps(instance["security_group_ids"])}
key_pair = "ops"
tags = {{ team = "web" }}
"""
    )
    return path


def launched(cloud: SimServer) -> int:
    return sum("spottui-template" in one["tags"] for one in cloud.save()["instances"].values())


def test_launch_is_checked_and_asked_for(night: Night, template: Path) -> None:
    before = launched(night.cloud)
    assert run("launch", "web", "--dry-run", "--config", template).exit_code == 0
    assert run_json("launch", "web", "--dry-run", "--config", template)["instance_ids"] == []
    assert run("launch", "web", "--config", template).exit_code == 2, "nobody there to say yes"
    assert launched(night.cloud) == before
    said = run("launch", "web", "--count", "2", "--yes", "--config", template)
    assert said.exit_code == 0, said.output
    assert launched(night.cloud) == before + 2


def test_a_template_whose_tags_leave_no_room_is_refused_before_any_call(night: Night, template: Path) -> None:
    written = template.read_text()
    for number in (18, 19):
        tags = ", ".join(f'team{n} = "web"' for n in range(number))
        template.write_text(written.replace('team = "web"', tags))
        before = len(night.cloud.calls())
        said = run("launch", "web", "--dry-run", "--config", template)
        assert said.exit_code == (0 if number == 18 else 2), said.output
    assert "keep at most 18" in said.stderr
    assert len(night.cloud.calls()) == before


def test_a_lost_answer_launches_once(night: Night, template: Path) -> None:
    before = launched(night.cloud)
    night.cloud.fault("RunInstances", "drop_reply", match={"ClientToken": "*"})
    assert run_json("launch", "web", "--yes", "--config", template)["instance_ids"]
    assert launched(night.cloud) == before + 1


def test_a_launch_without_a_known_end_is_found_out_before_another(
    night: Night, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spottui.cli.launch.PAUSES_S", (0.01,) * 4)
    before = launched(night.cloud)
    night.cloud.fault("RunInstances", "drop_reply", match={"ClientToken": "*"})
    night.cloud.fault("RunInstances", "reset", match={"ClientToken": "*"}, times=4)
    lost = run("launch", "web", "--yes", "--config", template)
    assert lost.exit_code == 1
    assert "unknown" in lost.stderr
    assert launched(night.cloud) == before + 1
    again = run("launch", "web", "--yes", "--config", template)
    assert again.exit_code == 0, again.output
    assert launched(night.cloud) == before + 1, "the same token found the same instance"


@pytest.fixture
def cut_off(night: Night, template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A launch took effect, and its run never heard of it."""
    monkeypatch.setattr("spottui.cli.launch.PAUSES_S", (0.01,))
    night.cloud.fault("RunInstances", "drop_reply", match={"ClientToken": "*"})
    night.cloud.fault("RunInstances", "reset", match={"ClientToken": "*"})
    before = launched(night.cloud)
    assert run("launch", "web", "--count", "2", "--yes", "--config", template).exit_code == 1
    assert launched(night.cloud) == before + 2
    return template


def test_a_launch_is_found_out_when_the_cloud_has_forgotten_its_token(night: Night, cut_off: Path) -> None:
    before = launched(night.cloud)
    night.cloud.world(token_life_s=0.001)
    found = run("launch", "web", "--yes", "--json", "--config", cut_off)
    night.cloud.world(token_life_s=3600)
    assert found.exit_code == 0, found.output
    assert len(json.loads(found.stdout)["instance_ids"]) == 2
    assert launched(night.cloud) == before, "the tag found the same instances"


def test_nothing_is_repeated_where_the_instances_cannot_be_listed(night: Night, cut_off: Path) -> None:
    """A list without the permission is empty, which is no evidence that there are none."""
    before = len(night.cloud.calls("RunInstances"))
    night.cloud.world(permissions={"DescribeInstances": "empty"})
    denied = run("launch", "web", "--yes", "--config", cut_off)
    night.cloud.world(permissions={"DescribeInstances": "allow"})
    assert denied.exit_code == 1
    assert "DescribeInstances" in denied.stderr
    assert len(night.cloud.calls("RunInstances")) == before
    assert run("launch", "web", "--yes", "--config", cut_off).exit_code == 0


def test_a_launch_into_a_region_that_is_configured_no_longer_is_told_of(night: Night, cut_off: Path) -> None:
    text = cut_off.read_text()
    moved = text.replace('region = "cn-hangzhou"', 'region = "cn-beijing"').replace(
        'id = "cn-hangzhou"', 'id = "cn-beijing"'
    )
    assert moved.count("cn-beijing") == 2
    cut_off.write_text(moved)
    told = run("launch", "web", "--yes", "--config", cut_off)
    assert told.exit_code == 1
    assert "cn-hangzhou" in told.stderr
    cut_off.write_text(text)
    assert run("launch", "web", "--yes", "--config", cut_off).exit_code == 0


def test_no_stock_is_said_before_anything_is_asked_for(night: Night, template: Path) -> None:
    night.cloud.stock(0)
    done = run("launch", "web", "--yes", "--config", template)
    night.cloud.control("POST", "stock", {})
    assert done.exit_code == 1
    assert "NoStock" in done.stderr
    assert run("launch", "nothing", "--config", template).exit_code == 2


def test_a_password_is_no_key_of_a_template(template: Path) -> None:
    template.write_text(template.read_text().replace('key_pair = "ops"', 'password = "x"'))
    done = run("launch", "web", "--config", template)
    assert done.exit_code == 2
    assert "template.web.password" in done.stderr
