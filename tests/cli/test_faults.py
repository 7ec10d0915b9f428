"""Each command against a cloud that fails: words, exit 1, no traceback, and nothing done that is not said."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spottui.sim.testing import SimServer
from tests.cli.running import own_state, run

COMMANDS = {
    "doctor": ["doctor"],
    "setup": ["setup", "--yes"],
    "drill": ["drill", "i-bp1any", "--timeout", "1"],
    "drill by name": ["drill", "web-1", "--via", "queue", "--timeout", "1"],
    "recover": ["recover", "i-bp1any", "--dry-run"],
    "launch": ["launch", "web", "--yes"],
    "status": ["status"],
    "janitor": ["janitor"],
}
FAULTS: dict[str, dict[str, object]] = {
    "denied": {"kind": "error", "code": "Forbidden.RAM", "status": 403},
    "key disabled": {"kind": "error", "code": "InvalidAccessKeyId.Inactive", "status": 403},
    "throttled": {"kind": "throttle"},
    "internal error": {"kind": "error", "code": "InternalError", "status": 500},
    "gateway": {"kind": "html_502"},
    "reset": {"kind": "reset"},
    "no JSON": {"kind": "bad_json"},
}
SECRET = "s3cretUserData"


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimServer]:
    with SimServer(bare=True, config=tmp_path_factory.mktemp("faults") / "c.toml") as cloud:
        yield cloud


@pytest.fixture
def toml(failing: SimServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own_state(monkeypatch, tmp_path)
    monkeypatch.setattr("spottui.cli.launch.PAUSES_S", (0.01,))
    failing.reset()
    assert failing.endpoint.config
    path = failing.endpoint.config.with_name("faults.toml")
    path.write_text(
        failing.endpoint.config.read_text()
        + '\n[template.web]\nregion = "cn-hangzhou"\nimage_id = "m-1"\ninstance_type = "ecs.c7.large"\n'
        f'vswitch_id = "vsw-1"\nsecurity_group_ids = ["sg-1"]\ntags = {{ note = "{SECRET}" }}\n'
    )
    return path


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_failing_cloud_is_told_in_words(failing: SimServer, toml: Path, command: str, fault: str) -> None:
    failing.fault("*", times=10_000, **FAULTS[fault])  # type: ignore[arg-type]
    done = run(*COMMANDS[command], "--config", toml)
    assert done.exit_code == 1, done.output
    assert "Traceback" not in done.output
    assert "defect" not in done.output, done.output
    assert SECRET not in done.stderr
    assert len(done.output.strip()) > 20
    launched = [row for row in failing.calls("RunInstances") if (row["effect"] or "").startswith("created")]
    assert launched == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_dead_endpoint_is_told_in_words(toml: Path, failing: SimServer, command: str) -> None:
    dead = toml.with_name("dead.toml")
    dead.write_text(toml.read_text().replace(failing.url, "http://127.0.0.1:9"))
    done = run(*COMMANDS[command], "--config", dead)
    assert done.exit_code == 1, done.output
    assert "connection refused" in done.output


@pytest.mark.parametrize("command", COMMANDS)
def test_no_credentials_are_told_in_words(
    toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    empty = toml.with_name("empty-credentials.ini")
    empty.write_text("[other]\n")
    bare = toml.with_name("nobody.toml")
    bare.write_text(toml.read_text().replace("c-credentials.ini", empty.name))
    done = run(*COMMANDS[command], "--config", bare)
    assert done.exit_code == 1, done.output
    assert "defect" not in done.output, done.output
    assert "none found" in done.output
