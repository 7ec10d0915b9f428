"""A guarded workload is warned in time, ended in time, and its result is the same however often it was interrupted."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spottui.sim.testing import SimServer
from tests.cli.running import run
from tests.driving import clean_environment, wait_until

WORKLOAD = Path(__file__).with_name("grayscale.py")
WIDTH, HEIGHT = 40, 230
TIMES = 10


@pytest.fixture(scope="module")
def cloud() -> Iterator[SimServer]:
    with SimServer(instances=24) as cloud:
        yield cloud


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "in.ppm"
    path.write_bytes(f"P6 {WIDTH} {HEIGHT} 255\n".encode() + random.Random(4).randbytes(WIDTH * HEIGHT * 3))
    return path


class Guarded:
    """`spottui guard` in a process of its own, on one instance of the cloud."""

    def __init__(self, cloud: SimServer, instance_id: str, state: Path, *command: object, margin: float = 30) -> None:
        address = f"{cloud.url}/_sim/metadata/{instance_id}"
        options = ["--metadata", address, "--poll", "0.02", "--state", str(state), "--margin", str(margin)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "spottui", "guard", *options, "--", *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(state.parent),
        )
        self.rows = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for_row(self, row: int) -> None:
        wait_until(lambda: self.rows >= row or self.process.poll() is not None, every_s=0.001)

    def end(self) -> int:
        code = self.process.wait(30)
        self._reader.join(5)
        return code

    def said(self) -> str:
        assert self.process.stderr
        return self.process.stderr.read()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.rows = int(line)


def gray(picture: Path, target: Path) -> bytes:
    subprocess.run([sys.executable, WORKLOAD, picture, target], check=True, stdout=subprocess.DEVNULL)
    return target.read_bytes()


def outcome(state: Path) -> str:
    return str(json.loads(state.read_text())["outcome"])


def test_the_result_is_the_same_after_ten_interruptions_at_random_moments(
    cloud: SimServer, picture: Path, tmp_path: Path
) -> None:
    """Each time the machine goes: by the warning, or with the workload killed in the middle of anything."""
    whole = gray(picture, tmp_path / "whole.pgm")
    target, state = tmp_path / "out.pgm", tmp_path / "state.json"
    dice, machines = random.Random(20261124), iter(cloud.spot_ids())
    moments = sorted(dice.sample(range(5, HEIGHT - 70), TIMES))
    command = (sys.executable, WORKLOAD, picture, target, 0.008)
    for moment in moments:
        instance_id = next(machines)
        guarded = Guarded(cloud, instance_id, state, *command)
        guarded.wait_for_row(moment)
        if dice.random() < 0.5:
            cloud.interrupt([instance_id])
            assert guarded.end() == 75
            assert outcome(state) == "interrupted"
        else:
            kill_all(guarded.process)
            assert outcome(state) == "running"
        assert not target.exists(), "no partial file may be taken for a whole one"
    last = Guarded(cloud, next(machines), state, *command)
    assert last.end() == 0
    assert target.read_bytes() == whole
    assert outcome(state) == "done"
    assert run("guard", "--state", state, "--", *command).exit_code == 0
    assert json.loads(state.read_text())["runs"] == TIMES + 1, "what is done is not run again"


def kill_all(guard: "subprocess.Popen[str]") -> None:
    """As when the power goes: the guard and the workload at once."""
    children = Path(f"/proc/{guard.pid}/task/{guard.pid}/children").read_text().split()
    for pid in [guard.pid, *map(int, children)]:
        os.kill(pid, signal.SIGKILL)
    guard.wait()
    wait_until(lambda: not any(is_running(pid) for pid in children))


def is_running(pid: str) -> bool:
    """Whether a process is there, and not only its exit code for somebody to read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_workload_that_does_not_end_is_killed_before_the_deadline(cloud: SimServer, tmp_path: Path) -> None:
    """The margin is longer than the notice: half of what is left is given."""
    instance_id = cloud.spot_ids()[-1]
    guarded = Guarded(cloud, instance_id, tmp_path / "s.json", sys.executable, "-c", LOOP, margin=100)
    wait_until(lambda: guarded.rows == 7)
    began = time.monotonic()
    cloud.interrupt([instance_id], notice_s=4)
    assert guarded.end() == 128 + signal.SIGKILL
    assert time.monotonic() - began < 4
    assert guarded.rows == 8, "it was warned first"
    assert "killed" in guarded.said()


LOOP = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print(8, flush=True))
print(7, flush=True)
while True:
    time.sleep(1)
"""


SAVES = LOOP.replace("print(8, flush=True)", "sys.exit(75)").replace("import signal", "import sys, signal")


@pytest.mark.parametrize("behind_s", [-600, 600, 40 * 86_400])
def test_a_host_clock_that_is_off_changes_neither_the_notice_nor_what_is_left_of_it(
    tmp_path: Path, behind_s: float
) -> None:
    """Neither at the notice nor for a guard that is started again within it."""
    state = tmp_path / "s.json"
    with SimServer(instances=4, start_at=time.time() + behind_s) as cloud:
        instance_id = cloud.spot_ids()[0]
        first = Guarded(cloud, instance_id, state, sys.executable, "-c", SAVES)
        wait_until(lambda: first.rows == 7)
        cloud.interrupt([instance_id])
        assert first.end() == 75
        assert 240 <= seconds_to_save(first) <= 270
        cloud.advance(100)
        again = Guarded(cloud, instance_id, state, sys.executable, "-c", SAVES)
        assert again.end() in (75, 128 + signal.SIGTERM), "it may be warned before it listens"
        assert 120 <= seconds_to_save(again) <= 170
        address = f"{cloud.url}/_sim/metadata/{instance_id}"
        dry = run("guard", "--metadata", address, "--dry-run", "--", "true").stdout
        assert 100 <= int(re.findall(r"UTC, in (-?\d+) s", dry)[0]) <= 200


def seconds_to_save(guarded: Guarded) -> int:
    (seconds,) = re.findall(r"SIGTERM sent, (\d+) s to save", guarded.said())
    return int(seconds)


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_is_passed_on(cloud: SimServer, tmp_path: Path, code: int) -> None:
    state = tmp_path / "s.json"
    guarded = Guarded(cloud, cloud.spot_ids()[-2], state, sys.executable, "-c", f"raise SystemExit({code})")
    assert guarded.end() == code
    assert outcome(state) == ("failed" if code else "done")


def test_a_signal_to_the_guard_reaches_the_workload_which_is_run_again(cloud: SimServer, tmp_path: Path) -> None:
    """At the shutdown of a machine nobody else warns it: what it saved, and exited with 0 for, is not done."""
    state, saves = (
        tmp_path / "s.json",
        LOOP.replace("print(8, flush=True)", "os._exit(0)").replace("import", "import os,"),
    )
    guarded = Guarded(cloud, cloud.spot_ids()[-2], state, sys.executable, "-c", saves)
    wait_until(lambda: guarded.rows == 7)
    guarded.process.send_signal(signal.SIGTERM)
    assert guarded.end() == 0
    assert outcome(state) == "interrupted"


def test_no_answer_and_no_time_are_no_evidence(tmp_path: Path) -> None:
    """A machine that is no ECS instance, or a page of something else, does not stop a workload."""
    command = [sys.executable, "-c", "import time; time.sleep(0.1)"]
    done = run("guard", "--metadata", "http://127.0.0.1:9", "--poll", "0.02", "--", *command)
    assert done.exit_code == 0
    assert done.stderr.count("no answer") == 1
    assert run("guard", "--metadata", "http://127.0.0.1:9", "--dry-run", "--", *command).exit_code == 1


def test_a_state_file_of_another_command_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "s.json"
    options = ["--metadata", "http://127.0.0.1:9", "--state", state, "--"]
    assert run("guard", *options, "true").exit_code == 0
    refused = run("guard", *options, "false")
    assert refused.exit_code == 2
    assert "another command" in refused.stderr
    state.write_text("{")
    assert run("guard", *options, "true").exit_code == 2


def test_hardened_metadata_is_asked_with_a_token(cloud: SimServer) -> None:
    from spottui.cloud.metadata import Metadata

    instance_id = cloud.spot_ids()[-3]
    metadata = Metadata(f"{cloud.url}/_sim/metadata/{instance_id}")
    assert metadata.termination_time() is None
    cloud.interrupt([instance_id])
    assert metadata.termination_time() is not None


def test_the_unit_runs_the_same_guard_at_boot(tmp_path: Path) -> None:
    queue = "https://1690700000000030.mns.cn-hangzhou.aliyuncs.com/queues/train"
    options = ["--unit", "--state", tmp_path / "s.json", "--signal", "USR1", "--queue", queue]
    unit = run("guard", *options, "--", "sh", "-c", "echo 100% $HOME")
    assert unit.exit_code == 0
    assert '"echo 100%% $$HOME"' in unit.stdout
    assert "--signal SIGUSR1" in unit.stdout
    assert f"--queue {queue}" in unit.stdout
    assert "KillMode=mixed\n" in unit.stdout, "the guard asks the workload to end, and waits for it"
    assert run("guard", "--unit", "--", "sh").exit_code == 2
