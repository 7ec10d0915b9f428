"""A simulated cloud in a process of its own, for a demo or a game-day, apart from everything real on this machine."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import click

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_PATIENCE_S = 2.0


@contextmanager
def simulated_cloud(directory: Path, scenario: str) -> Iterator[Path]:
    """Run `spottui sim` in a process of its own and give the configuration that it writes."""
    config = directory / "demo.toml"
    command = [sys.executable, "-m", "spottui", "sim", "--scenario", scenario, "--write-config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            ready = process.stdout.readline() if process.stdout else b""
            if not ready:
                raise click.ClickException("the simulated cloud did not start; see the lines above")
            json.loads(ready)
            yield config
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def use_private_state(directory: Path) -> None:
    """Keep this journal and log away from the real ones, and the SDK from a proxy that it would use here too."""
    os.environ["XDG_STATE_HOME"] = str(directory / "state")
    for name in PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)


@contextmanager
def own_directory(name: str) -> Iterator[tuple[Path, ExitStack]]:
    """Give a directory for as long as the command runs, and what else is to be closed before it goes.

    A closed terminal or SIGTERM closes all of it at once, whatever a thread hangs in; so does `give_up`.
    """
    with ExitStack() as own:
        directory = tempfile.TemporaryDirectory(prefix=f"spottui-{name}-", ignore_cleanup_errors=True)
        own.callback(directory.cleanup)
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, lambda *_: give_up(own))
        yield Path(directory.name), own


def give_up(own: ExitStack) -> NoReturn:
    """Close what is the command's own and end the process, from whichever thread."""
    own.close()
    os._exit(1)
