"""Notice in the queue → protect and CreateImage on the wire, with the console's screen running, beside the bare SDK."""

import base64
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles

from mns.account import Account
from mns.queue import QueueMeta

from spottui.sim.testing import SimServer
from tests.bench.terminal import Terminal
from tests.driving import add_policy, clean_environment, wait_until

RUNS = 200
WARM_UP = 10
PAUSE_S = 0.15


def run() -> Iterator[dict[str, object]]:
    """Send a notice to the console and one to the floor in turn, each for an instance of its own."""
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "c.toml"
        with SimServer(config=config, instances=3 * (RUNS + WARM_UP)) as cloud:
            cloud.world(image_base_s=1, image_s_per_gib=0, boot_s=1)
            add_policy(config, veto_window_s=0, max_at_once=10_000, max_per_hour=10_000, sweep_s=2)
            yield from _measured(cloud, config, Path(directory))


def _measured(cloud: SimServer, config: Path, directory: Path) -> Iterator[dict[str, object]]:
    victims = cloud.spot_ids()[: 2 * (RUNS + WARM_UP)]
    ours, theirs = victims[::2], victims[1::2]
    terminal = Terminal([sys.executable, "-m", "spottui", "--auto", "--config", str(config)], directory / "state")
    floor = start_floor(cloud, directory, 1)
    try:
        # Warm: the fleet is swept and every launch spec captured, as it is minutes after a start.
        wait_until(lambda: len(cloud.calls("DescribeUserData")) >= len(victims), 180)
        sent: dict[str, float] = {}
        for mine, other in zip(ours, theirs, strict=True):
            for instance_id in (mine, other):
                sent[instance_id] = time.time()
                if instance_id == mine:
                    cloud.interrupt([instance_id])
                else:
                    cloud.send(notice(instance_id), queue="floor")
                wait_until(lambda instance_id=instance_id: _imaged(cloud, instance_id), 30, 0.1)
            time.sleep(PAUSE_S)
        yield from _figures(cloud, sent, ours[WARM_UP:], theirs[WARM_UP:])
    finally:
        floor.kill()
        terminal.close()


def start_floor(cloud: SimServer, directory: Path, at_once: int) -> subprocess.Popen[bytes]:
    """Start the bare SDK in a process of its own, with so many calls at once, on a queue of its own."""
    at = cloud.endpoint
    Account(at.url, at.access_key_id, at.access_key_secret).get_queue("floor").create(QueueMeta())
    command = [
        sys.executable,
        "-m",
        "tests.bench.bare_sdk",
        json.dumps(at.as_json()),
        "floor",
        str(directory),
        str(at_once),
    ]
    return subprocess.Popen(command, env=clean_environment(directory / "state"))


def notice(instance_id: str) -> str:
    """Return the body of a message about an instance."""
    event = {
        "name": "Instance:PreemptibleInstanceInterruption",
        "regionId": "cn-hangzhou",
        "content": {"instanceId": instance_id, "action": "delete"},
    }
    return base64.b64encode(json.dumps(event).encode()).decode()


_imaged_at: dict[str, float] = {}


def _imaged(cloud: SimServer, instance_id: str) -> bool:
    for row in cloud.calls("CreateImage")[len(_imaged_at) :]:
        _imaged_at[row["params"]["InstanceId"]] = seconds(row["at"])
    return instance_id in _imaged_at


def _figures(
    cloud: SimServer, sent: dict[str, float], ours: list[str], theirs: list[str]
) -> Iterator[dict[str, object]]:
    disks = {row["InstanceId"]: row["DiskIds"] for row in cloud.state()["instances"]}
    protected = {row["params"]["DiskIds.1"]: seconds(row["at"]) for row in cloud.calls("ModifyDiskAttribute")}
    protect = [_first(protected, disks[one]) - sent[one] for one in ours]
    image = [_imaged_at[one] - sent[one] for one in ours]
    floor = [_imaged_at[one] - sent[one] for one in theirs]
    yield _figure("bare SDK: notice → CreateImage (floor)", floor, floor, "")
    yield _figure("notice → protect", protect, floor, "ratio <= 1.5")
    yield _figure("notice → CreateImage", image, floor, "ratio <= 2.5")


def _first(at: dict[str, float], disk_ids: list[str]) -> float:
    return next(at[disk_id] for disk_id in disk_ids if disk_id in at)


def _figure(name: str, seconds: list[float], floor: list[float], aim: str) -> dict[str, object]:
    return {
        "figure": name,
        "unit": "ms",
        "runs": len(seconds),
        "p50": round(median(seconds) * 1000, 1),
        "p99": round(quantiles(seconds, n=100, method="inclusive")[98] * 1000, 1),
        "ratio_p50": round(median(seconds) / median(floor), 2),
        **({"aim": aim} if aim else {}),
    }


def seconds(at: str) -> float:
    """Return the time of a ledger row in seconds of the epoch."""
    return datetime.fromisoformat(at).timestamp()


if __name__ == "__main__":
    for figure in run():
        print(json.dumps(figure))
