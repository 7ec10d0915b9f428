"""init, setup, doctor and drill: from nothing to a proven drill, and what each says when something is wrong."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spottui.cli.check import Verdict
from spottui.cli.config_text import Answers, config_text
from spottui.cli.machine_checks import machine_checks, terminal_checks
from spottui.cloud.messages import RECLAIM_EVENT
from spottui.config import ConfigProblem, load
from spottui.domain.facts import MessageSeen
from spottui.domain.interruption import Evidence, Observation
from spottui.journal import Journal
from spottui.sim.testing import SimServer
from tests.cli.running import own_state, run, run_json
from tests.driving import Headless, add_policy, effects
from tests.reclaims import see


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimServer]:
    """A cloud with instances, and no queue and no rule yet."""
    with SimServer(bare=True, config=tmp_path_factory.mktemp("bare") / "c.toml") as cloud:
        yield cloud


@pytest.fixture
def cloud(bare: SimServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimServer:
    own_state(monkeypatch, tmp_path)
    bare.reset()
    return bare


@pytest.fixture
def toml(cloud: SimServer) -> Path:
    assert cloud.endpoint.config
    return cloud.endpoint.config


def wrongs(checks: list[dict[str, str]]) -> dict[str, str]:
    return {check["subject"]: check["fix"] for check in checks if check["verdict"] == "FAIL"}


def mutating(cloud: SimServer) -> list[str]:
    return [row["action"] for row in cloud.calls() if (row["effect"] or "").startswith(("created", "changed"))]


def test_setup_makes_what_is_missing_once(cloud: SimServer, toml: Path) -> None:
    assert run("setup", "--config", toml, "--dry-run").stdout.count("+ ") == 3
    assert mutating(cloud) == []
    assert run("setup", "--config", toml).exit_code == 2, "nobody there to say yes"
    assert mutating(cloud) == []
    assert run("--read-only", "setup", "--config", toml, "--yes").exit_code == 1
    assert run("setup", "--config", toml, "--yes").exit_code == 0
    assert mutating(cloud) == ["CreateQueue", "PutEventRule", "PutEventRuleTargets"]
    assert "nothing to do" in run("--config", toml, "setup", "--yes").stdout
    assert len(mutating(cloud)) == 3


def test_setup_leaves_a_rule_of_another_name_alone(cloud: SimServer, toml: Path) -> None:
    run("setup", "--config", toml, "--yes")
    rule = cloud.state()["event_rules"][0]
    cloud.reset()
    cloud.control(
        "POST", "rule", {"name": "ours-since-2019", "event_names": ["Instance:PreemptibleInstanceInterruption"]}
    )
    assert run_json("setup", "--config", toml, "--dry-run")["regions"] == {"cn-hangzhou": ["queue"]}
    assert rule


def test_a_second_queue_takes_nothing_from_the_first(cloud: SimServer, toml: Path) -> None:
    """A guard's queue, or another team's console."""
    other = toml.with_name("other.toml")
    other.write_text(toml.read_text().replace(f'queue = "{cloud.endpoint.queue}"', 'queue = "train"'))
    for path in (toml, other):
        assert run("setup", "--config", path, "--yes").exit_code == 0
    assert run_json("setup", "--config", toml, "--dry-run")["regions"] == {"cn-hangzhou": []}
    cloud.interrupt([cloud.spot_ids()[0]])
    assert {name: one["ActiveMessages"] for name, one in cloud.state()["queues"].items()} == {
        cloud.endpoint.queue: 1,
        "train": 1,
    }


def test_setup_that_fails_half_way_says_what_is_done_and_goes_on_from_there(cloud: SimServer, toml: Path) -> None:
    cloud.fault("PutEventRuleTargets", "error", code="InternalError", status=500)
    done = run("setup", "--config", toml, "--yes")
    assert done.exit_code == 1
    assert done.stdout.count("done  ") == 2
    assert "InternalError" in done.stderr
    assert run_json("setup", "--config", toml, "--dry-run")["regions"] == {"cn-hangzhou": ["target"]}


def test_policies_name_only_what_is_needed(toml: Path) -> None:
    watch = run("setup", "--config", toml, "--policy", "watch").stdout
    recover = run("setup", "--config", toml, "--policy", "recover").stdout
    assert "RunInstances" not in watch
    assert {"ecs:RunInstances", "ecs:CreateImage", "ecs:DescribeInstances"} <= set(
        json.loads(recover)["Statement"][0]["Action"]
    )


def test_doctor_changes_nothing_and_names_what_mends(cloud: SimServer, toml: Path) -> None:
    said = run_json("doctor", "--config", toml, exit_code=1)
    assert wrongs(said["checks"]).keys() == {"queue cn-hangzhou", "rule cn-hangzhou"}
    assert all("spottui setup" in mend for mend in wrongs(said["checks"]).values())
    assert mutating(cloud) == []
    run("setup", "--config", toml, "--yes")
    assert run_json("doctor", "--config", toml, "--live")["ok"]


def test_doctor_warns_of_reclaims_that_are_left_for_others(cloud: SimServer, toml: Path) -> None:
    """Those that wait in the queue, and those that a console of this journal has left there."""
    run("setup", "--config", toml, "--yes")
    cloud.send(json.dumps({"name": RECLAIM_EVENT, "regionId": "us-east-1", "content": {"instanceId": "i-1"}}))
    cloud.send(json.dumps({"name": RECLAIM_EVENT, "regionId": "cn-hangzhou", "content": {"instanceId": "i-2"}}))
    with Journal(load(toml).journal) as journal:
        line = MessageSeen("reclaim", unconfigured_region="eu-central-1")
        journal.run(lambda transaction: transaction.log(line, datetime.now(UTC), "eu-central-1", "i-3"))
    said = run_json("doctor", "--config", toml)
    notes = [check["found"] for check in said["checks"] if check["verdict"] == "note"]
    assert [found for found in notes if found.startswith("this queue holds reclaims of us-east-1,")]
    assert [found for found in notes if found.startswith("a queue delivered reclaims of eu-central-1,")]
    assert cloud.state()["queues"][cloud.endpoint.queue]["ActiveMessages"] == 2, "it takes nothing"


def test_doctor_tells_an_empty_fleet_from_one_that_may_not_be_seen(cloud: SimServer, toml: Path) -> None:
    run("setup", "--config", toml, "--yes")
    cloud.world(permissions={"DescribeInstances": "empty"})
    blind = wrongs(run_json("doctor", "--config", toml, exit_code=1)["checks"])
    assert "ecs:DescribeInstances" in blind["fleet cn-hangzhou"]


@pytest.mark.parametrize(
    ("permissions", "fix"),
    [
        ({"RunInstances": "forbidden"}, "ecs:RunInstances"),
        ({"CreateImage": "forbidden"}, "ecs:CreateImage"),
        ({"DescribeInstanceHistoryEvents": "forbidden"}, "ecs:DescribeInstanceHistoryEvents"),
        ({"BatchDeleteMessage": "forbidden"}, "mns:BatchDeleteMessage"),
        ({"DescribeEventRuleList": "forbidden"}, "cms:DescribeEventRuleList"),
    ],
)
def test_doctor_names_the_statement_for_each_missing_permission(
    cloud: SimServer, toml: Path, permissions: dict[str, str], fix: str
) -> None:
    run("setup", "--config", toml, "--yes")
    cloud.world(permissions=permissions)
    assert any(fix in one for one in wrongs(run_json("doctor", "--config", toml, exit_code=1)["checks"]).values())


def test_a_recovery_needs_no_permission_to_delete(cloud: SimServer, toml: Path) -> None:
    run("setup", "--config", toml, "--yes")
    cloud.world(permissions={"DeleteImage": "forbidden"})
    notes = [one for one in run_json("doctor", "--config", toml)["checks"] if one["verdict"] == "note"]
    assert any("DeleteImage" in one["found"] and "--policy clean" in (one["fix"] or "") for one in notes)
    assert any("DeleteDisk" in one["found"] and "cannot be verified" in one["found"] for one in notes)
    assert "Delete" not in run("setup", "--config", toml, "--policy", "recover").stdout.replace("DeleteMessage", "")


def test_doctor_finds_a_wrong_clock_and_a_dead_endpoint(cloud: SimServer, toml: Path, tmp_path: Path) -> None:
    cloud.world(skew_wall_s=3600)
    assert "timedatectl" in wrongs(run_json("doctor", "--config", toml, exit_code=1)["checks"])["ECS cn-hangzhou"]
    cloud.world(skew_wall_s=0)
    dead = toml.with_name("dead.toml")
    dead.write_text(toml.read_text().replace(cloud.url, "http://127.0.0.1:9"))
    found = wrongs(run_json("doctor", "--config", dead, exit_code=1)["checks"])
    assert found.keys() == {f"{what} cn-hangzhou" for what in ("ECS", "queue", "rule")}, "each endpoint is tried"
    assert "connection refused" in run("doctor", "--config", dead).stdout


def test_doctor_says_whose_the_credentials_are(cloud: SimServer, toml: Path) -> None:
    run("setup", "--config", toml, "--yes")
    said = {check["subject"]: check["found"] for check in run_json("doctor", "--config", toml)["checks"]}
    assert (
        said["identity"] == f"acs:ram::{cloud.endpoint.account_id}:user/spottui in account {cloud.endpoint.account_id}"
    )
    assert "c-credentials.ini" in said["credentials"]
    assert cloud.endpoint.access_key_secret not in json.dumps(said)
    cloud.fault("GetCallerIdentity", "html_502")
    assert run_json("doctor", "--config", toml)["ok"], "a recovery does not need it"
    cloud.fault("GetCallerIdentity", "error", code="InvalidAccessKeyId.NotFound", status=404)
    assert "access key" in wrongs(run_json("doctor", "--config", toml, exit_code=1)["checks"])["identity"]


def test_doctor_says_which_hook_cannot_be_run(toml: Path, tmp_path: Path) -> None:
    shutil.copy(toml.with_name("c-credentials.ini"), tmp_path)
    toml = Path(shutil.copy(toml, tmp_path))
    with toml.open("a") as file:
        file.write('[[hook]]\non = "notice"\ncommand = ["sh"]\n[[hook]]\non = "failed"\ncommand = ["/gone/page"]\n')
    found = {one.subject: one.verdict for one in machine_checks(load(toml)) if one.subject.startswith("hook")}
    assert found == {"hook at notice": Verdict.OK, "hook at failed": Verdict.FAIL}


def test_doctor_shows_the_stop_file_and_whether_it_is_there(
    toml: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copy(toml.with_name("c-credentials.ini"), tmp_path)
    toml = Path(shutil.copy(toml, tmp_path))

    def said() -> dict[str, str]:
        (check,) = [one for one in machine_checks(load(toml)) if one.subject == "stop file"]
        return {"verdict": check.verdict, "found": check.found, "fix": check.fix}

    monkeypatch.setenv("HOME", str(toml.parent))
    assert "stop file" not in {one.subject for one in machine_checks(load(toml))}
    add_policy(toml, stop_file='"~/stop"')
    stop = toml.parent / "stop"
    assert said() == {"verdict": "ok", "found": f"{stop} does not exist: auto-mode may act", "fix": ""}
    stop.touch()
    assert said() == {"verdict": "note", "found": f"{stop} exists: auto-mode does not act", "fix": f"rm {stop}"}


@pytest.mark.parametrize(
    ("environment", "subject", "word"),
    [
        ({"TERM_PROGRAM": "Apple_Terminal"}, "clipboard", "does not support OSC 52"),
        ({"TERM_PROGRAM": "WezTerm"}, "clipboard", "if WezTerm allows it"),
        ({"STY": "1.pts"}, "clipboard", "GNU screen"),
        ({"COLORTERM": "truecolor"}, "terminal", "16 million colours"),
        ({"NO_COLOR": "1"}, "terminal", "NO_COLOR is set"),
        ({"COLUMNS": "60", "LINES": "20"}, "terminal", "60x20"),
    ],
)
def test_doctor_looks_at_the_terminal(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], subject: str, word: str
) -> None:
    for name in ("TMUX", "STY", "VTE_VERSION", "TERM_PROGRAM", "NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"COLUMNS": "120", "LINES": "40"} | environment).items():
        monkeypatch.setenv(name, value)
    found = {check.subject: check.found for check in terminal_checks(is_terminal=True)}
    assert word in found[subject]
    assert [check.subject for check in terminal_checks(is_terminal=False)] == ["terminal"]


@pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")
def test_doctor_says_what_tmux_does_with_what_is_copied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Asked of a tmux of the test's own."""
    socket = tmp_path / "tmux"

    def tmux(*words: str) -> None:
        subprocess.run(["tmux", "-S", str(socket), "-f", "/dev/null", *words], check=True)

    monkeypatch.delenv("TMUX", raising=False)
    tmux("new-session", "-d", "sleep 60")
    monkeypatch.setenv("TMUX", f"{socket},1,0")
    try:
        checks = {check.subject: check for check in terminal_checks(is_terminal=True)}
        assert "copies nothing" in checks["tmux"].found
        tmux(*checks["tmux"].fix.split()[1:])
        checks = {check.subject: check for check in terminal_checks(is_terminal=True)}
        assert (checks["tmux"].found, checks["tmux"].fix) == ("set-clipboard is on", "")
    finally:
        tmux("kill-server")


def test_doctor_finds_a_sick_journal_and_one_that_nobody_goes_on_with(cloud: SimServer, toml: Path) -> None:
    path = Path(load(toml).journal)
    journal = Journal(path)
    seen = Observation("cn-hangzhou", cloud.spot_ids()[0], Evidence.LOCK, datetime.now(UTC))
    see(journal, seen, at=datetime.now(UTC), name="web-1")
    journal.close()
    checks = run_json("doctor", "--config", toml, exit_code=1)["checks"]
    assert wrongs(checks)["journal"] == "spottui"
    for leftover in path.parent.glob(f"{path.name}*"):
        leftover.unlink()
    path.write_bytes(b"this is no database, but it is long enough to look like one" * 20)
    checks = run_json("doctor", "--config", toml, exit_code=1)["checks"]
    assert wrongs(checks)["journal"].startswith(f"mv {path} ")
    path.unlink()
    nowhere = toml.with_name("nowhere.toml")
    nowhere.write_text(re.sub("(?m)^journal = .*", 'journal = "/proc/no/journal.db"', toml.read_text()))
    assert "journal" in wrongs(run_json("doctor", "--config", nowhere, exit_code=1)["checks"])


def test_a_drill_arrives_launches_nothing_and_leaves_other_messages(cloud: SimServer, toml: Path) -> None:
    run("setup", "--config", toml, "--yes")
    spot, other = cloud.spot_ids()[:2]
    cloud.interrupt([other], lock=False)
    said = run_json("drill", spot, "--config", toml)
    assert said["arrived_s"] < 5
    assert any(line.startswith("launch") for line in said["would"])
    assert {action for action in mutating(cloud) if action.startswith(("Run", "Create", "Modify"))} == {"CreateQueue"}
    assert "BatchDeleteMessage" in [row["action"] for row in cloud.calls()]
    cloud.advance(2)
    assert run_json("drill", other, "--config", toml)["arrived_s"] < 5, "what was given back is there at once"


def test_a_drill_that_does_not_arrive_says_where_to_look(cloud: SimServer, toml: Path) -> None:
    done = run("drill", cloud.spot_ids()[0], "--config", toml, "--timeout", "0.5", "--via", "cloudmonitor")
    assert done.exit_code == 1
    run("setup", "--config", toml, "--yes")
    cloud.control("POST", "reset")
    missing = run("drill", "i-nobody", "--config", toml)
    assert missing.exit_code == 1
    assert "not listed" in missing.stderr


def test_a_drill_is_seen_by_the_console_that_watches(cloud: SimServer, toml: Path, tmp_path: Path) -> None:
    run("setup", "--config", toml, "--yes")
    spot = cloud.spot_ids()[0]
    with Headless(toml, "--auto") as console:
        console.wait_ready()
        done = run("drill", spot, "--config", toml)
        assert done.exit_code == 0, done.output
        assert "the journal of the running console" in done.stdout
        assert console.stop() == 0
    assert effects(cloud, "RunInstances") == []


def test_init_writes_what_works_and_never_over_what_is_there(cloud: SimServer, toml: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "c.toml"
    credentials = toml.with_name("c-credentials.ini")
    flags = ["--region", "cn-hangzhou", "--yes", "--config", target, "--credentials-file", credentials]
    flags += [part for service in ("ecs", "mns", "cms") for part in (f"--{service}-endpoint", cloud.url)]
    done = run("init", *flags)
    assert done.exit_code == 0, done.output
    written = load(target)
    assert set(written.regions[0].vswitches) == {"cn-hangzhou-h", "cn-hangzhou-i", "cn-hangzhou-j"}
    assert cloud.endpoint.access_key_secret not in target.read_text()
    assert run("init", *flags).exit_code == 2
    assert run("init", *flags, "--force").exit_code == 0
    assert target.with_name("c.toml.old").exists()


def test_init_names_the_flag_that_is_missing(tmp_path: Path) -> None:
    done = run("init", "--config", tmp_path / "c.toml", "--region", "cn-hangzhou")
    assert done.exit_code == 2
    assert "--account-id" in done.stderr
    assert not (tmp_path / "c.toml").exists()


@settings(max_examples=30)
@given(text=st.text(max_size=40))
def test_no_answer_breaks_out_of_its_quotes(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    answers = Answers(("cn-hangzhou",), text, text, "", "", "", "", {"cn-hangzhou": {"cn-hangzhou-h": text}})
    path = tmp_path_factory.mktemp("init") / "c.toml"
    path.write_text(config_text(answers), "utf-8")
    try:
        read = load(path)
    except ConfigProblem as problem:
        said = str(problem)
    else:
        said = ""
        assert read.regions[0].vswitches == {"cn-hangzhou-h": text}
    assert "not TOML" not in said
