"""A fleet that is kept ready for a week of the simulated cloud: what was made, what is left, and what it cost."""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spottui.domain.settings import ReadySettings
from tests.recovery.calm_fleet import PRICE, REGION, calm

INSTANCES = 100
HOURS = 7 * 24
ROUND_MIN = 5
KEPT = ReadySettings({"app": ""}, image_every="6h", keep=2, snapshots_every="1h")


def run() -> Iterator[dict[str, Any]]:
    """Let two consoles that are restarted at random keep the fleet ready; count on the cloud's side."""
    dice, began = random.Random(7), time.monotonic()
    with tempfile.TemporaryDirectory() as directory, calm(Path(directory), KEPT, INSTANCES) as site:
        consoles = [site.console(), site.console()]
        gib = 0.0
        for hour in range(HOURS):
            if dice.random() < 0.2:
                consoles[dice.randrange(2)] = site.console()
            if failed := site.rounds(*consoles, minutes=60, every=ROUND_MIN):
                raise failed[0]
            if hour >= 12:
                sizes = {row["DiskId"]: row["Size"] for row in site.cloud.state()["disks"]}
                gib += sum(sizes[row["SourceDiskId"]] for row in site.there("snapshots")) / (HOURS - 12)
        names = Counter(row["ImageName"] for row in site.there("images"))
        predicted = sum(ready.per_month or 0.0 for ready in site.kept())
        with_data = sum(bool(ready.spec.data_disks) for ready in site.kept())
        yield {
            "figure": "ready",
            "instances": len(site.kept()),
            "with_data_disks": with_data,
            "hours": HOURS,
            "images_made": len(site.made("CreateImage")),
            "images_expected": [len(site.kept()) * HOURS // 6, len(site.kept()) * (HOURS // 6 + 1)],
            "groups_made": len(site.made("CreateSnapshotGroup")),
            "groups_expected": [with_data * HOURS, with_data * (HOURS + 1)],
            "images_left_of_an_instance": dict(Counter(Counter(_owner(name) for name in names).values())),
            "doubled": sum(count > 1 for count in names.values()),
            "cost_predicted": round(predicted, 2),
            "cost_seen": round(gib * PRICE, 2),
            "calls": len(site.cloud.calls()),
            "region": REGION,
            "took_s": round(time.monotonic() - began, 1),
        }


def _owner(name: str) -> str:
    return name.removeprefix("spottui-ready-").rpartition("-")[0]
