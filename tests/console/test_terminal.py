"""The real program in tmux: it types, detaches and attaches again while a recovery runs."""

import os
import shutil
import signal
import sys
import time

import pytest

from spottui.sim.testing import SimServer
from tests.console.emulator import Emulator
from tests.console.tmux import Tmux, processes_with
from tests.driving import clean_environment, wait_until

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def tmux(tmp_path):
    server = Tmux(f"spottui-{os.getpid()}-{time.monotonic_ns()}")
    yield server
    server.run("kill-server")


def test_a_recovery_goes_on_while_nobody_looks_and_the_screen_is_there_again(tmux, tmp_path):
    config = tmp_path / "c.toml"
    with SimServer(config=config, instances=6) as cloud:
        cloud.world(image_base_s=1, image_s_per_gib=0, boot_s=1)
        environment = {**clean_environment(tmp_path / "state"), "PYTHONPATH": os.getcwd(), "TERM": "xterm-256color"}
        tmux.start(f"{sys.executable} -m spottui --config {config}", environment, (80, 24))
        tmux.shows("AUTO off")
        victim = cloud.spot_ids()[0]
        cloud.interrupt([victim])
        tmux.shows("NEEDS YOU")
        tmux.type("y")
        tmux.shows("Tried in this order")
        tmux.type("Enter")
        tmux.shows("1 running")
        tmux.attach_and_detach()
        tmux.run("resize-window", "-x", "120", "-y", "40")
        tmux.shows("1 recovered")
        tmux.type("3", "Enter")
        tmux.shows("✓ ModifyDiskAttribute")
        tmux.type("End")
        tmux.shows("✓ TagResources")
        tmux.run("resize-window", "-x", "80", "-y", "24")
        tmux.type("q")
        tmux.shows("1 saved")
        tmux.type("q")
        wait_until(lambda: not tmux.run("list-sessions"), 20, 0.1)


def test_told_to_end_it_gives_the_terminal_back_and_says_where_the_log_is(tmux, tmp_path):
    config = tmp_path / "c.toml"
    with SimServer(config=config, instances=4) as cloud:
        environment = {**clean_environment(tmp_path / "state"), "PYTHONPATH": os.getcwd(), "TERM": "xterm-256color"}
        command = f"echo $$ > {tmp_path}/pid; exec {sys.executable} -m spottui --config {config}"
        tmux.start(f"bash -c '{command}'; cat", environment, (80, 24))
        tmux.shows("4 spot")
        calls = len(cloud.calls("DescribeInstances"))
        tmux.type("R")
        tmux.shows("Refreshing every source")
        wait_until(lambda: len(cloud.calls("DescribeInstances")) >= calls + 2, 10, 0.05)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
        tmux.shows("spottui: ended by SIGTERM. Recoveries resume at the next start.")
        tmux.shows(f"spottui: Log: {tmp_path}"[:60])
        assert tmux.run("display", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}").split() == ["0", "0", "1"]


@pytest.mark.parametrize("closes", [("kill-session", "-t", "0:"), ("respawn-pane", "-k", "-t", "0:", "sleep 60")])
def test_the_demo_gives_a_person_time_and_a_closed_terminal_leaves_nothing_of_it(tmux, tmp_path, closes):
    temp = tmp_path / "temp"
    temp.mkdir()
    environment = {**clean_environment(tmp_path / "state"), "PYTHONPATH": os.getcwd(), "TMPDIR": str(temp)}
    tmux.start(f"{sys.executable} -m spottui demo", {**environment, "TERM": "xterm-256color"}, (80, 24))
    tmux.shows("AUTO off")
    tmux.shows("NEEDS YOU")
    tmux.type("a")
    tmux.shows("after a veto window of 20 s")
    (directory,) = temp.iterdir()
    tmux.run("new-session", "-d", "-s", "stays", "sleep 60")
    tmux.run(*closes)
    wait_until(lambda: not processes_with(str(directory)) and not list(temp.iterdir()), 10, 0.05)


FROZEN = """
from spottui.console.app import SpottuiApp
from tests.console.scripted import FrozenClock, ScriptedDesk, reclaims
SpottuiApp(lambda: ScriptedDesk(reclaims()), clock=FrozenClock(), who="mia", title="spottui").start()
"""


def test_after_changes_alone_the_screen_is_as_if_drawn_anew_and_ctrl_l_draws_over_what_others_wrote(tmux, tmp_path):
    (tmp_path / "frozen.py").write_text(FROZEN)
    environment = {**clean_environment(tmp_path / "state"), "PYTHONPATH": os.getcwd(), "COLORTERM": "truecolor"}
    tmux.start(f"{sys.executable} {tmp_path}/frozen.py", environment, (120, 40))
    tmux.shows("NEEDS YOU")
    tmux.type("?")
    tmux.shows("Here, in")
    tmux.type("PageDown", "q", "3", "y")
    tmux.shows("Tried in this order")
    tmux.type("Escape")
    wait_until(lambda: "Tried in this order" not in tmux.screen())
    tmux.run("resize-window", "-x", "90", "-y", "30")
    tmux.shows("2 Events (")
    changed = _settled(tmux)
    with open(tmux.run("display-message", "-p", "#{pane_tty}").strip(), "w") as shared:
        shared.write("\x1b[5;1HBroadcast message from root")
    tmux.shows("Broadcast message")
    tmux.type("C-l")
    wait_until(lambda: "Broadcast" not in tmux.screen())
    assert _settled(tmux).items() ^ changed.items() == set()


def _settled(tmux):
    looks = [_looks(tmux)]
    wait_until(lambda: looks.append(_looks(tmux)) or looks[-3:] == [looks[-1]] * 3, every_s=0.3)
    return looks[-1]


def _looks(tmux):
    """Return how each cell of the screen looks."""
    emulator = Emulator()
    for y, line in enumerate(tmux.run("capture-pane", "-p", "-e").splitlines(), 1):
        emulator.feed(f"\x1b[{y};1H{line}")
    return emulator.cells
