"""From start to the first frame in a real terminal, beside a twelve-line Textual app in the same run."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from spottui.sim.testing import SimServer
from tests.bench.terminal import Terminal

ROUNDS = 11
MINIMAL = ([sys.executable, "-m", "tests.bench.minimal_app"], [b"MinimalApp"])


def run() -> Iterator[dict[str, object]]:
    """Start both in turn; the first round warms the file cache and does not count."""
    floor: list[float] = []
    frame: list[float] = []
    data: list[float] = []
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "c.toml"
        with SimServer(config=config):
            for _ in range(ROUNDS + 1):
                floor.append(seconds_until(*MINIMAL, Path(directory))[0])
                console = [sys.executable, "-m", "spottui", "--config", str(config)]
                first, rows = seconds_until(console, [b"Instances", b"web-1"], Path(directory))
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
        "aim": "< 0.8 s",
    }


def seconds_until(command: list[str], texts: list[bytes], directory: Path) -> list[float]:
    """Run a command in a terminal and return the seconds until each of the texts stood there."""
    terminal = Terminal(command, directory / "state")
    try:
        return [terminal.seconds_until(text) for text in texts]
    finally:
        terminal.close()
