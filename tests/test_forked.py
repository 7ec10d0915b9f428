"""A console that is forked from a process which has imported it is as one that was started: other tests rely on it."""

import importlib.util
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spottui.sim.testing import SimServer
from tests import driving
from tests.driving import Headless, clean_environment, in_an_interpreter
from tests.forked import IMPORTED, Forked, forked


def test_what_is_imported_before_the_fork_is_there() -> None:
    # multiprocessing says nothing of a module that it does not find: each fork would import it.
    assert all(importlib.util.find_spec(name) for name in IMPORTED)


@pytest.mark.parametrize("arguments", [["--version"], ["status"], ["no-such-command"], ["--config", "/none.toml"]])
def test_a_command_says_the_same_and_ends_the_same(tmp_path: Path, arguments: list[str]) -> None:
    assert said_by(forked, tmp_path, arguments) == said_by(in_an_interpreter, tmp_path, arguments)


def said_by(start: Callable[..., Any], directory: Path, arguments: list[str]) -> tuple[str, str, int]:
    with start(arguments, {**clean_environment(directory), "XDG_CONFIG_HOME": str(directory)}) as process:
        return process.stdout.read(), process.stderr.read(), process.wait(60)


def test_a_console_is_the_same_to_the_machine(
    live_cloud: SimServer, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    consoles = [Headless(config).wait_ready()]
    monkeypatch.setattr(driving, "started", in_an_interpreter)
    consoles.append(Headless(config).wait_ready())
    assert [isinstance(console._process, Forked) for console in consoles] == [True, False]
    of_the_forked, of_the_started = map(looks, consoles)
    assert of_the_forked == of_the_started
    assert [console.stop() for console in consoles] == [0, 0]


def looks(console: Headless) -> dict[str, object]:
    """What the machine knows of a process, but for what only an exec gives, as its command line."""
    process = Path(f"/proc/{console.pid}")
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
    masks = {name: status[name] for name in ("Umask", "SigBlk", "SigIgn", "SigCgt", "CapEff")}
    streams = [(process / "fd" / str(number)).readlink().name.split(":")[0] for number in range(3)]
    whereabouts = (process / "cwd").readlink(), os.getsid(console.pid), os.getpgid(console.pid)
    return {**masks, "streams": streams, "whereabouts": whereabouts}


def test_a_signal_is_its_end(live_cloud: SimServer, config: Path) -> None:
    console = Headless(config).wait_ready()
    console.kill()
    assert console._process.wait() == -signal.SIGKILL


def test_an_sdk_that_shall_find_keys_when_it_is_imported_gets_an_interpreter(tmp_path: Path) -> None:
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "a"}
    with forked(["--version"], {**clean_environment(tmp_path), **keys}) as process:
        assert not isinstance(process, Forked)
        assert process.wait(60) == 0
