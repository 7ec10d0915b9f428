"""Image Available → RunInstances on the wire: the machine is down while nobody looks."""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from spottui.sim.testing import SimServer
from tests.bench.reaction import seconds
from tests.driving import Headless, add_policy, wait_until

RUNS = 20
IMAGE_S = 20.0
APART_S = 1.3
"""So that each image ends at another moment between two looks."""
POLICY = {"veto_window_s": 0, "max_at_once": 10_000, "max_per_hour": 10_000}


def run() -> Iterator[dict[str, object]]:
    """Interrupt instances one after the other, each with an image of twenty seconds."""
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "c.toml"
        with SimServer(config=config, instances=2 * RUNS) as cloud:
            cloud.world(image_base_s=IMAGE_S, image_s_per_gib=0, boot_s=1)
            add_policy(config, **POLICY)
            with Headless(config, "--auto").wait_ready() as console:
                yield _measured(cloud, console)


def _measured(cloud: SimServer, console: Headless) -> dict[str, object]:
    victims = cloud.spot_ids()[:RUNS]
    for one in victims:
        cloud.interrupt([one])
        time.sleep(APART_S)
    wait_until(lambda: all(console.states().get(one) == "recovered" for one in victims), 120, 0.5)
    images = {row["effect"].removeprefix("created "): seconds(row["at"]) for row in _made(cloud, "CreateImage")}
    late = [seconds(row["at"]) - images[row["params"]["ImageId"]] - IMAGE_S for row in _made(cloud, "RunInstances")]
    return {
        "figure": "image Available → RunInstances on the wire",
        "unit": "s",
        "runs": len(late),
        "p50": round(median(late), 2),
        "p99": round(quantiles(late, n=100, method="inclusive")[98], 2),
        "floor": 0.5,
        "ratio_p50": round(median(late) / 0.5, 2),
        "floor_is": "half the second between two looks",
        "aim": "< 2 s",
    }


def _made(cloud: SimServer, action: str) -> list[dict[str, Any]]:
    return [row for row in cloud.calls(action) if (row["effect"] or "").startswith("created ")]


if __name__ == "__main__":
    for figure in run():
        print(json.dumps(figure))
