"""From the start of a killed console to the first call of a recovery that it goes on with: with one open, with many."""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from spottui.sim.testing import SimServer
from tests.bench.reaction import seconds
from tests.chaos.toll import is_of_a_recovery
from tests.driving import Headless, add_policy, wait_until

OPEN = {1: ("< 2 s", 5), 1000: ("< 5 s", 3)}
SPARE = 1.45
POLICY = {"veto_window_s": 0, "max_at_once": 10_000, "max_per_hour": 10_000, "other_types": "false", "sweep_s": 600}


def run() -> Iterator[dict[str, object]]:
    """Kill and start again a few times while the images are being made."""
    for number, (aim, times) in OPEN.items():
        with tempfile.TemporaryDirectory() as directory:
            config = Path(directory) / "c.toml"
            with SimServer(config=config, instances=max(24, int(SPARE * number))) as cloud:
                cloud.world(image_base_s=600, image_s_per_gib=0)
                add_policy(config, **POLICY)
                took = _restarts(cloud, config, cloud.spot_ids()[:number], times)
        yield {
            "figure": f"start → first call of a resumed recovery, {number:,} open",
            "unit": "s",
            "runs": times,
            "median": round(median(took), 2),
            "worst": round(max(took), 2),
            "aim": aim,
        }


def _restarts(cloud: SimServer, config: Path, victims: list[str], times: int) -> list[float]:
    with Headless(config, "--auto").wait_ready():
        cloud.interrupt(victims, notice_s=600)
        wait_until(lambda: len(cloud.calls("CreateImage")) >= len(victims), 300, 1)
    took = []
    for _ in range(times):
        before, began = len(cloud.calls()), time.time()
        with Headless(config, "--auto").wait_ready():
            first = wait_until(lambda before=before: _first_call(cloud, before), 60, 0.1)
            took.append(first - began)
    return took


def _first_call(cloud: SimServer, before: int) -> float | None:
    calls = (row for row in cloud.calls()[before:] if is_of_a_recovery(row))
    return next((seconds(row["at"]) for row in calls), None)


if __name__ == "__main__":
    for figure in run():
        print(json.dumps(figure), flush=True)
