"""What the running console costs and how fast it answers keys, beside a twelve-line Textual app in the same run.

The real program in a pseudo-terminal of 120 × 40 against the simulated cloud, which runs in a process of its own.
`python -m tests.bench.console idle|keys|lateness|most` runs one part.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil
from textual.color import Color

from spottui.console.themes import DARK
from spottui.sim.serve import Endpoint
from spottui.sim.testing import SimServer
from tests.bench.terminal import Terminal
from tests.driving import add_policy, wait_until

IDLE_S = 60
SETTLED_S = 20
KEYS = 200
FLOOR = [sys.executable, "-m", "tests.bench.minimal_app"]
QUIET, MANY = 580, 11_500
"""Instances in the cloud, of which at least 500 and 10,000 are spot instances, and so rows."""
MOST = 57_500
"""Of these 50,000 are spot instances."""
MOST_IN_A_REGION = 40_000
STORM = 200


def run(*parts: str) -> Iterator[dict[str, object]]:
    """Measure everything, or the parts that are named."""
    figures = {"idle": idle, "keys": keys, "lateness": lateness, "most": most}
    for part in parts or figures:
        yield from figures[part]()


def idle() -> Iterator[dict[str, object]]:
    """Nobody types: 500 instances with three countdowns for CPU and bytes, and both sizes for memory."""
    with directory() as where:
        floor = Program(FLOOR, where, "MinimalApp")
        time.sleep(2)
        floor_cpu, floor_bytes, floor_rss = floor.rest(IDLE_S)
        floor.close()
        with console_running(where, QUIET) as (program, cloud):
            # Minutes after a start, when every launch spec is captured.
            wait_until(lambda: len(cloud.calls("DescribeUserData")) >= program.rows, 300, 1)
            cloud.interrupt(cloud.spot_ids()[:3])
            program.terminal.wait_for("3 reclaiming")
            time.sleep(SETTLED_S)
            cpu, written, rss = program.rest(IDLE_S)
    yield _share("idle CPU, 500 rows, 3 countdowns", cpu, floor_cpu, "< 1 % of a core")
    yield _plain("bytes per idle second", "B", written, floor_bytes)
    yield _plain("RSS idle, 500 instances", "MB", rss, floor_rss, "< 100 MB")
    with directory() as where, console_running(where, MANY) as (program, _):
        time.sleep(SETTLED_S)
        yield _plain("RSS, 10,000 instances", "MB", program.rest(5)[2], floor_rss, "< 125 MB")


def keys() -> Iterator[dict[str, object]]:
    """From a key to the cursor's row on its new line, with 10,000 rows: idle, while they are swept, in a storm."""
    with directory() as where:
        floor_program = Program(FLOOR, where, "MinimalApp")
        time.sleep(1)
        floor, floor_bytes = floor_program.type(KEYS, b"\x1b[")
        floor_program.close()
        yield _times("key to paint, twelve-line app (floor)", floor, floor)
        with console_running(where, MANY, sweep_s=600) as (program, _):
            time.sleep(SETTLED_S)
            found, written = program.type(KEYS, _CURSOR)
            yield _times("key to paint, 10,000 rows, idle", found, floor, "p99 < 50 ms")
            yield _plain("bytes per key", "B", median(written), median(floor_bytes), "< 2,000 B")
        with console_running(where, MANY, sweep_s=2) as (program, _):
            time.sleep(5)
            found, _ = program.type(KEYS, _CURSOR)
            yield _times("key to paint, 10,000 rows, being swept", found, floor, "p99 < 50 ms")
        with console_running(where, MANY, "--auto", sweep_s=600, max_at_once=STORM, max_per_hour=STORM) as (
            program,
            cloud,
        ):
            time.sleep(SETTLED_S)
            cloud.interrupt(cloud.spot_ids()[:STORM])
            found, _ = program.type(KEYS, _CURSOR)
            yield _times(f"key to paint, 10,000 rows, storm of {STORM}", found, floor, "p99 < 50 ms")


def lateness() -> Iterator[dict[str, object]]:
    """How late the event loop wakes a task with 10,000 rows: at rest and in a storm."""
    with directory() as where:
        file = where / "late.json"
        command = [sys.executable, "-m", "tests.bench.console_program", "--lateness", str(file), "--auto"]
        with console_running(where, MANY, command=command, max_at_once=100, max_per_hour=STORM) as (_, cloud):
            time.sleep(SETTLED_S)
            start = len(_read(file))
            time.sleep(30)
            rest = _read(file)[start:]
            start += len(rest)
            cloud.interrupt(cloud.spot_ids()[:STORM])
            time.sleep(30)
            storm = _read(file)[start:]
        yield _times("event loop lateness, 10,000 rows at rest", rest, None, "p99 < 20 ms")
        yield _times(f"event loop lateness, storm of {STORM}", storm, None, "p99 < 20 ms")


def most() -> Iterator[dict[str, object]]:
    """50,000 rows still work."""
    with directory() as where, console_running(where, MOST, sweep_s=600) as (program, _):
        time.sleep(SETTLED_S)
        yield _plain("RSS, 50,000 instances", "MB", program.rest(5)[2], 0)
        found, written = program.type(KEYS, _CURSOR)
        yield _times("key to paint, 50,000 rows, idle", found, None)
        yield _plain("bytes per key, 50,000 rows", "B", median(written), 0)


def _muted() -> bytes:
    shade = Color.parse(DARK.to_color_system().generate()["primary-muted"])
    return b"48;2;%d;%d;%d" % shade.rgb


_CURSOR = _muted()


class Program:
    """A program on a pseudo-terminal, watched from outside."""

    def __init__(self, command: list[str], directory: Path, shows: str, rows: int = 0) -> None:
        self.rows = rows
        self.terminal = Terminal(command, directory / "state")
        self._process = psutil.Process(self.terminal.process.pid)
        self.terminal.wait_for(shows, 180)

    def close(self) -> None:
        self.terminal.close()

    def rest(self, seconds: float) -> tuple[float, float, float]:
        """Return the CPU in percent of a core, bytes a second and RSS in MB over so many seconds."""
        before, written = self._cpu_s(), len(self.terminal.output)
        time.sleep(seconds)
        cpu = (self._cpu_s() - before) / seconds * 100
        return cpu, (len(self.terminal.output) - written) / seconds, self._process.memory_info().rss / 1e6

    def type(self, times: int, painted: bytes) -> tuple[list[float], list[float]]:
        """Press Down and Up and return, for each, the ms until the cursor was painted, and the bytes of it all."""
        found: list[float] = []
        sizes: list[float] = []
        for number in range(times):
            length, at = len(self.terminal.output), time.perf_counter()
            self.terminal.send(b"\x1b[B" if number % 40 < 20 else b"\x1b[A")
            while self.terminal.output.find(painted, length) < 0:
                time.sleep(0.0005)
                if time.perf_counter() - at > 10:
                    raise AssertionError(f"nothing was painted in 10 s: {self.terminal.output[-300:]!r}")
            found.append((time.perf_counter() - at) * 1000)
            time.sleep(0.1)
            sizes.append(len(self.terminal.output) - length)
        return found, sizes

    def _cpu_s(self) -> float:
        used = self._process.cpu_times()
        return used.user + used.system


@contextmanager
def console_running(
    directory: Path, instances: int, *arguments: str, command: list[str] | None = None, speed: int = 1, **policy: float
) -> Iterator[tuple[Program, SimServer]]:
    """Run the console, or another command with its arguments, in a terminal against a cloud of its own."""
    config = directory / f"{time.monotonic_ns()}.toml"
    with _cloud(config, instances, speed) as cloud:
        add_policy(config, **policy)
        run_it = [*(command or [sys.executable, "-m", "spottui"]), *arguments, "--config", str(config)]
        if speed != 1:
            run_it += ["--clock", cloud.url, "--speed", str(speed)]
        rows = sum(row["SpotStrategy"] != "NoSpot" for row in cloud.state()["instances"])
        program = Program(run_it, directory / config.stem, f"{rows:,} spot", rows)
        try:
            yield program, cloud
        finally:
            program.close()


@contextmanager
def _cloud(config: Path, instances: int, speed: int) -> Iterator[SimServer]:
    """Run the simulated cloud beside us, so that what it costs is not counted."""
    size = ["--instances", str(instances), "--speed", str(speed)]
    if instances > MOST_IN_A_REGION:
        size += ["--regions", "cn-hangzhou,cn-shanghai,cn-beijing"]
    command = [sys.executable, "-m", "spottui", "sim", *size, "--write-config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield _Remote(json.loads(process.stdout.readline()))
        finally:
            process.terminate()


class _Remote(SimServer):
    """The control calls of a simulated cloud in another process."""

    def __init__(self, ready: dict[str, Any]) -> None:
        super().__init__()
        told = (ready[name] for name in ("url", "access_key_id", "access_key_secret", "account_id", "queue", "regions"))
        self.endpoint = Endpoint(*told, config=None, ca_file=None, accounts={})

    def _connection(self) -> HTTPConnection:
        return HTTPConnection(self.url.partition("://")[2], timeout=30)


@contextmanager
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def _read(file: Path) -> list[float]:
    wait_until(file.exists)
    return list(json.loads(file.read_text()))


def _share(name: str, cpu: float, floor: float, aim: str) -> dict[str, object]:
    return _plain(name, "% of a core", cpu, floor, aim)


def _plain(name: str, unit: str, value: float, floor: float, aim: str = "") -> dict[str, object]:
    return {
        "figure": name,
        "unit": unit,
        "value": round(value, 2),
        "floor": round(floor, 2),
        "ratio": round(value / floor, 2) if floor else None,
        **({"aim": aim} if aim else {}),
    }


def _times(name: str, found: list[float], floor: list[float] | None, aim: str = "") -> dict[str, object]:
    return {
        "figure": name,
        "unit": "ms",
        "runs": len(found),
        "p50": round(median(found), 1),
        "p99": round(quantiles(found, n=100, method="inclusive")[98], 1),
        "max": round(max(found), 1),
        **({"ratio_p50": round(median(found) / median(floor), 2)} if floor else {}),
        **({"aim": aim} if aim else {}),
    }


if __name__ == "__main__":
    for figure in run(*sys.argv[1:]):
        print(json.dumps(figure), flush=True)
