"""Terminal consoles that people like, beside ours: first frame, memory and idle CPU, all in the same run.

`make peers` installs them from PyPI into environments of their own; one that is not there is left out. Ours has
24 instances and nothing to do; each peer its own empty start.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.console import Program, console_running
from tests.bench.first_frame import MINIMAL, seconds_until

ROUNDS, SETTLED_S, IDLE_S = 5, 10, 30
PEERS = {
    "toolong": (["tl", "{log}"], b"of the log"),
    "harlequin": (["harlequin"], b"Query"),
    "posting": (["posting"], b"Collection"),
}
"""The command of each, and a text of its first frame."""


def run(*names: str) -> Iterator[dict[str, object]]:
    """Measure ours and every peer that is installed, or those that are named."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        where = Path(directory)
        peers = {name: found for name, found in _installed(where).items() if name in names or not names}
        with console_running(where, 24) as (ours, _):
            yield _told("spottui", *_resting(ours))
            ours.close()
            command = [sys.executable, "-m", "spottui", "--config", str(next(where.glob("*.toml")))]
            yield from _first_frames({"spottui": (command, b"Instances"), **peers}, where)
        for name, (command, text) in peers.items():
            peer = Program(command, where, text.decode())
            yield _told(name, *_resting(peer))
            peer.close()


def _installed(where: Path) -> dict[str, tuple[list[str], bytes]]:
    log = where / "a.log"
    log.write_text("".join(f"line {n} of the log\n" for n in range(10_000)))
    home = Path(os.environ.get("PEERS", ".venv-peers"))
    return {
        name: ([str(home / name / "bin" / program), *(one.format(log=log) for one in arguments)], text)
        for name, ((program, *arguments), text) in PEERS.items()
        if (home / name / "bin" / program).exists()
    }


def _first_frames(commands: dict[str, tuple[list[str], bytes]], where: Path) -> Iterator[dict[str, object]]:
    """Start all in turn, the twelve-line app first; the first round warms the file cache and does not count."""
    took: dict[str, list[float]] = {"floor": [], **{name: [] for name in commands}}
    for _ in range(ROUNDS + 1):
        took["floor"].append(seconds_until(*MINIMAL, where)[0])
        for name, (command, text) in commands.items():
            took[name].append(seconds_until(command, [text], where)[0])
    floor = median(took.pop("floor")[1:])
    for name, times in took.items():
        yield {
            "figure": f"first frame: {name}",
            "unit": "s",
            "rounds": ROUNDS,
            "median": round(median(times[1:]), 3),
            "floor_median": round(floor, 3),
            "ratio": round(median(times[1:]) / floor, 2),
        }


def _resting(program: Program) -> tuple[float, float, float]:
    program.rest(SETTLED_S)
    return program.rest(IDLE_S)


def _told(name: str, cpu: float, written: float, rss: float) -> dict[str, object]:
    return {
        "figure": f"idle: {name}",
        "cpu_percent": round(cpu, 2),
        "bytes_per_s": round(written),
        "rss_mb": round(rss, 1),
    }


if __name__ == "__main__":
    for figure in run(*sys.argv[1:]):
        print(json.dumps(figure), flush=True)
