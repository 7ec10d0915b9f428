"""kill -9 and SIGSTOP of the consoles of one host, which share a journal of SQLite."""

import os
import random
import signal
import time
from pathlib import Path

from spottui.sim.testing import SimServer
from tests.chaos.toll import OTHER, POLICY, Toll, accounts, lose_answers, restarted, settle
from tests.driving import Headless, add_policy

LONGEST_LIFE_S = 1.5
"""A console lives between nothing and this long after it is ready, then it is killed."""
FROZEN_S = 13.0
"""Longer than a console that does not answer keeps what it drives."""


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
            lose_answers(cloud)
        # The instance in Stop mode is started again at its release: not before the last kill, and no longer after it.
        cloud.interrupt(victims, copies=2, notice_s=10 + 2 * kills)
        _kill_some(cloud, config, living, kills, moments, toll)
        settle(config, victims)
        for console in living:
            console.stop()
        toll.count(cloud, config, victims, images=4 + seed % 2, launches=4)
    return toll


def kill_over_two_accounts(config: Path, kills: int, seed: int, *, consoles: int) -> Toll:
    """Interrupt three instances in each of two accounts and kill one of the consoles that watch both, `kills` times."""
    moments, toll = random.Random(seed), Toll()
    with SimServer(config=config, seed=seed, accounts=(OTHER,)) as cloud:
        cloud.world(image_base_s=2.0 + kills / 4, image_s_per_gib=0, boot_s=1.5)
        add_policy(config, **POLICY)
        living = [Headless(config, "--auto").wait_ready() for _ in range(consoles)]
        if seed % 3 == 0:
            lose_answers(cloud)
        victims = []
        for account in accounts(cloud):
            reclaimed = cloud.spot_ids(account_id=account)[:2] + cloud.spot_ids("Stop", account)[:1]
            cloud.interrupt(reclaimed, copies=2, notice_s=10 + 2 * kills, account_id=account)
            victims += reclaimed
        _kill_some(cloud, config, living, kills, moments, toll)
        settle(config, victims)
        for console in living:
            console.stop()
        toll.count(cloud, config, victims, images=2, launches=2)
    return toll


def _kill_some(
    cloud: SimServer, config: Path, living: list[Headless], kills: int, moments: random.Random, toll: Toll
) -> None:
    """Kill one of the consoles at a random moment and start another in its place, `kills` times."""
    for _ in range(kills):
        time.sleep(moments.uniform(0, LONGEST_LIFE_S))
        which = moments.randrange(len(living))
        living[which].kill()
        toll.kills += 1
        living[which] = restarted(cloud, config, toll)


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
        settle(config, victims)
        for console in (frozen, other):
            console.stop()
        toll.count(cloud, config, victims, images=5, launches=5)
    return toll
