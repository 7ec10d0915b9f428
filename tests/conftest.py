"""The simulated cloud for tests of the whole line."""

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from spottui.cli.memory import collect_in_small_steps
from spottui.sim.testing import SimServer
from tests import driving
from tests.compiled_once import compile_once
from tests.forked import forked, get_ready

# On a machine that is shared, how long an example takes says nothing about us. What CI says is about the change, so
# its examples are always the same; new ones are found by whoever runs the tests by hand.
settings.register_profile(
    "shared machine", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")


# As when spottui starts: imports and collected tests are no garbage.
gc.set_threshold(50_000)


def pytest_collection_finish() -> None:
    """Let the collector skip what was imported and collected, which stays, and look as seldom as in a console."""
    collect_in_small_steps()


def pytest_unconfigure() -> None:
    """Let nobody look for garbage in a process that ends: pytest and the interpreter do, seven times, for seconds."""
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _programs_are_forked() -> None:
    get_ready()
    driving.started = forked


@pytest.fixture(autouse=True, scope="session")
def _statements_are_compiled_once() -> None:
    compile_once()


@pytest.fixture(autouse=True, scope="session")
def _only_the_simulated_cloud_is_trusted() -> None:
    """Each client of an SDK reads all the certificates of the machine, also for HTTP: 80 ms of the processor."""
    os.environ["SSL_CERT_FILE"] = os.devnull


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("HTTP", "HTTPS", "ALL"):
        monkeypatch.delenv(f"{scheme}_PROXY", raising=False)
        monkeypatch.delenv(f"{scheme.lower()}_proxy", raising=False)


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """A command that ran in this process has the log of all that follows go to its file: not in the next test."""
    loggers = [logging.getLogger(name) for name in ("spottui", "asyncio", "py.warnings")]
    before = [(logger.propagate, logger.handlers[:]) for logger in loggers]
    yield
    for logger, (propagates, handlers) in zip(loggers, before, strict=True):
        logger.propagate, logger.handlers[:] = propagates, handlers


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where the simulated cloud writes the configuration that a console reads."""
    return tmp_path / "c.toml"


@pytest.fixture
def live_cloud(config: Path) -> Iterator[SimServer]:
    """A cloud whose images and boots take half a second."""
    with SimServer(config=config) as cloud:
        cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5)
        yield cloud
