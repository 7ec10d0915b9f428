"""kill -9: of one of three consoles at random moments, and before and after each commit of each route.

`python -m tests.chaos [-j N] [KILLS] [--zombies N] [--stride N]` prints what was lost or doubled as JSON lines, and
whether each snapshot is the fold of its facts; it exits with 1 when anything was wrong.
"""

import argparse
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

from spottui.config import load
from spottui.journal import Journal
from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until

SET = 10
"""Kills of one set of recoveries."""
CONSOLES = 3
LONGEST_LIFE_S = 1.5
"""A console lives between nothing and this long after it is ready, then it is killed."""
FROZEN_S = 13.0
"""Longer than a console that does not answer keeps what it drives."""
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
    zombies: int = 0
    recoveries: int = 0
    lost: int = 0
    doubled_images: int = 0
    doubled_instances: int = 0
    unlike_their_facts: int = 0
    resume_s: list[float] = field(default_factory=list)
    start_s: float = 0.0
    """What a start took with nothing to resume."""

    @property
    def harm(self) -> int:
        """Whatever must not be."""
        return self.lost + self.doubled_images + self.doubled_instances + self.unlike_their_facts

    def count(self, cloud: SimServer, config: Path, victims: list[str], images: int, launches: int) -> None:
        """Compare what was made, and what the journal says, with what the victims' ways make."""
        journal = _journal(config)
        states = {one.instance_id: one.state.value for one in journal.recoveries.lately()}
        self.recoveries += len(victims)
        self.lost += sum(states.get(one) != "recovered" for one in victims)
        self.doubled_images += max(0, len(effects(cloud, "CreateImage")) - images)
        self.doubled_instances += max(0, len(effects(cloud, "RunInstances")) - launches)
        self.unlike_their_facts += sum(1 for _ in journal.log.unlike_their_facts())
        journal.close()

    def add(self, other: "Toll") -> None:
        """Add the toll of another set."""
        for one in fields(Toll):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def record(self) -> dict[str, object]:
        """Return the toll as a JSON line's content."""
        resumed = sorted(self.resume_s)
        counts = {one.name: getattr(self, one.name) for one in fields(Toll) if not one.name.endswith("_s")}
        return {
            **counts,
            "resume_s_median": round(statistics.median(resumed), 2) if resumed else None,
            "resume_s_p99": round(resumed[int(0.99 * (len(resumed) - 1))], 2) if resumed else None,
            "resume_s_max": round(resumed[-1], 2) if resumed else None,
        }


def kill_while_recovering(config: Path, kills: int, seed: int, *, consoles: int = 1) -> Toll:
    """Interrupt five instances of several ways and kill one of the consoles, chosen at random, `kills` times."""
    moments, toll = random.Random(seed), Toll()
    with SimServer(config=config, seed=seed) as cloud:
        cloud.world(image_base_s=2.0 + kills / 4, image_s_per_gib=0, boot_s=1.5, images_that_fail=seed % 2)
        add_policy(config, **POLICY)
        victims = cloud.spot_ids()[:4] + cloud.spot_ids("Stop")[:1]
        started = time.monotonic()
        living = [Headless(config, "--auto").wait_ready()]
        toll.start_s = time.monotonic() - started
        living += [Headless(config, "--auto").wait_ready() for _ in range(consoles - 1)]
        if seed % 3 == 0:
            _lose_answers(cloud)
        cloud.interrupt(victims, copies=2, notice_s=60)
        for _ in range(kills):
            time.sleep(moments.uniform(0, LONGEST_LIFE_S))
            which = moments.randrange(len(living))
            living[which].kill()
            toll.kills += 1
            living[which] = _restarted(cloud, config, toll)
        _settle(config, victims)
        for console in living:
            console.stop()
        toll.count(cloud, config, victims, images=4 + seed % 2, launches=4)
    return toll


def kill_at_commit(config: Path, way: Way, moment: str, number: int) -> Toll:
    """Kill before or after the `number`-th commit of one recovery; no kill is counted when it has fewer."""
    toll = Toll()
    with SimServer(config=config) as cloud:
        cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5, **way.world)
        add_policy(config, **POLICY)
        rows = cloud.state()["instances"]
        victim = next(row["InstanceId"] for row in rows if row["InstanceName"] == way.instance)
        if number % 2:
            _lose_answers(cloud)
        with Headless(config, "--auto", program=("tests.failpoint", moment, str(number))).wait_ready() as console:
            cloud.interrupt([victim], notice_s=way.notice_s)
            wait_until(lambda: not console.alive or console.states().get(victim) in OVER)
            if console.alive:
                console.stop()
                return toll
        toll.kills += 1
        with _restarted(cloud, config, toll) as console:
            _settle(config, [victim])
            console.stop()
        toll.count(cloud, config, [victim], way.images, way.launches)
    return toll


def freeze_while_recovering(config: Path, seed: int) -> Toll:
    """Stop one of two consoles in the middle of five recoveries, let the other take over, and let it go on."""
    moments, toll = random.Random(seed), Toll()
    with SimServer(config=config, seed=seed) as cloud:
        cloud.world(image_base_s=4.0, image_s_per_gib=0, boot_s=2.0)
        add_policy(config, **POLICY)
        victims = cloud.spot_ids()[:5]
        frozen = Headless(config, "--auto").wait_ready()
        other = Headless(config, "--auto").wait_ready()
        cloud.interrupt(victims, notice_s=120)
        time.sleep(moments.uniform(0, 8))
        os.kill(frozen.pid, signal.SIGSTOP)
        toll.zombies += 1
        time.sleep(moments.uniform(FROZEN_S, FROZEN_S + 4))
        os.kill(frozen.pid, signal.SIGCONT)
        _settle(config, victims)
        for console in (frozen, other):
            console.stop()
        toll.count(cloud, config, victims, images=5, launches=5)
    return toll


def _lose_answers(cloud: SimServer) -> None:
    for action in ("CreateImage", "RunInstances", "ModifyDiskAttribute", "CreateSnapshot"):
        cloud.fault(action, "drop_reply", times=1)


def _settle(config: Path, victims: list[str]) -> None:
    """Wait until every recovery is over; one that is never is counted as lost."""
    try:
        wait_until(partial(_are_over, config, set(victims)), 120, 0.3)
    except AssertionError:
        return


def _are_over(config: Path, victims: set[str]) -> bool:
    journal = _journal(config)
    over = {one.instance_id for one in journal.recoveries.lately() if one.state.is_final}
    journal.close()
    return victims <= over


def _journal(config: Path) -> Journal:
    return Journal(load(config).journal, read_only=True)


def _restarted(cloud: SimServer, config: Path, toll: Toll) -> Headless:
    """Start again and, when something was unfinished, measure the time until its first call is on the wire."""
    before = len(cloud.calls())
    started = time.monotonic()
    console = Headless(config, "--auto").wait_ready()
    unfinished = any(state not in OVER for state in console.states().values())
    if unfinished and wait_until(lambda: _resumed(cloud, before), 30):
        toll.resume_s.append(time.monotonic() - started)
    return console


def _resumed(cloud: SimServer, before: int) -> bool:
    """Whether a recovery has called since: the sources ask for no image, and for no instance or disk by its id."""
    return any(
        row["action"] in ("CreateImage", "DescribeImages", "RunInstances", "ModifyDiskAttribute", "CreateSnapshot")
        or "InstanceIds" in row["params"]
        or "DiskIds" in row["params"]
        for row in cloud.calls()[before:]
    )


def at_random(kills: int, at_once: int) -> Toll:
    """Kill at random moments, ten times per set of five recoveries, every second set with three consoles."""
    toll = Toll()
    sets = [min(SET, kills - done) for done in range(0, kills, SET)]

    def one(numbered: tuple[int, int]) -> Toll:
        seed, times = numbered
        with tempfile.TemporaryDirectory() as directory:
            consoles = CONSOLES if seed % 2 else 1
            return kill_while_recovering(Path(directory) / "c.toml", times, seed, consoles=consoles)

    with ThreadPoolExecutor(at_once) as pool:
        for of_set in pool.map(one, enumerate(sets, 1)):
            toll.add(of_set)
            print(json.dumps({"kills_at": "random", **toll.record()}), flush=True)
    return toll


def at_each_commit(name: str, at_once: int, stride: int) -> Toll:
    """Kill before and after every `stride`-th commit of a recovery until there is none; print the toll."""
    toll, numbers = Toll(), range(1, 10_000, stride)

    def one(moment_and_number: tuple[str, int]) -> Toll:
        with tempfile.TemporaryDirectory() as directory:
            return kill_at_commit(Path(directory) / "c.toml", WAYS[name], *moment_and_number)

    points = ((moment, number) for number in numbers for moment in ("before", "after"))
    with ThreadPoolExecutor(at_once) as pool:
        while True:
            batch = list(pool.map(one, [next(points) for _ in range(max(at_once, 2))]))
            for of_one in batch:
                toll.add(of_one)
            print(json.dumps({"kills_at": f"each commit of {name}", **toll.record()}), flush=True)
            if not all(of_one.kills for of_one in batch):
                return toll


def frozen(zombies: int, at_once: int) -> Toll:
    """Freeze consoles and let them go on; print the toll."""
    toll = Toll()

    def one(seed: int) -> Toll:
        with tempfile.TemporaryDirectory() as directory:
            return freeze_while_recovering(Path(directory) / "c.toml", seed)

    with ThreadPoolExecutor(at_once) as pool:
        for of_one in pool.map(one, range(1, zombies + 1)):
            toll.add(of_one)
            print(json.dumps({"frozen": "one of two", **toll.record()}), flush=True)
    return toll


def tolls(chosen: argparse.Namespace) -> Iterator[Toll]:
    """Kill as asked."""
    if chosen.kills:
        yield at_random(chosen.kills, chosen.at_once)
    if chosen.zombies:
        yield frozen(chosen.zombies, chosen.at_once)
    for name in chosen.commits:
        yield at_each_commit(name, chosen.at_once, chosen.stride)


def main() -> None:
    """Print what the kills cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", nargs="?", type=int, default=1000, help="kills at random moments [1000]")
    parser.add_argument("-j", type=int, default=2, dest="at_once", help="so many runs at once [2]")
    parser.add_argument("--zombies", type=int, default=50, help="consoles that are stopped and go on [50]")
    parser.add_argument("--commits", nargs="*", choices=WAYS, default=list(WAYS), help="ways killed at each commit")
    parser.add_argument("--stride", type=int, default=1, help="every so many commits [1]")
    sys.exit(bool(sum(toll.harm for toll in tolls(parser.parse_args()))))


if __name__ == "__main__":
    main()
