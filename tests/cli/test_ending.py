"""Whoever reads what is printed may be gone, or never read: the work goes on, and a signal ends it in time."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from spottui.sim.testing import SimServer
from tests.cli.running import Night, own_state, run_json
from tests.console.tmux import DEAF, Tmux, processes_with
from tests.driving import add_policy, clean_environment, effects, wait_until

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def gone() -> int:
    """A pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def stalled() -> int:
    """A full pipe whose reader, that stays, does not read."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while os.write(writing, b"x" * 512):
            pass
    os.set_blocking(writing, True)
    STALLED.append(reading)
    return writing


def full() -> int:
    """A disk that is full."""
    return os.open("/dev/full", os.O_WRONLY)


STALLED: list[int] = []
OUTPUTS = [gone, stalled, full]


@pytest.fixture(autouse=True)
def no_reader_stays() -> Iterator[None]:
    yield
    while STALLED:
        os.close(STALLED.pop())


class Program:
    """`spottui` in a process of its own, its output in nobody's hands."""

    def __init__(self, toml: Path, *arguments: str, to: Callable[[], int], code: str = "", both: bool = False) -> None:
        self.errors = toml.with_name(f"errors-{time.monotonic_ns()}")
        program = ["-c", code] if code else ["-m", "spottui"]
        output = to()
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *program, *arguments, "--config", str(toml)],
                stdout=output,
                stderr=output if both else errors,
                stdin=subprocess.DEVNULL,
                env=clean_environment(toml.parent / "state"),
            )
        os.close(output)
        self.log = toml.parent / "state" / "spottui" / "spottui.log"

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    # Three seconds are promised. With eight test processes on two cores one may wait as long for the processor alone.
    def ends(self, within_s: float = 8.0) -> int:
        return self.process.wait(within_s)

    def said(self) -> str:
        return self.errors.read_text()


def warned(program: Program) -> list[str]:
    lines = [json.loads(line) for line in program.log.read_text().splitlines()]
    return [line["message"] for line in lines if line["logger"] == "spottui.printing"]


def unread(config: Path) -> list[str | None]:
    """What `status` says of each console's output."""
    return [console["unread"] for console in run_json("status", "--config", config)["consoles"]]


@pytest.mark.parametrize(
    ("to", "both"),
    [(gone, False), (gone, True), (stalled, True), (full, True)],
    ids=["output gone", "both gone", "both stalled", "both full"],
)
def test_headless_recovers_whatever_becomes_of_its_lines(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch, to: Callable[[], int], both: bool
) -> None:
    own_state(monkeypatch, config.parent)
    add_policy(config, veto_window_s=0.2)
    with Program(config, "--headless", "--auto", to=to, both=both) as program:
        wait_until(lambda: live_cloud.calls("DescribeInstances"))
        live_cloud.interrupt([live_cloud.spot_ids()[0]])
        wait_until(lambda: effects(live_cloud, "RunInstances"))
        if to is not stalled:
            wait_until(lambda: unread(config) == ["standard output"])
        program.process.send_signal(signal.SIGTERM)
        assert program.ends() == 0
        if to is not stalled:
            assert len(warned(program)) == 1
            assert warned(program)[0].startswith("standard output cannot be written")
        assert program.said() == ""


def test_what_a_reader_that_stalls_did_not_read_is_counted_in_the_log(live_cloud: SimServer, config: Path) -> None:
    code = "import spottui.cli.printing as p; p.QUEUED = 5\nfrom spottui.__main__ import main; main()"
    with Program(config, "--headless", to=stalled, code=code) as program:
        wait_until(program.log.exists)
        live_cloud.interrupt(live_cloud.spot_ids()[:6])
        wait_until(lambda: warned(program))
        while len(warned(program)) < 2:
            os.read(STALLED[0], 65536)
            live_cloud.interrupt([live_cloud.spot_ids()[0]])
            time.sleep(0.1)
        first, second = warned(program)[:2]
        assert first == "nobody reads standard output: output is dropped, the work continues"
        assert second.startswith("standard output is read again; ")


@pytest.mark.parametrize("to", OUTPUTS)
def test_recover_goes_on_to_its_end(live_cloud: SimServer, config: Path, to: Callable[[], int]) -> None:
    with Program(config, "recover", live_cloud.spot_ids()[0], "--yes", to=to, both=True) as program:
        assert program.ends(60) == 0
    assert len(effects(live_cloud, "RunInstances")) == 1


@pytest.mark.parametrize(
    ("arguments", "number"),
    [(["status", "--watch", "--every", "1"], signal.SIGINT), *((["--headless"], number) for number in SIGNALS)],
    ids=["status INT", "headless TERM", "headless HUP", "headless INT"],
)
def test_a_signal_ends_what_nobody_reads(
    live_cloud: SimServer, config: Path, arguments: list[str], number: signal.Signals
) -> None:
    with Program(config, *arguments, to=stalled, both=True) as program:
        wait_until(lambda: len(live_cloud.calls("DescribeInstances")) >= 2)
        time.sleep(0.3)
        program.process.send_signal(number)
        program.ends()


def test_status_ends_when_its_reader_does(live_cloud: SimServer, config: Path) -> None:
    with Program(config, "status", "--watch", "--every", "1", to=gone) as program:
        assert program.ends(60) == 1
        assert program.said() == ""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["recover", "--help"]])
def test_a_help_that_cannot_be_printed_is_said_in_words(config: Path, arguments: list[str]) -> None:
    with open("/dev/full", "wb") as output:
        command = [sys.executable, "-m", "spottui", *arguments]
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, env=clean_environment(config.parent))
    assert (done.returncode, done.stderr) == (1, b"spottui: standard output: No space left on device.\n")


def test_a_full_disk_is_said_in_words(live_cloud: SimServer, config: Path) -> None:
    with Program(config, "status", to=full) as program:
        assert program.ends(60) == 1
        assert program.said() == "spottui: standard output: No space left on device.\n"


@pytest.mark.parametrize("number", SIGNALS)
def test_a_replay_of_lines_ends_and_leaves_nothing(night: Night, tmp_path: Path, number: signal.Signals) -> None:
    environment = {**clean_environment(tmp_path / "state"), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "spottui", "replay", night.instance_id, "--lines", "--config", str(night.toml)]
    with subprocess.Popen([*command, "--speed", "0.1"], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(3.0) == 1
    assert not list(tmp_path.glob("*replay*"))


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
@pytest.mark.parametrize("under", ["", f"{DEAF} "], ids=["leader", "under make"])
def test_a_replay_on_the_screen_ends_with_its_terminal(night: Night, tmp_path: Path, under: str) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    tmux = Tmux(f"spottui-{os.getpid()}-{time.monotonic_ns()}")
    environment = {**clean_environment(tmp_path), "PYTHONPATH": os.getcwd(), "TMPDIR": str(temp)}
    command = f"{under}{sys.executable} -m spottui replay {night.instance_id} --config {night.toml}"
    try:
        tmux.start(command, {**environment, "TERM": "xterm-256color"}, (100, 30))
        tmux.shows("REPLAY")
        running = processes_with(command.removeprefix(under))
        assert running
        tmux.run("kill-server")
        wait_until(lambda: not list(temp.iterdir()) and not any(map(is_there, running)), 3.0)
    finally:
        tmux.run("kill-server")


def is_there(process: str) -> bool:
    return Path(f"/proc/{process}").exists()


BROKEN = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from spottui.desk import Desk

def broken(desk, version, timeout_s):
    ThreadPoolExecutor(1).submit(threading.Event().wait)  # A call to the cloud that hangs.
    raise KeyError("no such thing")

Desk.wait = broken
from spottui.__main__ import main
main()
"""


def test_an_exception_ends_headless_in_time_and_in_words(live_cloud: SimServer, config: Path) -> None:
    with Program(config, "--headless", to=lambda: os.open(os.devnull, os.O_WRONLY), code=BROKEN) as program:
        wait_until(lambda: live_cloud.calls("DescribeInstances"))
        assert program.ends() == 1
        assert "a bug in spottui: KeyError; the traceback is in" in program.said()
        assert "Traceback" not in program.said()


def test_nohup_keeps_it_from_sighup(live_cloud: SimServer, config: Path) -> None:
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\nfrom spottui.__main__ import main; main()"
    with Program(config, "--headless", to=gone, code=code) as program:
        wait_until(lambda: live_cloud.calls("DescribeInstances"))
        program.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert program.process.poll() is None
        program.process.send_signal(signal.SIGTERM)
        assert program.ends() == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_nowhere_and_no_file_is_printed_into(
    live_cloud: SimServer, config: Path, closed: str
) -> None:
    command = f"exec {sys.executable} -m spottui --headless --config {config} {closed}"
    process = subprocess.Popen(["sh", "-c", command], env=clean_environment(config.parent / "state"))
    try:
        wait_until(lambda: len(live_cloud.calls("DescribeInstances")) > 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(3.0) == 0
    finally:
        process.kill()
