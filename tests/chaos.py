"""kill -9 at random moments of recoveries: `python -m tests.chaos [KILLS]` prints what was lost or doubled."""

import json
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until

RECLAIMS = 5
LONGEST_LIFE_S = 2.5
"""A console lives between nothing and this long after it is ready, then it is killed."""


@dataclass
class Toll:
    """What the kills cost."""

    kills: int = 0
    recoveries: int = 0
    lost: int = 0
    doubled_images: int = 0
    doubled_instances: int = 0
    resume_s: list[float] = field(default_factory=list)

    def record(self) -> dict[str, object]:
        resumed = sorted(self.resume_s)
        return {
            "kills": self.kills,
            "recoveries": self.recoveries,
            "lost": self.lost,
            "doubled_images": self.doubled_images,
            "doubled_instances": self.doubled_instances,
            "resume_s_median": round(statistics.median(resumed), 2) if resumed else None,
            "resume_s_max": round(resumed[-1], 2) if resumed else None,
        }


def kill_while_recovering(config: Path, kills: int, seed: int, toll: Toll) -> None:
    """Interrupt five instances and kill the console `kills` times on their way; add to the toll."""
    moments = random.Random(seed)
    with SimServer(config=config) as cloud:
        cloud.world(image_base_s=2.0 + kills / 4, image_s_per_gib=0, boot_s=1.5)
        add_policy(config, veto_window_s=0, max_at_once=50, max_per_hour=1000, lock_poll_s=0.5)
        victims = cloud.spot_ids()[:RECLAIMS]
        console = Headless(config, "--auto").wait_ready()
        cloud.interrupt(victims, copies=2)
        for _ in range(kills):
            time.sleep(moments.uniform(0, LONGEST_LIFE_S))
            console.kill()
            toll.kills += 1
            console = restarted(cloud, config, toll)
        with console:
            wait_until(lambda: set(console.states()) >= set(victims), 30)
            wait_until(lambda: all(console.states().get(one) == "recovered" for one in victims), 120)
            console.stop()
        toll.recoveries += len(victims)
        launched = effects(cloud, "RunInstances")
        imaged = effects(cloud, "CreateImage")
        toll.lost += max(0, len(victims) - len(launched))
        toll.doubled_instances += max(0, len(launched) - len(victims))
        toll.doubled_images += max(0, len(imaged) - len(victims))


def restarted(cloud: SimServer, config: Path, toll: Toll) -> Headless:
    """Start again and, when something was unfinished, measure the time until its first call is on the wire."""
    before = len(cloud.calls())
    started = time.monotonic()
    console = Headless(config, "--auto").wait_ready()
    unfinished = any(state not in ("recovered", "failed", "skipped") for state in console.states().values())
    if unfinished and wait_until(lambda: resumed(cloud, before), 30):
        toll.resume_s.append(time.monotonic() - started)
    return console


def resumed(cloud: SimServer, before: int) -> bool:
    """Whether a recovery has called since: the sources ask for no image and for no instance by its id."""
    return any(
        row["action"] in ("CreateImage", "DescribeImages", "RunInstances", "ModifyDiskAttribute")
        or (row["action"] == "DescribeInstances" and "InstanceIds" in row["params"])
        for row in cloud.calls()[before:]
    )


def main() -> None:
    """Kill as often as asked, ten times per set of five recoveries."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    toll, seed = Toll(), 0
    while toll.kills < wanted:
        seed += 1
        with tempfile.TemporaryDirectory() as directory:
            kill_while_recovering(Path(directory) / "c.toml", min(10, wanted - toll.kills), seed, toll)
        print(json.dumps(toll.record()), flush=True)
    sys.exit(bool(toll.lost or toll.doubled_images or toll.doubled_instances))


if __name__ == "__main__":
    main()
