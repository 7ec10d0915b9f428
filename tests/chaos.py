"""kill -9: at random moments of recoveries, and before each commit of one.

`python -m tests.chaos [-j N] [KILLS]` kills at random and then before every commit of each route; it prints what was
lost or doubled as JSON lines and exits with 1 when anything was.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until

SET = 10
"""Kills of one set of recoveries."""
LONGEST_LIFE_S = 1.5
"""A console lives between nothing and this long after it is ready, then it is killed."""
OVER = ("recovered", "failed", "skipped")
POLICY = {"veto_window_s": 0, "max_at_once": 50, "max_per_hour": 1000, "lock_poll_s": 0.5, "breaker_failures": 1000}


@dataclass(frozen=True)
class Way:
    """A way that a recovery can go: whom it is about, how the world is, and what it makes of each."""

    instance: str
    world: dict[str, Any] = field(default_factory=dict)
    notice_s: float = 300
    images: int = 1
    launches: int = 1


WAYS = {
    "image": Way("web-1"),
    "image-again": Way("web-1", {"images_that_fail": 1}, images=2),
    "launch-again": Way("web-1", {"launches_that_fail": 1, "launch_fails_after_s": 0.2}, launches=2),
    "restart": Way("batch-5", notice_s=4, images=0, launches=0),
    "kept-disk": Way("api-2", {"locked_status": "Stopping"}, notice_s=15),
}


@dataclass
class Toll:
    """What the kills cost."""

    kills: int = 0
    recoveries: int = 0
    lost: int = 0
    doubled_images: int = 0
    doubled_instances: int = 0
    resume_s: list[float] = field(default_factory=list)
    start_s: float = 0.0
    """What a start took with nothing to resume."""

    @property
    def harm(self) -> int:
        """Whatever must not be."""
        return self.lost + self.doubled_images + self.doubled_instances

    def count(self, cloud: SimServer, console: Headless, victims: list[str], images: int, launches: int) -> None:
        """Compare what was made with what the victims' ways make."""
        self.recoveries += len(victims)
        self.lost += sum(console.states().get(one) != "recovered" for one in victims)
        self.doubled_images += max(0, len(effects(cloud, "CreateImage")) - images)
        self.doubled_instances += max(0, len(effects(cloud, "RunInstances")) - launches)

    def add(self, other: "Toll") -> None:
        """Add the toll of another set."""
        self.kills += other.kills
        self.recoveries += other.recoveries
        self.lost += other.lost
        self.doubled_images += other.doubled_images
        self.doubled_instances += other.doubled_instances
        self.resume_s += other.resume_s

    def record(self) -> dict[str, object]:
        """Return the toll as a JSON line's content."""
        resumed = sorted(self.resume_s)
        return {
            "kills": self.kills,
            "recoveries": self.recoveries,
            "lost": self.lost,
            "doubled_images": self.doubled_images,
            "doubled_instances": self.doubled_instances,
            "resume_s_median": round(statistics.median(resumed), 2) if resumed else None,
            "resume_s_p99": round(resumed[int(0.99 * (len(resumed) - 1))], 2) if resumed else None,
            "resume_s_max": round(resumed[-1], 2) if resumed else None,
        }


def kill_while_recovering(config: Path, kills: int, seed: int) -> Toll:
    """Interrupt five instances of several ways and kill the console `kills` times on their way."""
    moments, toll = random.Random(seed), Toll()
    with SimServer(config=config, seed=seed) as cloud:
        cloud.world(image_base_s=2.0 + kills / 4, image_s_per_gib=0, boot_s=1.5, images_that_fail=seed % 2)
        add_policy(config, **POLICY)
        victims = cloud.spot_ids()[:4] + cloud.spot_ids("Stop")[:1]
        started = time.monotonic()
        console = Headless(config, "--auto").wait_ready()
        toll.start_s = time.monotonic() - started
        cloud.interrupt(victims, copies=2, notice_s=25)
        for _ in range(kills):
            time.sleep(moments.uniform(0, LONGEST_LIFE_S))
            console.kill()
            toll.kills += 1
            console = restarted(cloud, config, toll)
        with console:
            settle(console, victims)
            console.stop()
        toll.count(cloud, console, victims, images=4 + seed % 2, launches=4)
    return toll


def kill_before_commit(config: Path, way: Way, number: int) -> Toll:
    """Kill before the `number`-th commit of one recovery; no kill is counted when it has fewer."""
    toll = Toll()
    with SimServer(config=config) as cloud:
        cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5, **way.world)
        add_policy(config, **POLICY)
        rows = cloud.state()["instances"]
        victim = next(row["InstanceId"] for row in rows if row["InstanceName"] == way.instance)
        program = ("tests.failpoint", str(number))
        with Headless(config, "--auto", program=program).wait_ready() as console:
            cloud.interrupt([victim], notice_s=way.notice_s)
            wait_until(lambda: not console.alive or console.states().get(victim) in OVER)
            if console.alive:
                console.stop()
                return toll
        toll.kills += 1
        with restarted(cloud, config, toll) as console:
            settle(console, [victim])
            console.stop()
        toll.count(cloud, console, [victim], way.images, way.launches)
    return toll


def settle(console: Headless, victims: list[str]) -> None:
    """Wait until every recovery is over; one that is never is counted as lost."""
    try:
        wait_until(lambda: set(console.states()) >= set(victims), 30)
        wait_until(lambda: all(console.states().get(one) in OVER for one in victims), 120)
    except AssertionError:
        return


def restarted(cloud: SimServer, config: Path, toll: Toll) -> Headless:
    """Start again and, when something was unfinished, measure the time until its first call is on the wire."""
    before = len(cloud.calls())
    started = time.monotonic()
    console = Headless(config, "--auto").wait_ready()
    unfinished = any(state not in OVER for state in console.states().values())
    if unfinished and wait_until(lambda: resumed(cloud, before), 30):
        toll.resume_s.append(time.monotonic() - started)
    return console


def resumed(cloud: SimServer, before: int) -> bool:
    """Whether a recovery has called since: the sources ask for no image, and for no instance or disk by its id."""
    return any(
        row["action"] in ("CreateImage", "DescribeImages", "RunInstances", "ModifyDiskAttribute", "CreateSnapshot")
        or "InstanceIds" in row["params"]
        or "DiskIds" in row["params"]
        for row in cloud.calls()[before:]
    )


def at_random(kills: int, at_once: int) -> Toll:
    """Kill at random moments, ten times per set of five recoveries; print the toll as it grows."""
    toll = Toll()
    sets = [min(SET, kills - done) for done in range(0, kills, SET)]

    def one(numbered: tuple[int, int]) -> Toll:
        seed, times = numbered
        with tempfile.TemporaryDirectory() as directory:
            return kill_while_recovering(Path(directory) / "c.toml", times, seed)

    with ThreadPoolExecutor(at_once) as pool:
        for of_set in pool.map(one, enumerate(sets, 1)):
            toll.add(of_set)
            print(json.dumps({"kills_at": "random", **toll.record()}), flush=True)
    return toll


def before_each_commit(name: str, at_once: int) -> Toll:
    """Kill before the first, the second, … commit of a recovery until there is none; print the toll."""
    toll, number = Toll(), 1

    def one(which: int) -> Toll:
        with tempfile.TemporaryDirectory() as directory:
            return kill_before_commit(Path(directory) / "c.toml", WAYS[name], which)

    with ThreadPoolExecutor(at_once) as pool:
        while True:
            batch = list(pool.map(one, range(number, number + at_once)))
            number += at_once
            for of_one in batch:
                toll.add(of_one)
            print(json.dumps({"kills_at": f"each commit of {name}", **toll.record()}), flush=True)
            if not all(of_one.kills for of_one in batch):
                break
    return toll


def tolls(chosen: argparse.Namespace) -> Iterator[Toll]:
    """Kill as asked."""
    if chosen.kills:
        yield at_random(chosen.kills, chosen.at_once)
    for name in chosen.commits:
        yield before_each_commit(name, chosen.at_once)


def main() -> None:
    """Print what the kills cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", nargs="?", type=int, default=1000, help="kills at random moments [1000]")
    parser.add_argument("-j", type=int, default=2, dest="at_once", help="so many consoles at once [2]")
    parser.add_argument("--commits", nargs="*", choices=WAYS, default=list(WAYS), help="ways killed at each commit")
    sys.exit(bool(sum(toll.harm for toll in tolls(parser.parse_args()))))


if __name__ == "__main__":
    main()
