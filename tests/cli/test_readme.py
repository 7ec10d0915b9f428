"""What the README shows of the first six commands is what they do: each line that it shows comes, in its order."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spottui.config import load
from tests.driving import clean_environment, wait_until

README = Path(__file__).parents[2] / "README.md"
FAILS = {"spottui doctor --config sim.toml": 1}
"""The exit code of a command when it is said for the first time, where it is not 0."""


@dataclass
class Step:
    """A command of the transcript and the lines that it shows; `…` stands for anything."""

    command: str
    shown: list[str] = field(default_factory=list)


def transcript() -> list[Step]:
    block = README.read_text("utf-8").partition("```console\n")[2].partition("```")[0]
    steps: list[Step] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append(Step(line[2:].partition("#")[0].strip()))
        else:
            steps[-1].shown.append(line)
    return steps


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment in which `spottui` is this one."""
    program = tmp_path / "bin" / "spottui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m spottui "$@"\n')
    program.chmod(0o755)
    environment = clean_environment(tmp_path / "state")
    root = str(README.parent)
    return {
        **environment,
        "PATH": f"{program.parent}{os.pathsep}{environment['PATH']}",
        "PYTHONPATH": root,
        "COLUMNS": "100",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


def test_the_first_six_commands_end_in_a_proven_drill(shell: dict[str, str], tmp_path: Path) -> None:
    cloud, *steps = transcript()
    assert len(steps) + 1 <= 6
    words = shlex.split(cloud.command.partition(">")[0])
    with subprocess.Popen(words, cwd=tmp_path, env=shell, stdout=subprocess.DEVNULL) as sim:
        try:
            wait_until(lambda: (tmp_path / "sim.toml").exists())
            said = set()
            for step in steps:
                done = subprocess.run(
                    shlex.split(step.command), cwd=tmp_path, env=shell, capture_output=True, text=True, timeout=60
                )
                expected = 0 if step.command in said else FAILS.get(step.command, 0)
                said.add(step.command)
                assert done.returncode == expected, f"{step.command}\n{done.stdout}{done.stderr}"
                assert_shown(step.shown, done.stdout)
        finally:
            sim.terminate()


def test_the_configuration_that_the_readme_shows_is_one(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(README.read_text("utf-8").partition("```toml\n")[2].partition("```")[0], "utf-8")
    assert load(config).policy.deny_tags
    assert load(config, "staging").notify == ()


def assert_shown(shown: list[str], output: str) -> None:
    lines = iter(output.splitlines())
    for wanted in shown:
        pattern = re.escape(wanted).replace("…", ".*")
        assert any(re.fullmatch(pattern, line) for line in lines), f"{wanted!r} is not in\n{output}"
