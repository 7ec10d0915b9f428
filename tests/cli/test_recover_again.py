"""`recover` on what came to nothing while the reclaim goes on."""

import json
import signal
from pathlib import Path

import pytest

from spottui.sim.testing import SimServer
from tests.cli.running import run_json, start
from tests.driving import Headless, add_policy, effects, wait_until

NO_MONEY = {"code": "InvalidAccountStatus.NotEnoughBalance", "status": 403, "match": {"ClientToken": "*"}}


@pytest.fixture
def victim(live_cloud: SimServer, config: Path) -> str:
    """An instance whose recovery made its image and then had no money to launch."""
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    victim = live_cloud.spot_ids()[0]
    live_cloud.fault("RunInstances", "error", **NO_MONEY)
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([victim])
        wait_until(lambda: console.states().get(victim) == "failed")
        assert console.stop() == 0
    return victim


def test_it_is_tried_again_from_the_image_that_it_made(live_cloud: SimServer, config: Path, victim: str) -> None:
    with start(config, "recover", victim, "--yes") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert len(effects(live_cloud, "CreateImage")) == 1
    assert len(effects(live_cloud, "RunInstances")) == 1


def test_a_chosen_route_is_that_of_another_run_of_the_same_recovery(config: Path, victim: str) -> None:
    with start(config, "recover", victim, "--route", "kept-disk", "--yes", "--json") as process:
        assert process.stdout
        lines = (json.loads(line) for line in iter(process.stdout.readline, "") if line.startswith("{"))
        next(line for line in lines if line.get("route") == "kept-disk")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    (recovery,) = run_json("status", "--config", config)["recoveries"]
    assert (recovery["instance_id"], recovery["route"]) == (victim, "kept-disk")
