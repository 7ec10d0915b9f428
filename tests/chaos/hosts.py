"""kill -9, SIGSTOP, cut connections and crashes of the database, for three hosts that share a PostgreSQL journal."""

import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from spottui.sim.testing import SimServer
from tests.chaos.toll import POLICY, Toll, lose_answers, restarted, settle
from tests.driving import Headless, host_config
from tests.journal.postgres_server import PostgresServer
from tests.journal.tcp_proxy import TcpProxy

HOSTS = 3
LONGEST_PAUSE_S = 1.5
FROZEN_S = 8.0
"""Longer than a host that does not answer keeps what it drives."""
AWAY_S = 3.0
"""So long is a database at most away after a crash."""


@dataclass
class _Host:
    """One host: its configuration, its own way to the database, its console, and since when that is stopped."""

    config: Path
    proxy: TcpProxy
    console: Headless
    frozen_at: float = 0.0


def harass(directory: Path, deeds: list[str], seed: int) -> Toll:
    """Interrupt five instances, and do one deed after the other to the hosts: kill, freeze, cut or crash."""
    moments, toll, server = random.Random(seed), Toll(), PostgresServer()
    try:
        with SimServer(config=directory / "c.toml", seed=seed) as cloud:
            cloud.world(image_base_s=2.0 + len(deeds), image_s_per_gib=0, boot_s=1.5, images_that_fail=seed % 2)
            victims = cloud.spot_ids()[:4] + cloud.spot_ids("Stop")[:1]
            hosts = [_host(directory, number, server) for number in range(HOSTS)]
            if seed % 3 == 0:
                lose_answers(cloud)
            cloud.interrupt(victims, copies=2, notice_s=60)
            for deed in deeds:
                time.sleep(moments.uniform(0, LONGEST_PAUSE_S))
                _do(deed, moments.choice(hosts), server, cloud, toll, moments)
                _thaw(hosts)
            _thaw(hosts, all_of_them=True)
            settle(hosts[0].config, victims)
            for host in hosts:
                host.console.stop()
            toll.count(cloud, hosts[0].config, victims, images=4 + seed % 2, launches=4)
    finally:
        server.close()
    return toll


def _host(directory: Path, number: int, server: PostgresServer) -> _Host:
    proxy = TcpProxy(server.port)
    address = server.address("postgres", proxy.port)
    config = host_config(directory / "c.toml", directory / f"host-{number}", address, **POLICY)
    return _Host(config, proxy, Headless(config, "--auto").wait_ready())


def _do(deed: str, host: _Host, server: PostgresServer, cloud: SimServer, toll: Toll, moments: random.Random) -> None:
    match deed:
        case "kill":
            host.console.kill()
            host.frozen_at = 0.0
            toll.kills += 1
            host.console = restarted(cloud, host.config, toll)
        case "freeze":
            os.kill(host.console.pid, signal.SIGSTOP)
            host.frozen_at = host.frozen_at or time.monotonic()
            toll.zombies += 1
        case "cut":
            host.proxy.cut()
            toll.cuts += 1
        case "crash":
            server.stop("immediate")
            time.sleep(moments.uniform(0, AWAY_S))
            server.start()
            toll.crashes += 1


def _thaw(hosts: list[_Host], *, all_of_them: bool = False) -> None:
    """Let the consoles go on that were stopped for long enough."""
    for host in hosts:
        left = host.frozen_at + FROZEN_S - time.monotonic()
        if host.frozen_at and (all_of_them or left <= 0):
            time.sleep(max(0.0, left))
            os.kill(host.console.pid, signal.SIGCONT)
            host.frozen_at = 0.0
