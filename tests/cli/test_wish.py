"""An engineer recovers an instance that nobody reclaims: no notice, no deadline, no yes that is waited for."""

import json
from pathlib import Path

from spottui.sim.testing import SimServer
from tests.cli.running import run, run_json, start
from tests.driving import wait_until


def test_nothing_is_said_of_a_reclaim_that_there_is_not(live_cloud: SimServer, config: Path) -> None:
    live_cloud.world(image_base_s=5)
    healthy = live_cloud.spot_ids()[0]
    with start(config, "recover", healthy, "--yes") as recover:
        wait_until(lambda: live_cloud.calls("CreateImage"))
        found = run_json("status", "--config", config)
        (row,) = [line for line in run("status", "--config", config).output.splitlines() if healthy in line]
        said, _ = recover.communicate(timeout=60)
    assert recover.returncode == 0
    assert (found["reclaiming"], found["recoveries"][0]["deadline"], found["recoveries"][0]["verdict"]) == (
        0,
        None,
        None,
    )
    assert row.startswith("-  ")
    for text in ("notice", "deadline", "WILL", "needs you", "press y", "IMAGE READY"):
        assert text not in said + row
    assert json.dumps(found).count("notice") == 0
