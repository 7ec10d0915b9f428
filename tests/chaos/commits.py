"""kill -9 before and after each commit of a recovery, for each way that a recovery can go."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spottui.domain.recovery import RecoveryState
from spottui.sim.testing import SimServer
from tests.chaos.toll import OTHER, POLICY, Toll, accounts, lose_answers, restarted, settle, states, told
from tests.driving import Headless, add_policy, clean_environment, wait_until
from tests.recovery.calm import allow_older_system, make_system_image
from tests.sim.calls import Api

Before = Callable[[SimServer, Path, str], str]


@dataclass(frozen=True)
class Way:
    """A way that a recovery can go: whom it is about, how the world is, and what all of it makes.

    `before` is what happens first; it returns whom the way is about then. `command` are the options of a person's
    `recover` where that is what is killed, not what a notice begins; `keeps_address` where the replacement is to have
    the old private IP, `keeps_public_ip` where it is to have the old public one. With `other_account` the instance of
    that name in a second account is reclaimed at the same time, and images and launches are those of each account.
    Where the old instance `is_deleted`, the person gives the command once more at the end: only that may delete it.
    """

    instance: str
    world: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, object] = field(default_factory=dict)
    before: Before | None = None
    command: tuple[str, ...] = ()
    notice_s: float = 300
    images: int = 1
    launches: int = 1
    keeps_address: bool = False
    keeps_public_ip: bool = False
    other_account: bool = False
    is_deleted: bool = False


def kill_at_commit(config: Path, way: Way, moment: str, number: int) -> Toll:
    """Kill before or after the `number`-th commit of one recovery; no kill is counted when it has fewer."""
    toll = Toll()
    with SimServer(config=config, accounts=(OTHER,) if way.other_account else ()) as cloud:
        cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5)
        add_policy(config, **POLICY, **way.policy)
        victim = _named(cloud, way.instance)
        if way.before:
            victim = way.before(cloud, config, victim)
        victims = {account: _named(cloud, way.instance, account) for account in accounts(cloud)}
        victims[cloud.endpoint.account_id] = victim
        cloud.world(**way.world)
        if number % 2:
            lose_answers(cloud)
        address = _addresses(cloud)[victim]
        failpoint = ("tests.failpoint", moment, str(number))
        if way.command:
            is_dead = _command(config, victim, way.command, failpoint)
        else:
            is_dead = _reclaim(cloud, config, victims, way.notice_s, failpoint)
        if not is_dead:
            return toll
        toll.kills += 1
        with restarted(cloud, config, toll) as console:
            if way.command and states(config).get(victim) in (None, RecoveryState.FAILED):
                _command(config, victim, way.command)
            settle(config, victims.values())
            if way.is_deleted:
                _command(config, victim, way.command)
            console.stop()
        toll.count(cloud, config, victims.values(), way.images, way.launches)
        toll.left_behind += way.keeps_address and address not in _addresses(cloud).values()
        public_ips = {row["IpAddress"] for row in cloud.state()["eips"]}
        toll.left_behind += way.keeps_public_ip and PUBLIC_IP not in public_ips
        toll.left_behind += way.is_deleted and victim in _addresses(cloud)
        toll.lost += way.is_deleted and _named(cloud, way.instance) == victim
    return toll


def _addresses(cloud: SimServer) -> dict[str, str]:
    return {row["InstanceId"]: row["PrivateIpAddress"] for row in cloud.state()["instances"]}


def _reclaim(
    cloud: SimServer, config: Path, victims: Mapping[str, str], notice_s: float, program: tuple[str, ...]
) -> bool:
    """Reclaim an instance of each account under a console that kills itself; whether it did."""
    with Headless(config, "--auto", program=program).wait_ready() as console:
        for account, victim in victims.items():
            cloud.interrupt([victim], notice_s=notice_s, account_id=account)
        wait_until(lambda: not console.alive or _are_over(config, victims.values()))
        if not console.alive:
            return True
        console.stop()
    return False


def _are_over(config: Path, victims: Iterable[str]) -> bool:
    ends = states(config)
    return all(victim in ends and ends[victim].is_final for victim in victims)


def _command(config: Path, victim: str, options: tuple[str, ...], program: tuple[str, ...] = ("spottui",)) -> bool:
    """Recover an instance by a command; whether that killed itself."""
    command = [sys.executable, "-m", *program, "recover", victim, *options, "--config", str(config)]
    environment = clean_environment(config.parent / "state")
    return subprocess.run(command, env=environment, capture_output=True, timeout=180, check=False).returncode < 0


def _fail_for_money(cloud: SimServer, config: Path, victim: str) -> str:
    """Let a recovery fail with its image made; the account has money again then."""
    # A DryRun has no token: it is the launch that fails.
    no_money = {"code": "InvalidAccountStatus.NotEnoughBalance", "status": 403, "match": {"ClientToken": "*"}}
    cloud.fault("RunInstances", "error", **no_money)
    _recover(cloud, config, victim, "failed")
    return victim


def _recover_once(cloud: SimServer, config: Path, victim: str) -> str:
    """Let an instance be reclaimed and recovered, and return its replacement."""
    before = set(cloud.spot_ids())
    _recover(cloud, config, victim, "recovered")
    (replacement,) = set(cloud.spot_ids()) - before
    return replacement


def _make_ready(cloud: SimServer, config: Path, victim: str) -> str:
    """Let there be an image of its system disk, and its tag say that it may be that old."""
    instance = next(row for row in cloud.state()["instances"] if row["InstanceId"] == victim)
    make_system_image(cloud, instance)
    allow_older_system(cloud, instance)
    return victim


def _make_ready_and_fresh(cloud: SimServer, config: Path, victim: str) -> str:
    """The same, and let a policy wait for an image of the system disk of the notice."""
    instance = next(row for row in cloud.state()["instances"] if row["InstanceId"] == victim)
    make_system_image(cloud, instance)
    tag = {"Tag__1__Key": "fresh", "Tag__1__Value": "yes"}
    Api(cloud)("TagResources", ResourceType="instance", ResourceId__1=victim, **tag)
    with config.open("a") as file:
        file.write('[[ready]]\nmatch = {fresh = "yes"}\nimage_every = "30d"\nfresh_system = true\n')
    return victim


def _probe_and_tell(_cloud: SimServer, config: Path, victim: str) -> str:
    """Have the replacement probed by a command, and every event told of in a file."""
    add_policy(config, probe='"jobs"')
    tell = ["sh", "-c", f'echo "$SPOTTUI_RECOVERY $0" >> {told(config)}']
    hooks = "".join(f'[[hook]]\non = "{on}"\ncommand = {json.dumps([*tell, on])}\n' for on in ("notice", "recovered"))
    with config.open("a") as file:
        file.write(f'[probe.jobs]\ncommand = "systemctl is-active jobs"\nevery = "1s"\n{hooks}')
    return victim


def _recover(cloud: SimServer, config: Path, victim: str, state: str) -> None:
    with Headless(config, "--auto").wait_ready() as console:
        cloud.interrupt([victim], notice_s=300 if state == "failed" else 4)
        wait_until(lambda: _are_over(config, [victim]))
        assert states(config)[victim] == state
        console.stop()


def _named(cloud: SimServer, name: str, account: str = "") -> str:
    return str(next(row["InstanceId"] for row in cloud.state(account)["instances"] if row["InstanceName"] == name))


def _replace_on_demand(cloud: SimServer, config: Path, victim: str) -> str:
    """Let a reclaimed instance be replaced on-demand while there is no spot capacity; return its replacement."""
    add_policy(config, on_demand="true")
    before = set(_addresses(cloud))
    no_stock = {"code": "OperationDenied.NoStock", "status": 403, "match": {"SpotStrategy": "Spot*"}}
    cloud.fault("RunInstances", "error", times=0, **no_stock)
    _recover(cloud, config, victim, "recovered")
    cloud.control("DELETE", "faults")
    (replacement,) = set(_addresses(cloud)) - before
    return replacement


def _behind_balancers(cloud: SimServer, config: Path, victim: str) -> str:
    """Put an instance, and one that stays, behind a CLB and an ALB."""
    for server in (victim, "web-8"):
        cloud.control("POST", "service", {"instance": server, "ports": [8080]})
    for product in ("clb", "alb"):
        group = {"name": "front", "product": product, "port": 8080, "servers": [victim, "web-8"]}
        cloud.control("POST", "balancer", {**group, "check": {"interval_s": 0.2, "healthy": 1}})
    return victim


def _without_room_at_home(cloud: SimServer, _config: Path, victim: str) -> str:
    """Let nothing be launched in an instance's own zone."""
    cloud.stock(0, zone=next(row["ZoneId"] for row in cloud.state()["instances"] if row["InstanceId"] == victim))
    return victim


def _with_names(cloud: SimServer, _config: Path, victim: str) -> str:
    """Give an instance an interface that would go with it, a secondary private IP, and a DNS record."""
    api = Api(cloud)
    rows = api("DescribeNetworkInterfaces", InstanceId=victim)["NetworkInterfaceSets"]["NetworkInterfaceSet"]
    eni_id = rows[0]["NetworkInterfaceId"]
    api("AssignPrivateIpAddresses", NetworkInterfaceId=eni_id, SecondaryPrivateIpAddressCount=1)
    cloud.control("POST", "instance", {"instance_id": victim, "interfaces": 1, "interfaces_stay": False})
    cloud.control("POST", "dns", {"name": "corp.internal", "records": [{"rr": "web", "instance": victim}]})
    return victim


def _with_public_ip(cloud: SimServer, _config: Path, victim: str) -> str:
    """Give an instance a public IP that is no EIP; the cloud takes longer to convert it than to make the image."""
    cloud.control("POST", "instance", {"instance_id": victim, "public_ip": PUBLIC_IP})
    cloud.fault("ConvertNatPublicIpToEip", "slow", delay_s=2)
    return victim


def _fail_behind_balancers(cloud: SimServer, config: Path, victim: str) -> str:
    return _fail_for_money(cloud, config, _behind_balancers(cloud, config, victim))


PUBLIC_IP = "47.98.7.6"
_NO_PROTECTION = {"permissions": {"ModifyDiskAttribute": "forbidden"}, "image_base_s": 60}
WAYS = {
    "image": Way("web-1"),
    "image-again": Way("web-1", {"images_that_fail": 1}, images=2),
    "launch-again": Way("web-1", {"launches_that_fail": 1, "launch_fails_after_s": 0.2}, launches=2),
    "restart": Way("batch-5", notice_s=12, images=0, launches=0),
    "kept-disk": Way("api-2", {"locked_status": "Stopping"}, notice_s=15),
    "kept-disk-elsewhere": Way("api-2", {"locked_status": "Stopping"}, before=_without_room_at_home, notice_s=15),
    "warm-image": Way(
        "web-1", _NO_PROTECTION, {"warm_image": "true"}, _recover_once, notice_s=12, images=2, launches=2
    ),
    "instant": Way("api-2", {"image_base_s": 60}, before=_make_ready, images=1),
    "instant-fresh": Way("api-2", before=_make_ready_and_fresh, images=2),
    "served": Way("web-1", before=_probe_and_tell),
    "private-ip": Way("web-1", policy={"private_ip": '"keep"'}, notice_s=20, keeps_address=True),
    "public-ip": Way("cache-4", before=_with_public_ip, keeps_public_ip=True),
    # Killed before the conversion its address is lost with it; killed after, the EIP is not to stay behind.
    "public-ip-after-release": Way("cache-4", {"image_base_s": 8}, before=_with_public_ip, notice_s=4),
    "names": Way("web-1", policy={"private_zone": '"corp.internal"'}, before=_with_names),
    "way-back": Way("web-1", before=_replace_on_demand, command=("--to-spot", "--yes"), images=2, launches=2),
    "way-back-deleted": Way(
        "web-1",
        before=_replace_on_demand,
        command=("--to-spot", "--yes", "--delete-on-demand"),
        images=2,
        launches=2,
        is_deleted=True,
    ),
    "second-account": Way("web-1", other_account=True),
    "retry": Way("web-1", before=_fail_for_money, command=("--yes",)),
    "balancers": Way("web-1", {"server_group_s": 0.2}, before=_behind_balancers),
    "balancers-restart": Way("batch-5", before=_behind_balancers, notice_s=12, images=0, launches=0),
    "balancers-retry": Way("web-1", {"server_group_s": 0.2}, before=_fail_behind_balancers, command=("--yes",)),
}
