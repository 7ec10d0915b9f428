"""A day in 24 minutes: clouds and console at 60 times the speed, with a reclaim in each minute of them.

`python -m tests.bench.soak [HOURS]`. What the console holds is compared hour by hour, from the fourth on: until then
the newest recoveries and events that it shows are not as many as it ever shows. What recoveries leave in the cloud is
deleted after an hour, as the janitor does when it has expired: else it would be the cloud that grows.
"""

import json
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from spottui.cloud.ecs import OUR_TAG
from spottui.sim.testing import SimServer
from tests.bench.console import console_running, directory
from tests.sim.calls import Api

HOURS, SPEED, FILLED_HOURS = 24.0, 60, 4
HELD = ("rss_mb", "threads", "tasks", "files", "rows", "strips")
POLICY = {
    "lock_poll_s": 0.5,
    "sweep_s": 5,
    "long_poll_s": 2,
    "veto_window_s": 0,
    "max_at_once": 50,
    "max_per_hour": 500,
}


def run(hours: float = HOURS) -> Iterator[dict[str, object]]:
    """Let the hours pass and compare the medians of what was held in the first and the last of those that count."""
    with directory() as where:
        file = where / "held.json"
        command = [sys.executable, "-m", "tests.bench.console_program", "--held", str(file), "--auto"]
        with console_running(where, 200, command=command, speed=SPEED, **POLICY) as (_, cloud):
            began, asked, cleaned = time.monotonic(), set(), 0
            while (passed_s := (time.monotonic() - began) * SPEED) < hours * 3600:
                if passed_s >= len(asked) * 60:
                    asked.add(next_id := next(one for one in cloud.spot_ids() if one not in asked))
                    cloud.interrupt([next_id], notice_s=1800)
                if passed_s >= (cleaned + 1) * 3600:
                    cleaned += 1
                    _clean_up(cloud)
                time.sleep(0.1)
            held = json.loads(file.read_text())
            running = len([row for row in cloud.state()["instances"] if row["Status"] == "Running"])
            launched = sum(bool(row["effect"]) for row in cloud.calls("RunInstances"))
    by_hour = [[one for one in held if int(one["at_s"] * SPEED // 3600) == hour] for hour in range(int(hours))]
    first, last = by_hour[min(FILLED_HOURS, int(hours)) - 1], by_hour[-1]
    for name in HELD:
        before, after = median(one[name] for one in first), median(one[name] for one in last)
        yield {
            "figure": f"{hours:g} simulated hours: {name}",
            "hours": [round(median(one[name] for one in hour), 1) for hour in by_hour if hour],
            "growth": round(after / before - 1, 3) if before else 0.0,
            "aim": "growth <= 0.05" if name == "rss_mb" else "no growth",
            "reclaims": len(asked),
            "launched": launched,
            "running": running,
        }


def _clean_up(cloud: SimServer) -> None:
    """Delete images of recoveries that are older than an hour, and their snapshots."""
    api, state = Api(cloud), cloud.state()
    before = datetime.fromisoformat(state["now"]) - timedelta(hours=1)
    for image in state["images"]:
        if OUR_TAG in image["Tags"] and datetime.fromisoformat(image["CreationTime"]) < before:
            api("DeleteImage", ImageId=image["ImageId"], Force="true")
            for snapshot_id in image["SnapshotIds"]:
                api("DeleteSnapshot", SnapshotId=snapshot_id)


if __name__ == "__main__":
    for figure in run(*(float(one) for one in sys.argv[1:])):
        print(json.dumps(figure), flush=True)
