"""What chaos costs: recoveries lost, images and instances doubled, snapshots unlike their facts, time to resume."""

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

from spottui.config import load
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal
from spottui.sim.testing import SimServer
from tests.driving import Headless, effects, wait_until

POLICY = {"veto_window_s": 0, "max_at_once": 50, "max_per_hour": 1000, "lock_poll_s": 0.5, "breaker_failures": 1000}
LOST = (
    "CreateImage", "RunInstances", "ModifyDiskAttribute", "CreateSnapshot", "CreateSnapshotGroup", "RunCommand",
    "SetBackendServers", "AddBackendServers", "UpdateServerGroupServersAttribute", "AddServersToServerGroup",
    "RemoveServersFromServerGroup", "UpdateZoneRecord", "DetachNetworkInterface", "AttachNetworkInterface",
    "AssignPrivateIpAddresses", "AssociateEipAddress",
)  # fmt: skip
OTHER = "prod"
"""The name of the second account, where there is one."""
SETTLED_WITHIN_S = 120
RESUMED_WITHIN_S = 30


@dataclass
class Toll:
    """What was done to the consoles, and what it cost."""

    kills: int = 0
    zombies: int = 0
    cuts: int = 0
    crashes: int = 0
    recoveries: int = 0
    lost: int = 0
    doubled_images: int = 0
    doubled_instances: int = 0
    doubled_hooks: int = 0
    unlike_their_facts: int = 0
    left_at_zero: int = 0
    """Servers that run and get no requests from a load balancer, and entries that are dead."""
    left_behind: int = 0
    """Interfaces that no running instance has, DNS records that name none, and private IPs that were to be kept."""
    resume_s: list[float] = field(default_factory=list)
    start_s: float = 0.0
    """What a start took with nothing to resume."""

    @property
    def harm(self) -> int:
        """Whatever must not be."""
        doubled = self.doubled_images + self.doubled_instances + self.doubled_hooks
        return self.lost + doubled + self.unlike_their_facts + self.left_at_zero + self.left_behind

    def count(self, cloud: SimServer, config: Path, victims: Iterable[str], images: int, launches: int) -> None:
        """Compare what was made in each account, and what the journal says, with what the victims' ways make there."""
        ends, victims = states(config), tuple(victims)
        with _journal(config) as journal:
            self.unlike_their_facts += sum(1 for _ in journal.log.unlike_their_facts())
        state = cloud.state()
        up = {row["InstanceId"] for row in state["instances"] if row["Status"] == "Running"}
        entries = [one for group in state["server_groups"] for one in group["Servers"]]
        self.left_at_zero += sum(not one["Weight"] or one["ServerId"] not in up for one in entries)
        addresses = {row["PrivateIpAddress"] for row in state["instances"]}
        self.left_behind += sum(one["InstanceId"] not in up for one in (*state["network_interfaces"], *state["eips"]))
        self.left_behind += sum(one["Value"] not in addresses for zone in state["dns_zones"] for one in zone["Records"])
        self.recoveries += len(victims)
        self.lost += sum(ends.get(victim) is not RecoveryState.RECOVERED for victim in victims)
        for account in accounts(cloud):
            self.doubled_images += max(0, len(effects(cloud, "CreateImage", account)) - images)
            self.doubled_instances += max(0, len(effects(cloud, "RunInstances", account)) - launches)
        lines = told(config).read_text().splitlines() if told(config).exists() else []
        self.doubled_hooks += len(lines) - len(set(lines))

    def add(self, other: "Toll") -> None:
        """Add the toll of another set."""
        for each in fields(Toll):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def record(self) -> dict[str, object]:
        """Return the toll as a JSON line's content."""
        resumed = sorted(self.resume_s)
        counts = {each.name: getattr(self, each.name) for each in fields(Toll) if not each.name.endswith("_s")}
        return {
            **counts,
            "resume_s_median": round(statistics.median(resumed), 2) if resumed else None,
            "resume_s_p99": round(resumed[int(0.99 * (len(resumed) - 1))], 2) if resumed else None,
            "resume_s_max": round(resumed[-1], 2) if resumed else None,
        }


def told(config: Path) -> Path:
    """The file in which hooks say that they ran, a line for each."""
    return config.parent / "told"


def accounts(cloud: SimServer) -> tuple[str, ...]:
    """The ids of the accounts of a cloud."""
    return (cloud.endpoint.account_id, *cloud.endpoint.accounts.values())


def lose_answers(cloud: SimServer) -> None:
    """Lose the next answer to each call that makes or changes something."""
    for action in LOST:
        cloud.fault(action, "drop_reply", times=1)


def restarted(cloud: SimServer, config: Path, toll: Toll) -> Headless:
    """Start again and, when something was unfinished, measure the time until its first call is on the wire."""
    before = len(cloud.calls())
    # Asked of the journal: what a console has printed when it is ready depends on how fast the machine is.
    unfinished = any(not state.is_final for state in states(config).values())
    started = time.monotonic()
    console = Headless(config, "--auto").wait_ready()
    if unfinished and wait_until(lambda: _resumed(cloud, before), RESUMED_WITHIN_S):
        toll.resume_s.append(time.monotonic() - started)
    return console


def settle(config: Path, victims: Iterable[str]) -> None:
    """Wait until every recovery is over; one that is never is counted as lost."""
    try:
        wait_until(partial(_are_over, config, set(victims)), SETTLED_WITHIN_S, 0.3)
    except AssertionError:
        return


def states(config: Path) -> dict[str, RecoveryState]:
    """Return the state of each instance's latest recovery, by the journal."""
    with _journal(config) as journal:
        return {each.instance_id: each.state for each in journal.recoveries.all()}


def _are_over(config: Path, victims: set[str]) -> bool:
    return victims <= {instance for instance, state in states(config).items() if state.is_final}


def _journal(config: Path) -> Journal:
    return Journal(load(config).journal, read_only=True)


def _resumed(cloud: SimServer, before: int) -> bool:
    return any(is_of_a_recovery(row) for row in cloud.calls()[before:])


def is_of_a_recovery(row: dict[str, Any]) -> bool:
    """Whether a recovery made this call: the sources ask for no image, and for no instance or disk by its id."""
    return (
        row["action"] in ("CreateImage", "DescribeImages", "RunInstances", "ModifyDiskAttribute", "CreateSnapshot")
        or "InstanceIds" in row["params"]
        or "DiskIds" in row["params"]
    )
