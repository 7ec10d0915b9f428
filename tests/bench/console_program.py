"""The console as it is, with one task more on its event loop that notes how late it wakes and what is held.

Run as `spottui` is, with `--config`. Each second FILE of `--lateness` holds the latenesses so far in ms, and that of
`--held` one record for each ten seconds. `--clock URL` takes the time from a simulated cloud, whose clock may be fast.
"""

import argparse
import asyncio
import json
import os
import time
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path

import psutil

from spottui.cli.console import leave
from spottui.config import load, state_dir
from spottui.console.app import SpottuiApp
from spottui.console.widgets.table import DeskTable
from spottui.domain.clock import SystemClock

BEAT_S, POLL_S = 0.01, 10.0


def main() -> None:
    """Start the console with the heartbeat."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--lateness", type=Path)
    parser.add_argument("--held", type=Path)
    parser.add_argument("--clock")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--auto", action="store_true")
    arguments = parser.parse_args()
    clock = CloudClock(arguments.clock, arguments.speed) if arguments.clock else SystemClock()
    settings = load(arguments.config)

    def open_desk():
        from spottui.cli import assembly

        return assembly.open_desk(settings, clock, auto=arguments.auto, read_only=False)

    app = WatchedApp(open_desk, clock=clock, who="bench", title="spottui", keep_in=state_dir() / "console.json")
    app.lateness_file, app.held_file = arguments.lateness, arguments.held
    app.start()
    leave(app.return_code or 0)


class CloudClock:
    """The clock of a simulated cloud that runs at a speed."""

    def __init__(self, url: str, speed: float) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{url}/_sim/state") as answer:
            self._then, self._at, self._speed = json.load(answer)["now"], time.monotonic(), speed

    def now(self) -> datetime:
        """Return the cloud's time."""
        passed_s = (time.monotonic() - self._at) * self._speed
        return datetime.fromisoformat(self._then) + timedelta(seconds=passed_s)


class WatchedApp(SpottuiApp):
    """Writes down what it is asked to."""

    lateness_file: Path | None = None
    held_file: Path | None = None

    def on_mount(self) -> None:
        """Begin, beside what the console itself does then."""
        self.watching = asyncio.gather(
            *([_beat(self.lateness_file)] if self.lateness_file else []),
            *([_hold(self, self.held_file)] if self.held_file else []),
        )


async def _beat(file: Path) -> None:
    late_ms: list[float] = []
    written = time.perf_counter()
    while True:
        before = time.perf_counter()
        await asyncio.sleep(BEAT_S)
        late_ms.append(round((time.perf_counter() - before - BEAT_S) * 1000, 2))
        if time.perf_counter() - written > 1:
            written = time.perf_counter()
            _write(file, late_ms)


async def _hold(app: SpottuiApp, file: Path) -> None:
    began, process = time.monotonic(), psutil.Process()
    records = []
    while True:
        await asyncio.sleep(POLL_S)
        tables = list(app.main.query(DeskTable))
        records.append(
            {
                "at_s": time.monotonic() - began,
                "rss_mb": process.memory_info().rss / 1e6,
                "threads": process.num_threads(),
                "files": process.num_fds(),
                "tasks": len(asyncio.all_tasks()),
                "rows": sum(len(table.model.rows) for table in tables),
                "strips": sum(len(table._strips) for table in tables),
            }
        )
        await asyncio.to_thread(_write, file, records)


def _write(file: Path, told: object) -> None:
    partly = file.with_suffix(".part")
    partly.write_text(json.dumps(told))
    os.replace(partly, file)


if __name__ == "__main__":
    main()
