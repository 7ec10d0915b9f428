"""From start to the first frame in a real terminal, beside a twelve-line Textual app in the same run."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from spottui.sim.testing import SimServer
from tests.bench.terminal import Terminal

ROUNDS = 11


def run() -> Iterator[dict[str, object]]:
    """Start both in turn; the first round warms the file cache and does not count."""
    floor: list[float] = []
    frame: list[float] = []
    data: list[float] = []
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "c.toml"
        with SimServer(config=config):
            for _ in range(ROUNDS + 1):
                floor.append(_seconds([sys.executable, "-m", "tests.bench.minimal_app"], directory, b"MinimalApp")[0])
                console = [sys.executable, "-m", "spottui", "--config", str(config)]
                first, rows = _seconds(console, directory, b"Instances", b"web-1")
                frame.append(first)
                data.append(rows)
    floor, frame, data = floor[1:], frame[1:], data[1:]
    yield {
        "figure": "first frame",
        "unit": "s",
        "rounds": ROUNDS,
        "median": round(median(frame), 3),
        "worst": round(max(frame), 3),
        "floor_median": round(median(floor), 3),
        "ratio": round(median(frame) / median(floor), 2),
        "aim": "ratio <= 2.0",
    }
    yield {
        "figure": "first data",
        "unit": "s",
        "rounds": ROUNDS,
        "median": round(median(data), 3),
        "worst": round(max(data), 3),
    }


def _seconds(command: list[str], directory: str, *texts: bytes) -> list[float]:
    terminal = Terminal(command, Path(directory) / "state")
    try:
        return [terminal.seconds_until(text) for text in texts]
    finally:
        terminal.close()
