"""A machine that lacks what most have: a name for the user, a home, a place to write, a terminal that can do things."""

import contextlib
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spottui.cli import console
from spottui.sim.testing import SimServer
from tests.driving import clean_environment, wait_until

# It may read everything, as the interpreter may be in a home of its own, and write only what everybody may.
NOBODY = (
    "setpriv",
    "--reuid=12345",
    "--clear-groups",
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
)
needs_root = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can be nobody")


def as_nobody(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as an id without a name, in an environment that has nothing but what is given."""
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd(), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [*NOBODY, sys.executable, "-m", "spottui", *map(str, arguments)]
    return subprocess.run(
        command, env=bare, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize("command", ["status", "doctor", "--headless", "janitor", "report", "replay web-1"])
@pytest.mark.parametrize("home", [{}, {"HOME": ""}, {"HOME": "nowhere"}], ids=["no HOME", "empty", "relative"])
@needs_root
def test_no_home_is_said_in_words(command: str, home: dict[str, str]) -> None:
    done = as_nobody(*command.split(), **home)
    assert done.returncode == 2
    assert "There is no home directory: HOME is not set, and uid 12345 has none." in done.stderr
    assert "Traceback" not in done.stderr


READABLE = ("status", "janitor", "report", "--headless", "recover web-1 --yes", "launch web --yes", "replay web-1")


@pytest.fixture
def toml(live_cloud: SimServer, config: Path) -> Path:
    """A configuration that names no journal."""
    config.write_text("".join(line for line in config.open() if not line.startswith("journal")))
    for path in (config, *config.parents[:-1]):
        path.chmod(path.stat().st_mode | 0o055)
    return config


@pytest.mark.parametrize("command", READABLE)
@needs_root
def test_a_state_directory_that_cannot_be_written_is_said_in_words(toml: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    done = as_nobody(*command.split(), "--config", toml, HOME=str(tmp_path / "home"))
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "a defect" not in done.stderr
    assert str(tmp_path / "home") in done.stderr or "template" in done.stderr


@needs_root
def test_without_a_log_all_else_works(live_cloud: SimServer, toml: Path, tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir(mode=0o777)
    (tmp_path / "journal").chmod(0o777)
    (tmp_path / "home").mkdir(mode=0o755)
    toml.write_text(f'journal = "{tmp_path}/journal/journal.db"\n{toml.read_text()}')
    done = as_nobody("recover", live_cloud.spot_ids()[0], "--yes", "--config", toml, HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "home").iterdir())


def test_a_user_without_a_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}["nobody"])
    assert console.whoami().startswith(f"uid {os.getuid()}@")


class InTerminal:
    """`spottui` in a terminal of a name."""

    def __init__(self, toml: Path, term: str | None) -> None:
        environment = {key: value for key, value in clean_environment(toml.parent / "state").items() if key != "TERM"}
        environment |= {"TERM": term} if term is not None else {}
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "spottui", "--config", str(toml)],
            stdin=slave, stdout=slave, stderr=slave, env=environment,
        )  # fmt: skip
        os.close(slave)
        os.set_blocking(self.master, False)
        self.printed = b""

    def shows(self, text: str) -> bool:
        with contextlib.suppress(OSError):
            self.printed += os.read(self.master, 65536)
        return text.encode() in self.printed


@pytest.mark.parametrize("term", ["dumb", "unknown", "Dumb"])
def test_a_terminal_that_can_show_nothing_is_said_in_words(config: Path, term: str) -> None:
    config.write_text('[[region]]\nid = "cn-hangzhou"\nqueue = "q"\nmns_endpoint = "http://127.0.0.1:9"\n')
    one = InTerminal(config, term)
    assert one.process.wait(10) == 2
    assert one.shows("can show no screen")
    os.close(one.master)


@pytest.mark.parametrize("term", [None, "", "nobody-knows-it", "vt100"])
def test_one_that_nobody_knows_is_tried(live_cloud: SimServer, config: Path, term: str | None) -> None:
    one = InTerminal(config, term)
    wait_until(lambda: one.shows("web-1"), 20)
    os.close(one.master)
    assert one.process.wait(3.0) in (1, -1)
