"""A simulated cloud in its own process, for a demo or a game day, separate from everything real on this machine."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import click

from spottui.cli.ending import Ending

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_PATIENCE_S = 1.0


@contextmanager
def simulated_cloud(directory: Path, scenario: str, ending: Ending) -> Iterator[Path]:
    """Run `spottui sim` in a process of its own and give the configuration that it writes."""
    config, said = directory / "demo.toml", directory / "sim.log"
    command = [sys.executable, "-m", "spottui", "sim", "--scenario", scenario, "--write-config", str(config)]
    with (
        said.open("w", encoding="utf-8") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, start_new_session=True) as process,
    ):
        ending.owns(process.kill)
        try:
            ready = process.stdout.readline() if process.stdout else b""
            if not ready:
                raise click.ClickException(
                    f"the simulated cloud did not start. {said.read_text(encoding='utf-8', errors='replace')}".strip()
                )
            json.loads(ready)
            yield config
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def use_private_state(directory: Path) -> None:
    """Keep journal and log apart from the real ones, and the SDK from using a proxy."""
    os.environ["XDG_STATE_HOME"] = str(directory / "state")
    for name in PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)


@contextmanager
def own_directory(name: str, ending: Ending) -> Iterator[Path]:
    """Provide a directory while the command runs, or until the process gives up."""
    directory = Path(tempfile.mkdtemp(prefix=f"spottui-{name}-"))
    ending.owns(partial(_remove, directory))
    try:
        yield directory
    finally:
        _remove(directory)


def _remove(directory: Path) -> None:
    """Rename it first, so that threads that still run cannot write there."""
    gone = directory.with_name(f"{directory.name}.gone")
    with suppress(OSError):
        directory.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
