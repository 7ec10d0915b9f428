"""A simulated cloud in a process of its own, for a demo or a game-day, apart from everything real on this machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@contextmanager
def simulated_cloud(directory: Path, scenario: str) -> Iterator[Path]:
    """Run `spottui sim` in a process of its own and give the configuration that it writes."""
    config = directory / "demo.toml"
    command = [sys.executable, "-m", "spottui", "sim", "--scenario", scenario, "--write-config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            ready = process.stdout.readline() if process.stdout else ""
            if not ready:
                raise click.ClickException("the simulated cloud did not start; see the lines above")
            json.loads(ready)
            yield config
        finally:
            process.terminate()


def use_private_state(directory: Path) -> None:
    """Keep this journal and log away from the real ones, and the SDK from a proxy that it would use here too."""
    os.environ["XDG_STATE_HOME"] = str(directory / "state")
    for name in PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)


def end_with_the_terminal() -> None:
    """A terminal that is closed ends the simulated cloud too."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(1)
