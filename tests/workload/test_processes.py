"""Whatever a workload is made of, it is warned, waited for and killed as one, and no two runs live side by side."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spottui.cloud.event_rules import drill_body
from spottui.sim.testing import SimServer
from spottui.workload.processes import Workload
from tests.cli.running import run
from tests.driving import clean_environment, wait_until

WORKER = """
import os, signal, sys, time
log = open(sys.argv[1], "ab", buffering=0)
def say(what):
    log.write(f"{what} {os.getpid()}\\n".encode())
def save(*_):
    say("saving")
    time.sleep(0.7)
    say("saved")
    os._exit(75)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in sys.argv else save)
say("run")
while "once" not in sys.argv and not (os.environ.get("SPOTTUI_RUN") == "2" and "deaf" not in sys.argv):
    time.sleep(0.02)
say("end")
"""
WRAPPED = {
    "shell": "{worker}; exit $?",
    "background": "{worker} & wait",
    "pipe": "{worker} | cat",
    "session": "setsid {worker} & wait",
    "orphan": "(setsid {worker} &) ; sleep 100",
}
"""Ways in which a worker is not the process that was started; each shell ends at once when it is warned."""


@pytest.fixture(scope="module")
def world() -> Iterator[SimServer]:
    with SimServer(instances=8) as cloud:
        yield cloud


@pytest.fixture
def cloud(world: SimServer) -> SimServer:
    world.reset()
    return world


class Guarded:
    """`spottui guard` of a worker behind a shell, in a process of its own."""

    def __init__(self, cloud: SimServer, directory: Path, script: str, *arguments: str, margin_s: float = 10) -> None:
        self.cloud = cloud
        self.log = directory / "log"
        self.state = directory / "state.json"
        self._said = directory / "said"
        self.instance_id = cloud.spot_ids()[0]
        worker = directory / "worker.py"
        worker.write_text(WORKER, "utf-8")
        line = script.format(worker=f"{sys.executable} {worker} {self.log} {' '.join(arguments)}")
        self.command = ["sh", "-c", line]
        self.options = [
            "--metadata", f"{cloud.url}/_sim/metadata/{self.instance_id}", "--poll", "0.05", "--margin", str(margin_s),
            "--state", str(self.state), "--queue", f"{cloud.url}/queues/{cloud.endpoint.queue}",
        ]  # fmt: skip
        key = {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": cloud.endpoint.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": cloud.endpoint.access_key_secret,
        }
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "spottui", "guard", *self.options, "--", *self.command],
                stdout=said, stderr=said, env={**clean_environment(directory), **key},
            )  # fmt: skip

    def __enter__(self) -> "Guarded":
        wait_until(lambda: self.happened("run"))
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.workers():
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def happened(self, what: str) -> int:
        return sum(line.split()[0] == what for line in self.lines())

    def lines(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines() if self.log.exists() else []

    def workers(self) -> list[int]:
        return [int(line.split()[1]) for line in self.lines() if line.startswith("run")]

    def said(self) -> str:
        return self._said.read_text("utf-8")

    def drill(self) -> None:
        self.cloud.send(json.dumps(drill_body("cn-hangzhou", self.instance_id)))


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_a_worker_behind_a_shell_has_the_time_to_save(cloud: SimServer, tmp_path: Path, wrapping: str) -> None:
    with Guarded(cloud, tmp_path, WRAPPED[wrapping]) as guarded:
        cloud.interrupt([guarded.instance_id])
        guarded.process.wait(20)
        assert guarded.happened("saved") == 1, guarded.lines()
        assert "the workload exited in time" in guarded.said()
        assert not alive(guarded.workers()[0])


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_a_worker_that_does_not_end_is_killed_wherever_it_is(cloud: SimServer, tmp_path: Path, wrapping: str) -> None:
    with Guarded(cloud, tmp_path, WRAPPED[wrapping], "deaf", margin_s=200) as guarded:
        cloud.interrupt([guarded.instance_id], notice_s=3)
        guarded.process.wait(20)
        assert "killed" in guarded.said()
        assert not alive(guarded.workers()[0])


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_what_asks_the_guard_to_end_waits_for_the_worker_too(cloud: SimServer, tmp_path: Path, wrapping: str) -> None:
    """As when a service is stopped: systemd kills what is left as soon as the guard has ended."""
    with Guarded(cloud, tmp_path, WRAPPED[wrapping]) as guarded:
        guarded.process.send_signal(signal.SIGTERM)
        guarded.process.wait(20)
        assert guarded.happened("saved") == 1, guarded.lines()


@pytest.mark.parametrize("wrapping", ["background", "session"])
def test_after_a_drill_no_two_runs_are_side_by_side(cloud: SimServer, tmp_path: Path, wrapping: str) -> None:
    with Guarded(cloud, tmp_path, WRAPPED[wrapping]) as guarded:
        guarded.drill()
        assert guarded.process.wait(20) == 0
        assert [line.split()[0] for line in guarded.lines()] == ["run", "saving", "saved", "run", "end"]
        assert json.loads(guarded.state.read_text("utf-8"))["runs"] == 2


def test_a_drill_kills_nothing(cloud: SimServer, tmp_path: Path) -> None:
    """The margin leaves a few seconds of the 300."""
    with Guarded(cloud, tmp_path, WRAPPED["shell"], "deaf", margin_s=290) as guarded:
        guarded.drill()
        wait_until(lambda: "lets it continue" in guarded.said())
        assert guarded.process.poll() is None
        assert alive(guarded.workers()[0])
        cloud.interrupt([guarded.instance_id], notice_s=3)
        guarded.process.wait(20)
        assert not alive(guarded.workers()[0])
        assert json.loads(guarded.state.read_text("utf-8"))["outcome"] == "interrupted"


def test_what_a_killed_guard_left_keeps_a_second_run_from_beginning(cloud: SimServer, tmp_path: Path) -> None:
    with Guarded(cloud, tmp_path, WRAPPED["session"], "deaf") as guarded:
        guarded.process.kill()
        guarded.process.wait()
        again = ("guard", "--state", guarded.state, "--metadata", "http://127.0.0.1:9", "--", *guarded.command)
        refused = run(*again)
        assert refused.exit_code == 2
        assert "another guard runs this workload" in refused.stderr
        assert guarded.happened("run") == 1


def test_a_command_that_leaves_work_in_the_background_is_not_done_before_it(tmp_path: Path) -> None:
    marker = tmp_path / "done"
    workload = Workload(["sh", "-c", f"(sleep 0.3; echo > {marker}) & exit 3"], dict(os.environ))
    assert workload.ends_within(20)
    assert (workload.exit_code, marker.exists()) == (3, True)


def test_a_daemon_that_a_command_leaves_on_purpose_keeps_nobody_waiting(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"setsid sh -c 'echo $$ > {pid_file}; exec sleep 100' & while [ ! -s {pid_file} ]; do sleep 0.02; done"
    workload = Workload(["sh", "-c", script], dict(os.environ))
    assert workload.ends_within(20)
    assert alive(int(pid_file.read_text("utf-8")))
    workload.kill()
    os.kill(int(pid_file.read_text("utf-8")), signal.SIGKILL)
