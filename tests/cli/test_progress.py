"""A bar is drawn on a terminal's stderr and gone at the end; a pipe, a file and a program never see one."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spottui.sim.testing import SimServer
from tests.driving import clean_environment


def said_on_a_terminal(*arguments: str, state: Path) -> tuple[str, str]:
    """Run a command whose stderr is a terminal and whose stdout is a pipe; return stdout and stderr."""
    ours, theirs = pty.openpty()
    drawn: list[bytes] = []

    def read() -> None:
        try:
            while block := os.read(ours, 4096):
                drawn.append(block)
        except OSError:
            return

    reader = threading.Thread(target=read)
    reader.start()
    done = subprocess.run(
        [sys.executable, "-m", "spottui", *arguments],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**clean_environment(state), "COLUMNS": "80"},
        timeout=60,
    )
    os.close(theirs)
    reader.join(10)
    os.close(ours)
    return done.stdout, b"".join(drawn).decode()


@pytest.mark.parametrize(
    ("command", "label"),
    [
        (["doctor"], "permission cn-hangzhou: RunInstances"),
        (["drill", "web-1"], "waiting for the drill"),
        (["status"], "sweep cn-hangzhou"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_what_takes_long_is_drawn_on_the_terminal_only(
    config: Path, live_cloud: SimServer, tmp_path: Path, command: list[str], label: str
) -> None:
    stdout, stderr = said_on_a_terminal(*command, "--config", str(config), state=tmp_path / "state")
    assert label in stderr
    assert stderr.endswith("\r\x1b[K"), "nothing stays behind"
    assert "[#" not in stdout
    assert max(len(frame) for frame in stderr.split("\r\x1b[K")) < 80


def test_a_recovery_shows_how_far_its_image_is(config: Path, live_cloud: SimServer, tmp_path: Path) -> None:
    live_cloud.world(image_base_s=1.5)
    instance_id = live_cloud.spot_ids()[0]
    stdout, stderr = said_on_a_terminal("recover", instance_id, "--yes", "--config", str(config), state=tmp_path)
    assert "%  image" in stderr
    assert "until the deadline" not in stderr, "nothing takes it"
    assert stderr.endswith("\r\x1b[K")
    assert "recovered" in stdout
