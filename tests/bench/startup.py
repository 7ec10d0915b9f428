"""The smallest questions, `--version` and `--help`, beside a Python that does nothing in the same run."""

import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median

ROUNDS = 20
COMMANDS = {"floor": ["-c", "pass"], "--version": ["-m", "spottui", "--version"], "--help": ["-m", "spottui", "--help"]}


def run() -> Iterator[dict[str, object]]:
    """Start all three in turn; the first round warms the file cache and does not count."""
    took: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS + 1):
        for name, arguments in COMMANDS.items():
            took[name].append(_milliseconds([sys.executable, *arguments]))
    floor = median(took.pop("floor")[1:])
    for name, times in took.items():
        yield {
            "figure": f"spottui {name}",
            "unit": "ms",
            "rounds": ROUNDS,
            "median": round(median(times[1:]), 1),
            "worst": round(max(times[1:]), 1),
            "floor": "python -c pass",
            "floor_median": round(floor, 1),
            "ratio": round(median(times[1:]) / floor, 2),
            "aim": "median <= floor + 80",
        }


def _milliseconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000
