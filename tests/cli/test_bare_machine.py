"""A machine that lacks what most have: a name for the user, a home, a place to write, a terminal that can do things."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spottui.cli import console
from spottui.sim.testing import SimServer
from tests.console.pseudo import Terminal
from tests.driving import clean_environment

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


@pytest.mark.parametrize(
    ("command", "home"),
    [
        *((command, {}) for command in ("status", "doctor", "--headless", "janitor", "report", "replay web-1")),
        ("status", {"HOME": ""}),
        ("--headless", {"HOME": "nowhere"}),
    ],
)
@needs_root
def test_no_home_is_said_in_words(command: str, home: dict[str, str]) -> None:
    done = as_nobody(*command.split(), **home)
    assert done.returncode == 2
    assert "no home directory: HOME is not set, and uid 12345 has none." in done.stderr
    assert "Traceback" not in done.stderr


WRITING = ("janitor", "--headless", "recover web-1 --yes", "launch web --yes")
READING = {"status": 0, "report --since 1d": 0, "replay web-1": 1}


@pytest.fixture
def toml(live_cloud: SimServer, config: Path) -> Path:
    """A configuration that names no journal."""
    config.write_text("".join(line for line in config.open() if not line.startswith("journal")))
    for path in (config, *config.parents[:-1]):
        path.chmod(path.stat().st_mode | 0o055)
    return config


@pytest.mark.parametrize("command", WRITING)
@needs_root
def test_a_state_directory_that_cannot_be_written_is_said_in_words(toml: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    done = as_nobody(*command.split(), "--config", toml, HOME=str(tmp_path / "home"))
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "a defect" not in done.stderr
    assert str(tmp_path / "home") in done.stderr or "template" in done.stderr


@pytest.mark.parametrize(("command", "code"), READING.items())
@needs_root
def test_what_only_reads_needs_no_state_directory(toml: Path, tmp_path: Path, command: str, code: int) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    done = as_nobody(*command.split(), "--config", toml, HOME=str(tmp_path / "home"))
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "home").iterdir())


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


@pytest.mark.parametrize("term", ["dumb", "unknown", "Dumb"])
def test_a_terminal_that_can_show_nothing_is_said_in_words(config: Path, term: str) -> None:
    config.write_text('[[region]]\nid = "cn-hangzhou"\nqueue = "q"\nmns_endpoint = "http://127.0.0.1:9"\n')
    one = Terminal(["-m", "spottui", "--config", config], config.parent / "state", TERM=term)
    assert one.ends(10) == 2
    one.shows("cannot show a screen")
    one.kill()


@pytest.mark.parametrize("term", [None, "nobody-knows-it", "vt100"])
def test_one_that_nobody_knows_is_tried(live_cloud: SimServer, config: Path, term: str | None) -> None:
    one = Terminal(["-m", "spottui", "--config", config], config.parent / "state", TERM=term)
    try:
        one.shows("AUTO off")
        one.process.send_signal(signal.SIGTERM)
        assert one.ends() == 1
    finally:
        one.kill()


PLACES = ("/tmp", "/var/tmp")


@pytest.mark.parametrize(
    "arguments", [("demo",), ("drill", "--game-day", "demo"), ("--headless", "demo", "--headless", "--auto")]
)
@needs_root
def test_no_place_for_what_is_temporary_is_said_in_words(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    # What is in them stays to be read: this program may be, too.
    read_only = "".join(f"mount --bind {each} {each} && mount -o remount,ro,bind {each} && " for each in PLACES)
    script = f"{read_only} exec {sys.executable} -m spottui "
    environment = {**clean_environment(tmp_path), "PYTHONPATH": os.getcwd(), "TMPDIR": "/proc/nowhere"}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"cd /proc && {script} {' '.join(arguments)}"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
