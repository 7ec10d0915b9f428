"""Each command against each fault of the cloud that concerns it.

Words for people, the cloud's Code and RequestId, an exit code, nothing secret; and when the fault is over the same
command said again ends where it would have ended at once: nothing doubled, nothing half done that was not said.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spottui.sim.testing import SimServer
from tests.cli.running import KINDS, own_state, run, start

SECRET = "s3cretUserData"
ANSWERED = ("error", "denied", "key disabled", "throttle")
"""The kinds in which the cloud says a Code and a RequestId."""


OF_A_READ = ("denied", "throttle", "timeout", "bad_json", "slow")
"""One kind of each way in which a call that changes nothing fails; `doctor` meets all the others at such a call too."""


@dataclass(frozen=True)
class Case:
    """A command and the call that fails; `harmless` kinds do not keep it from ending well."""

    command: str
    action: str
    match: dict[str, str] = field(default_factory=dict)
    said_as: str = ""
    harmless: tuple[str, ...] = ("slow",)
    kinds: tuple[str, ...] = tuple(KINDS)


REAL = {"ClientToken": "*"}
CASES = (
    Case("doctor --watch-only", "DescribeRegions", harmless=("slow", "denied", "throttle"), kinds=OF_A_READ),
    Case("doctor --watch-only", "DescribeInstances"),
    Case("doctor --watch-only", "GetQueueAttributes", kinds=OF_A_READ),
    Case("doctor --watch-only", "DescribeEventRuleList", kinds=OF_A_READ),
    Case("setup --yes", "GetQueueAttributes", kinds=OF_A_READ),
    Case("setup --yes", "DescribeEventRuleList", kinds=OF_A_READ),
    Case("setup --yes", "CreateQueue"),
    Case("setup --yes", "PutEventRule"),
    Case("setup --yes", "PutEventRuleTargets"),
    Case("drill web-1 --timeout 2", "DescribeInstances", kinds=OF_A_READ),
    Case("drill web-1 --timeout 2", "SendDryRunSystemEvent"),
    Case("drill web-1 --timeout 2 --via queue", "SendMessage"),
    Case("drill web-1 --timeout 2", "BatchReceiveMessage", said_as="ReceiveMessage"),
    Case("drill web-1 --timeout 2", "BatchDeleteMessage", said_as="DeleteMessage", harmless=("slow", "bad_json")),
    Case("launch web --yes", "RunInstances", {"DryRun": "true"}),
    Case("launch web --yes", "RunInstances", REAL),
    Case("recover web-1 --dry-run", "DescribeInstances", kinds=OF_A_READ),
    Case("status", "DescribeInstances", kinds=OF_A_READ),
    Case("status", "GetQueueAttributes", kinds=OF_A_READ),
    Case("janitor", "DescribeImages", kinds=OF_A_READ),
    Case("janitor", "DescribeSnapshots", kinds=OF_A_READ),
)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimServer]:
    with SimServer(bare=True, config=tmp_path_factory.mktemp("faults") / "c.toml") as cloud:
        yield cloud


@pytest.fixture
def toml(failing: SimServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with a template and a journal of the test's own."""
    own_state(monkeypatch, tmp_path)
    monkeypatch.setattr("spottui.cli.launch.PAUSES_S", (0.01,))
    failing.reset()
    instance = next(iter(failing.save()["instances"].values()))
    assert failing.endpoint.config
    path = failing.endpoint.config.with_name("faults.toml")
    path.write_text(
        re.sub("(?m)^journal = .*", f'journal = "{tmp_path}/journal.db"', failing.endpoint.config.read_text())
        + f'\n[template.web]\nregion = "cn-hangzhou"\n'
        f'image_id = "{instance["image_id"]}"\ninstance_type = "{instance["type"]}"\n'
        f'vswitch_id = "{instance["vswitch_id"]}"\nsecurity_group_ids = {json.dumps(instance["security_group_ids"])}\n'
        f'tags = {{ note = "{SECRET}" }}\n'
    )
    return path


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        pytest.param(case, kind, id=f"{case.command.split()[0]}-{case.action}-{kind}")
        for case in CASES
        for kind in case.kinds
    ],
)
def test_a_fault_is_told_and_the_same_again_ends_well(failing: SimServer, toml: Path, case: Case, kind: str) -> None:
    command = [*case.command.split(), "--config", toml]
    if not case.command.startswith("setup"):
        assert run("setup", "--yes", "--config", toml).exit_code == 0
    failing.fault(case.action, times=10_000, match=case.match, **KINDS[kind])  # type: ignore[arg-type]
    done = run(*command)
    assert done.exit_code == (0 if kind in case.harmless else 1), done.output
    assert_for_people(done.output, failing)
    said = " ".join(done.output.split())
    if done.exit_code and "DryRun" in case.match:
        assert "Nothing was launched" in said
        assert "It is unknown" not in said
    if done.exit_code:
        assert (case.said_as or case.action) in said
    if done.exit_code and kind in ANSWERED:
        told = {row["request_id"] for row in failing.calls(case.action) if (row["status"] or 0) >= 400}
        assert told & set(re.findall(r"\[RequestId (\S+)\]", said)), said
    failing.control("DELETE", "faults")
    again = run(*command)
    assert again.exit_code == 0, f"{done.output}\n{again.output}"
    ended_well = 2 - done.exit_code
    assert launched(failing) == (ended_well if case.command.startswith("launch") else 0), done.output
    (rule,) = failing.state()["event_rules"]
    assert len(rule["Targets"]) == 1
    left = sum(
        failing.state()["queues"][failing.endpoint.queue][state] for state in ("ActiveMessages", "InactiveMessages")
    )
    assert not left or re.search("is unknown|was sent|stays in the queue", done.output), "a drill is there, unsaid"


def launched(cloud: SimServer) -> int:
    return sum("spottui-template" in one["tags"] for one in cloud.save()["instances"].values())


def assert_for_people(said: str, cloud: SimServer) -> None:
    assert said.strip()
    for hidden in ("Traceback", "a defect", cloud.endpoint.access_key_secret, f"{SECRET}&", f"{SECRET}%"):
        assert hidden not in said


@pytest.mark.parametrize("kind", ["denied", "reset", "bad_json"])
@pytest.mark.parametrize("command", ["doctor", "setup --yes", "drill web-1", "launch web --yes", "status", "janitor"])
def test_a_program_reads_json_or_nothing(failing: SimServer, toml: Path, command: str, kind: str) -> None:
    failing.fault("*", times=10_000, **KINDS[kind])  # type: ignore[arg-type]
    done = run(*command.split(), "--json", "--config", toml)
    assert done.exit_code == 1
    assert done.stderr or json.loads(done.stdout)
    if done.stdout:
        json.loads(done.stdout)


@pytest.mark.parametrize("kind", KINDS)
def test_a_region_whose_vswitches_cannot_be_seen_is_written_without_them(
    failing: SimServer, toml: Path, tmp_path: Path, kind: str
) -> None:
    failing.fault("DescribeVSwitches", times=10_000, **KINDS[kind])  # type: ignore[arg-type]
    flags = ["--region", "cn-hangzhou", "--yes", "--credentials-file", toml.with_name("c-credentials.ini")]
    flags += [part for service in ("ecs", "mns", "cms") for part in (f"--{service}-endpoint", failing.url)]
    done = run("init", "--config", tmp_path / "new.toml", *flags)
    assert done.exit_code == 0, done.output
    assert_for_people(done.output, failing)
    assert ("are unknown: DescribeVSwitches" in done.stderr) == (kind != "slow")
    assert run("setup", "--yes", "--config", tmp_path / "new.toml").exit_code == 0


def test_what_may_have_been_launched_stays_open_when_its_repeat_is_denied(failing: SimServer, toml: Path) -> None:
    """The refusal came before the token was looked at: it says nothing of the launch before it."""
    failing.fault("RunInstances", "drop_reply", match=REAL)
    failing.fault("RunInstances", "error", match=REAL, code="Forbidden.RAM", status=403)
    done = run("launch", "web", "--yes", "--config", toml)
    assert done.exit_code == 1
    assert "is unknown" in done.stderr
    assert "run without --dry-run to find out" in run("launch", "web", "--dry-run", "--config", toml).stderr
    assert run("launch", "web", "--yes", "--config", toml).exit_code == 0
    assert launched(failing) == 1


def test_a_launch_that_was_only_throttled_is_known_to_be_none(failing: SimServer, toml: Path) -> None:
    failing.fault("RunInstances", "throttle", match=REAL, times=2)
    done = run("launch", "web", "--yes", "--config", toml)
    assert done.exit_code == 1
    assert "It is unknown" not in done.stderr
    assert "Throttling" in done.stderr


@pytest.mark.parametrize("command", sorted({case.command for case in CASES}))
def test_a_dead_endpoint_is_told_in_words(toml: Path, failing: SimServer, command: str) -> None:
    dead = toml.with_name("dead.toml")
    dead.write_text(toml.read_text().replace(failing.url, "http://127.0.0.1:9"))
    done = run(*command.split(), "--config", dead)
    assert done.exit_code == 1, done.output
    assert "connection refused" in done.output


@pytest.mark.parametrize("command", sorted({case.command for case in CASES}))
def test_no_credentials_are_told_in_words(toml: Path, failing: SimServer, command: str) -> None:
    toml.with_name("empty-credentials.ini").write_text("[other]\n")
    bare = toml.with_name("nobody.toml")
    bare.write_text(toml.read_text().replace("c-credentials.ini", "empty-credentials.ini"))
    done = run(*command.split(), "--config", bare)
    assert done.exit_code == 1, done.output
    assert_for_people(done.output, failing)
    assert "no [default] in it; there are: other" in done.output


@pytest.mark.parametrize("kind", ["denied", "key disabled", "html_502"])
def test_recover_begins_nothing_on_a_cloud_that_fails(failing: SimServer, toml: Path, kind: str) -> None:
    instance_id = failing.spot_ids()[0]
    failing.fault("*", times=10_000, **KINDS[kind])  # type: ignore[arg-type]
    with start(toml, "recover", instance_id, "--yes") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert_for_people(said, failing)
    assert instance_id in said or "Describe" in said
    assert not any((row["effect"] or "").startswith(("created", "changed")) for row in failing.calls())


def test_recover_that_may_not_launch_says_so_and_what_is_left(failing: SimServer, toml: Path) -> None:
    run("setup", "--yes", "--config", toml)
    failing.world(image_base_s=0.2, image_s_per_gib=0, permissions={"RunInstances": "forbidden"})
    with start(toml, "recover", failing.spot_ids()[0], "--yes") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert_for_people(said, failing)
    (image,) = [one for one in failing.save()["images"].values() if one["owner"] != "system"]
    assert image["id"] in said
    assert re.search(r"RunInstances.*(Forbidden|NoPermission).*RequestId", said), said
