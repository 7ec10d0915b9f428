"""Commands in this process, as a person types them."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from spottui.cli.main import main
from spottui.sim.testing import SimServer
from tests import driving
from tests.driving import clean_environment

KINDS: dict[str, dict[str, object]] = {
    "error": {"kind": "error", "code": "InternalError", "status": 500},
    "denied": {"kind": "error", "code": "Forbidden.RAM", "status": 403},
    "key disabled": {"kind": "error", "code": "InvalidAccessKeyId.Inactive", "status": 403},
    "throttle": {"kind": "throttle"},
    "timeout": {"kind": "timeout", "delay_s": 0.1},
    "drop_reply": {"kind": "drop_reply"},
    "reset": {"kind": "reset"},
    "html_502": {"kind": "html_502"},
    "bad_json": {"kind": "bad_json"},
    "slow": {"kind": "slow", "delay_s": 0.1},
}
"""Every way in which a call of the simulated cloud can go wrong, as arguments of `SimServer.fault`."""


def run(*arguments: object, stdin: str = "", env: dict[str, str] | None = None, colour: bool = False) -> Result:
    """Run a command; a traceback that reached the person fails the test."""
    done = CliRunner().invoke(
        main, [str(one) for one in arguments], input=stdin, env=env, color=colour, prog_name="spottui"
    )
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def run_json(*arguments: object, exit_code: int = 0) -> Any:
    """Run a command with --json and return what it printed."""
    done = run(*arguments, "--json")
    assert done.exit_code == exit_code, done.output
    return json.loads(done.stdout)


def own_state(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Keep journals and logs in a directory of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(directory / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(directory / "config"))


@dataclass
class Night:
    """A cloud on which one instance was recovered from the command line."""

    cloud: SimServer
    toml: Path
    instance_id: str
    output: str
    exit_code: int
    launches: list[str]


def start(toml: Path, *arguments: str) -> Any:
    """Start a command in a process of its own; what it gives is, or is like, a `subprocess.Popen`."""
    environment = clean_environment(toml.parent / "state")
    return driving.started([*arguments, "--config", str(toml)], environment, errors=subprocess.STDOUT)
