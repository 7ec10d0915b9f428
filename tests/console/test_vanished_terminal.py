"""A terminal that goes away ends the console in every state, whoever started it, with all that was its own."""

import os
import shutil
import signal
import sys
import time

import pytest

from tests.console.pseudo import Terminal
from tests.console.tmux import DEAF, Tmux, processes_with
from tests.driving import clean_environment, wait_until

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

WAYS = {"leader": "", "under make": f"{DEAF} "}

WITHIN_S = 10.0
"""It takes less than 3 s on a machine that has time; one that does not end stays for ever."""

STATES = {
    "main": ([], "NEEDS YOU"),
    "armed": (["a", "y"], "AUTO armed"),
    "plan": (["y"], "Tried in this order"),
    "quit": (["q"], "Quit?"),
    "filter": (["/", "w"], "/ w"),
    "palette": (["C-p"], "Search"),
    "command": ([":"], ":"),
    "help": (["?"], "Here, in Instances"),
    "details": (["Enter"], "At its deadline"),
}


@pytest.fixture
def demo(tmp_path):
    """Start the demo in tmux, in a way, and bring it to a state; give tmux and the temporary directory."""
    temp = tmp_path / "temp"
    temp.mkdir()
    tmux = Tmux(f"spottui-{os.getpid()}-{time.monotonic_ns()}")
    environment = {**clean_environment(tmp_path / "state"), "PYTHONPATH": os.getcwd(), "TMPDIR": str(temp)}

    def start(way, keys, text):
        command = f"{WAYS[way]}{sys.executable} -m spottui demo"
        tmux.start(command, {**environment, "TERM": "xterm-256color"}, (100, 30))
        tmux.shows("NEEDS YOU")
        # Until the console is open it refuses with words what needs its desk: then it is asked again.
        for _ in range(5):
            for key in keys:
                tmux.type(key)
                time.sleep(0.2)
            if tmux.comes_to_show(text):
                return tmux, temp
            tmux.type("Escape")
            # A key that follows at once is read as Alt and that key.
            time.sleep(0.5)
        tmux.shows(text)
        return tmux, temp

    yield start
    tmux.run("kill-server")
    for process in consoles_in(temp):
        os.kill(int(process), signal.SIGKILL)


def assert_nothing_is_left(temp, within_s=WITHIN_S):
    wait_until(lambda: not processes_with(str(temp)) and not list(temp.iterdir()), within_s, 0.05)


@pytest.mark.parametrize("state", STATES)
def test_without_a_sighup_the_end_of_the_terminal_is_the_end(demo, state):
    tmux, temp = demo("under make", *STATES[state])
    assert len(consoles_in(temp)) == 1
    assert len(list(temp.iterdir())) == 1
    tmux.run("kill-server")
    assert_nothing_is_left(temp)
    wait_until(lambda: not consoles_in(temp), WITHIN_S, 0.05)


@pytest.mark.parametrize("state", ["main", "plan", "palette"])
def test_so_it_is_for_the_leader_of_a_session(demo, state):
    tmux, temp = demo("leader", *STATES[state])
    tmux.run("kill-server")
    assert_nothing_is_left(temp)
    wait_until(lambda: not consoles_in(temp), WITHIN_S, 0.05)


def test_a_demo_in_a_terminal_that_takes_nothing_leaves_nothing(tmp_path):
    temp = tmp_path / "temp"
    temp.mkdir()
    one = Terminal(["-m", "spottui", "demo"], tmp_path / "state", TMPDIR=str(temp))
    try:
        one.shows("NEEDS YOU")
        one.stall()
        one.process.send_signal(signal.SIGHUP)
        assert one.ends() == 1
        assert not list(temp.iterdir())
        assert not processes_with(str(temp))
    finally:
        one.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_demo_that_still_starts_its_cloud_leaves_nothing(tmp_path, number):
    one = Terminal(["-m", "spottui", "demo"], tmp_path / "state", TMPDIR=str(tmp_path))
    try:
        wait_until(lambda: processes_with(f"--write-config {tmp_path}"), 10)
        one.process.send_signal(number)
        assert one.ends() == 1
        wait_until(lambda: not list(tmp_path.glob("spottui-*")) and not processes_with(str(tmp_path)), 1)
    finally:
        one.kill()


def consoles_in(temp):
    """The demos whose own directory is there: by their environment."""
    found = []
    for process in processes_with("-m spottui demo"):
        try:
            with open(f"/proc/{process}/environ", "rb") as file:
                environment = file.read().split(b"\0")
            with open(f"/proc/{process}/cmdline", "rb") as file:
                program = file.read().split(b"\0")
        except OSError:
            continue
        if f"TMPDIR={temp}".encode() in environment and program[1:2] == [b"-m"]:
            found.append(process)
    return found
