"""The real program as a subprocess against the simulated cloud, for tests, chaos and benchmarks."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from spottui.sim.testing import SimServer

PATIENCE_S = 60.0
LONGEST_PAUSE_S = 0.2


def wait_until(condition: Callable[[], Any], timeout_s: float = PATIENCE_S, every_s: float = 0.02) -> Any:
    """Return the first true value of `condition`; fails when it stays false."""
    end = time.monotonic() + timeout_s
    while True:
        began = time.monotonic()
        value = condition()
        if value:
            return value
        now = time.monotonic()
        if now > end:
            raise AssertionError(f"not within {timeout_s} s: {condition}")
        # What looks at a cloud or a database takes the processor from whom it waits for: a tenth of it at most.
        time.sleep(min(max(every_s, 9 * (now - began)), LONGEST_PAUSE_S))


def clean_environment(state: Path) -> dict[str, str]:
    """Return an environment without proxies and with a state directory of the test's own."""
    kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    return {**kept, "XDG_STATE_HOME": str(state), "PYTHONUNBUFFERED": "1"}


def in_an_interpreter(
    arguments: Sequence[str],
    environment: dict[str, str],
    output: int | IO[Any] = subprocess.PIPE,
    errors: int = subprocess.PIPE,
    program: tuple[str, ...] = ("spottui",),
) -> "subprocess.Popen[str]":
    """Start a program in an interpreter of its own; `output` and `errors` as for `subprocess.Popen`."""
    command = [sys.executable, "-m", *program, *arguments]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, text=True, env=environment)


started: Callable[..., Any] = in_an_interpreter
"""How a console or a command is started: tests fork it (tests/conftest.py), chaos and benchmarks do not."""


def add_policy(config: Path, **policy: object) -> None:
    """Append to the `[policy]` table, which is the last of a written configuration."""
    with config.open("a") as file:
        file.writelines(f"{key} = {value}\n" for key, value in policy.items())


def host_config(cloud_config: Path, directory: Path, address: str, **policy: object) -> Path:
    """Write, for one of several hosts, a configuration as the simulated cloud's, but with a journal at `address`."""
    directory.mkdir()
    for written in cloud_config.parent.glob(f"{cloud_config.stem}-*"):
        shutil.copy2(written, directory)
    config = directory / cloud_config.name
    config.write_text(re.sub("journal = .*", f'journal = "{address}"', cloud_config.read_text()))
    add_policy(config, **policy)
    return config


class Headless:
    """`spottui --headless` in a process of its own; its lines are read as they come."""

    def __init__(self, config: Path, *arguments: str, program: tuple[str, ...] = ("spottui",)) -> None:
        self.lines: list[dict[str, Any]] = []
        self.started = time.time()
        self._process = started(
            ["--headless", "--config", str(config), *arguments],
            clean_environment(config.parent / "state"),
            program=program,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Headless":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()

    def recoveries(self) -> dict[str, dict[str, Any]]:
        """Return the newest line of each recovery, by instance id."""
        return {line["instance_id"]: line for line in list(self.lines) if line["kind"] == "recovery"}

    def states(self) -> dict[str, str]:
        """Return the newest state of each recovery, by instance id."""
        return {instance_id: line["state"] for instance_id, line in self.recoveries().items()}

    def source_error(self, name: str) -> str:
        """Return the newest error of a source, empty when it is well."""
        found = [line for line in list(self.lines) if line["kind"] == "source" and line["name"] == name]
        return (found[-1]["error"] or "") if found else ""

    def wait_ready(self) -> "Headless":
        wait_until(lambda: self._process.poll() is not None or self.lines)
        assert self.lines, f"ended with {self._process.poll()}: {self.stderr()}"
        return self

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to end and return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(20)

    def stderr(self) -> str:
        """Return what it said on stderr; ends the process."""
        if self._process.poll() is None:
            self.kill()
        return self._process.stderr.read() if self._process.stderr else ""

    def _read(self) -> None:
        assert self._process.stdout
        for text in self._process.stdout:
            self.lines.append(json.loads(text))


def effects(cloud: SimServer, action: str, account_id: str = "") -> list[str]:
    """Return what calls of an action made or changed, of one account if given, replays left out."""
    rows = (row for row in cloud.calls(action) if account_id in ("", row["account_id"]))
    return [row["effect"] for row in rows if row["effect"] and not row["effect"].startswith("replayed")]
