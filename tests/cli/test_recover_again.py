"""`recover` on what came to nothing while the reclaim goes on."""

from pathlib import Path

from spottui.sim.testing import SimServer
from tests.cli.running import start
from tests.driving import Headless, add_policy, effects, wait_until

NO_MONEY = {"code": "InvalidAccountStatus.NotEnoughBalance", "status": 403, "match": {"ClientToken": "*"}}


def test_it_is_tried_again_from_the_image_that_it_made(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    victim = live_cloud.spot_ids()[0]
    live_cloud.fault("RunInstances", "error", **NO_MONEY)
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([victim])
        wait_until(lambda: console.states().get(victim) == "failed")
        assert console.stop() == 0
    with start(config, "recover", victim, "--yes") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert len(effects(live_cloud, "CreateImage")) == 1
    assert len(effects(live_cloud, "RunInstances")) == 1
