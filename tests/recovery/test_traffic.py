"""Load balancers during a recovery: who gets requests, whatever happens, on the simulated cloud with the real SDKs."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from msgspec import structs
from msgspec.structs import replace

from spottui import words
from spottui.cli.permissions import policy_document
from spottui.cloud.account import CloudAccount
from spottui.config import load
from spottui.domain.balancers import Change, Product, Server, action_of
from spottui.domain.commands import Cancel, Retry
from spottui.domain.facts import BackendChanging, BackendServes, BackendsFound, CancelAsked, WeightKept
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.recovery.context import Shared
from spottui.recovery.decisions import carry_out
from spottui.recovery.engine import Engine
from spottui.sim.testing import SimServer
from tests.driving import effects, wait_until
from tests.journal.given import known, observe
from tests.recovery.given import CLOCK, begin, console
from tests.recovery.test_resume import write
from tests.sim.balancing import ADDRESSES, REGION, fleet, named, visit

MEI = "mei@bastion pts/3"
TAKEN = ("web-1", "cache-4", "ci-7", "etl-10", "train-13", "batch-19", "web-22", "batch-5")
QUICK = {"interval_s": 0.2, "healthy": 1, "unhealthy": 1}


def balancer(cloud: SimServer, name: str, *servers: object, product: str = "alb") -> None:
    ports = {"port": 80, "backend_port": 8080}
    listener = {"name": name, "product": product, **ports, "servers": list(servers), "check": QUICK}
    cloud.control("POST", "balancer", listener)


def behind(cloud: SimServer, name: str, product: str = "alb") -> dict[str, int]:
    """The weights behind a load balancer by the id of the server."""
    state = cloud.state()
    of = {row["LoadBalancerId"]: (row["LoadBalancerName"], row["Product"]) for row in state["load_balancers"]}
    groups = [row for row in state["server_groups"] if of[row["LoadBalancerId"]] == (name, product)]
    return {one["ServerId"]: one["Weight"] for group in groups for one in group["Servers"]}


def weights_set(cloud: SimServer, server_id: str, action: str = "UpdateServerGroupServersAttribute") -> list[str]:
    """The weights that an entry of an ALB was given, in order."""
    asked = [row["params"] for row in cloud.calls(action)]
    numbers = [(one, name.split(".")[1]) for one in asked for name in one if one[name] == server_id]
    return [one[f"Servers.{number}.Weight"] for one, number in numbers]


@contextmanager
def engine(config: Path) -> Iterator[Shared]:
    with console(config.with_name("journal.db"), CloudAccount(load(config)), load(config)) as shared:
        driving = Engine(shared)
        driving.start()
        try:
            yield shared
        finally:
            driving.stop()


def facts(shared: Shared, recovery_id: str, kind: type) -> list[Any]:
    return [one.fact for one in shared.journal.log.of(recovery_id) if isinstance(one.fact, kind)]


def ended(shared: Shared, recovery_id: str) -> Recovery:
    wait_until(lambda: known(shared.journal, recovery_id).state.is_final)
    return known(shared.journal, recovery_id)


@contextmanager
def visitors(cloud: SimServer) -> Iterator[list[str]]:
    """What clients of each load balancer see that ask ten times a second: who answers, or what goes wrong."""
    seen: list[str] = []
    is_over = threading.Event()

    def ask(address: str) -> None:
        while not is_over.wait(0.1):
            seen.append(visit(address))

    threads = [threading.Thread(target=ask, args=(address,)) for address in ADDRESSES.values()]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert cloud.control("GET", "traffic?lost")["lost"] == 0


def test_a_client_loses_no_request_while_its_server_is_replaced(config: Path) -> None:
    """Ten times a second through each kind of load balancer, until the replacement answers and the old one is gone."""
    world = fleet(settings={"image_base_s": 2, "image_s_per_gib": 0, "boot_s": 0.5, "server_group_s": 0.5})
    # A dead server is known to be dead after two seconds: by then a client has lost many requests.
    check = {"interval_s": 0.5, "healthy": 1, "unhealthy": 4}
    world["load_balancer"] = [{**one, "check": check} for one in world["load_balancer"]]
    with SimServer(world=world, config=config) as cloud, engine(config) as shared, visitors(cloud) as seen:
        old = named(cloud, "web-1")["InstanceId"]
        before = {product: behind(cloud, "front", product) for product in ADDRESSES}
        cloud.interrupt([old], notice_s=6, queue=False)
        recovery = ended(shared, begin(shared, old, 6))
        assert recovery.state is RecoveryState.RECOVERED
        assert recovery.reason
        assert recovery.reason.causes == ()
        served = facts(shared, recovery.recovery_id, BackendServes)
        assert {one.backend.product for one in served} == set(Product)
        after = {product: behind(cloud, "front", product) for product in ADDRESSES}
        new = recovery.new_instance_id
        assert after == {
            product: {**{key: weight for key, weight in weights.items() if key != old}, new: 100}
            for product, weights in before.items()
        }
        wait_until(lambda: old not in {row["InstanceId"] for row in cloud.state()["instances"]})
        asked = len(seen)
        wait_until(lambda: len(seen) > asked + 30)
        assert set(seen) == {"web-1", "web-2"}
        changes = [action_of(one.backend, change) for one in served for change in Change]
        made = {action: effects(cloud, action) for action in changes}
        assert {one.state for one in resumed(shared, recovery.recovery_id, config)} == {RecoveryState.RECOVERED}
        assert {action: effects(cloud, action) for action in changes} == made, "nothing is changed twice"
        assert {row["action"] for row in cloud.calls()} <= permitted(config), "the printed policies are enough"


def permitted(config: Path) -> set[str]:
    documents = [policy_document(kind, load(config)) for kind in ("recover", "balancers")]
    return {name.partition(":")[2] for one in documents for rule in one["Statement"] for name in rule["Action"]}


def resumed(shared: Shared, recovery_id: str, config: Path) -> list[Recovery]:
    """Resume a recovery that is over as if its console had died at each of its facts about load balancers."""
    log, plan = list(shared.journal.log.of(recovery_id)), shared.journal.recoveries.plan(recovery_id)
    kinds = BackendsFound | BackendChanging | BackendServes
    account, settings = CloudAccount(load(config)), load(config)
    with ExitStack() as stack:
        others = []
        for number in (number for number, one in enumerate(log, 1) if isinstance(one.fact, kinds)):
            write(config.with_name(f"at-{number}.db"), log[:number], plan)
            others.append(stack.enter_context(console(config.with_name(f"at-{number}.db"), account, settings)))
            Engine(others[-1]).start()
        return [ended(one, recovery_id) for one in others]


def test_no_group_is_left_empty_and_every_weight_comes_back_where_the_old_instance_serves_on(
    live_cloud: SimServer, config: Path
) -> None:
    """Eight reclaims at once: of the only server, of both servers of a group, one that is cancelled, that fails, …"""
    cloud = live_cloud
    cloud.world(server_group_s=0.2, image_base_s=2)
    ids = {row["InstanceName"]: row["InstanceId"] for row in cloud.state()["instances"]}
    sole, spare, first, second, stopped, broke, hidden, again = TAKEN
    unasked = "train-20"
    for name in (*TAKEN, unasked, "web-8"):
        cloud.control("POST", "service", {"instance": name, "ports": [8080]})
    balancer(cloud, "sole", sole)
    balancer(cloud, "spare", {"instance": spare, "weight": 0, "description": "cold"}, "web-8")
    balancer(cloud, "pair", first, second)
    for name in (stopped, broke, hidden, again, unasked):
        balancer(cloud, name, {"instance": name, "weight": 70}, "web-8", product="clb" if name == stopped else "alb")
    no_money = {"code": "InvalidAccountStatus.NotEnoughBalance", "status": 403}
    cloud.fault("RunInstances", "error", match={"InstanceName": broke, "ClientToken": "*"}, **no_money)
    denied = {"action": "AddServersToServerGroup", "kind": "error", "code": "Forbidden.RAM", "status": 403}
    group = next(row["ServerGroupId"] for row in cloud.state()["server_groups"] if row["ServerGroupName"] == hidden)
    cloud.control("POST", "faults", [{**denied, "match": {"ServerGroupId": group}, "times": 0}])
    with engine(config) as shared:
        cloud.interrupt([ids[again]], notice_s=8, queue=False)
        cloud.interrupt([ids[name] for name in (*TAKEN, unasked) if name != again], queue=False)
        begun = {name: begin(shared, ids[name], 8 if name == again else 300) for name in TAKEN}
        observe(shared.journal, Observation(REGION, ids[unasked], Evidence.LOCK, CLOCK.now()), now=CLOCK.now())
        wait_until(lambda: behind(cloud, stopped, "clb")[ids[stopped]] == 0)
        shared.journal.run(lambda t: carry_out(t, begun[stopped], Cancel(), MEI, "", [], CLOCK.now()))
        over = {name: ended(shared, recovery_id) for name, recovery_id in begun.items()}
        assert {name: one.state.value for name, one in over.items()} == {
            **dict.fromkeys(TAKEN, "recovered"), stopped: "cancelled", broke: "failed",
        }  # fmt: skip
        new = {name: one.new_instance_id for name, one in over.items()}

        assert behind(cloud, "sole") == {new[sole]: 100}
        assert [one.backend.server_id for one in facts(shared, begun[sole], WeightKept)] == [ids[sole]]
        assert behind(cloud, "spare") == {ids["web-8"]: 100, new[spare]: 0}
        assert not weights_set(cloud, ids[spare]), "a weight of 0 is left alone"
        assert behind(cloud, "pair") == {new[first]: 100, new[second]: 100}
        kept = [name for name in (first, second) if facts(shared, begun[name], WeightKept)]
        assert len(kept) == 1, "one of two keeps its weight, until another serves"
        assert behind(cloud, stopped, "clb") == {ids[stopped]: 70, ids["web-8"]: 100}
        assert behind(cloud, broke) == {ids[broke]: 70, ids["web-8"]: 100}
        assert behind(cloud, hidden) == {ids[hidden]: 70, ids["web-8"]: 100}
        assert behind(cloud, unasked) == {ids[unasked]: 70, ids["web-8"]: 100}
        assert not weights_set(cloud, ids[unasked]), "nothing is lowered before a yes"
        said = words.reason(over[hidden].reason)
        assert f"ALB {group} does not send traffic to it: AddServersToServerGroup: Forbidden.RAM" in said
        assert "RequestId" in said
        assert new[again] == ids[again], "the instance itself is started again"
        assert behind(cloud, again) == {ids[again]: 70, ids["web-8"]: 100}
        assert weights_set(cloud, ids[again]) == ["0", "70"]

        digest = shared.journal.recoveries.plan(begun[broke]).digest
        own, command = shared.journal.consoles.own, Retry(digest)
        shared.journal.run(lambda t: carry_out(t, begun[broke], command, MEI, own, [REGION], CLOCK.now()))
        retried = ended(shared, begun[broke])
        assert (retried.state, retried.run) == (RecoveryState.RECOVERED, 1)
        assert behind(cloud, broke) == {retried.new_instance_id: 70, ids["web-8"]: 100}
        assert weights_set(cloud, ids[broke]) == ["0", "70", "0"]
        assert list(shared.journal.log.unlike_their_facts()) == []


def test_a_console_that_dies_at_any_moment_leaves_no_weight_at_0(live_cloud: SimServer, config: Path) -> None:
    """Whatever it had begun when it died, and whether the person cancels before or after that."""
    cloud, settings = live_cloud, load(config)
    cloud.world(image_base_s=600)
    web, other = named(cloud, "web-1")["InstanceId"], named(cloud, "web-8")["InstanceId"]
    for name in ("web-1", "web-8"):
        cloud.control("POST", "service", {"instance": name, "ports": [8080]})
    balancer(cloud, "front", {"instance": "web-1", "weight": 70}, "web-8", product="clb")
    with engine(config) as shared:
        recovery_id = begin(shared, web, 300)
        wait_until(lambda: behind(cloud, "front", "clb")[web] == 0)
        shared.journal.run(lambda t: carry_out(t, recovery_id, Cancel(), MEI, "", [], CLOCK.now()))
        ended(shared, recovery_id)
        log, plan = list(shared.journal.log.of(recovery_id)), shared.journal.recoveries.plan(recovery_id)
    clb = CloudAccount(settings).balancers[REGION][Product.CLB]
    (entry,) = clb.backends([Server(web)])[web]
    moments = [number for number, one in enumerate(log, 1) if isinstance(one.fact, BackendChanging | CancelAsked)]
    assert len(moments) == 3
    for number in moments:
        clb.change(Change.WEIGHT, [replace(entry, weight=0)], "")
        cancelled = structs.replace(log[number - 1], fact=CancelAsked(MEI))
        write(config.with_name(f"after-{number}.db"), [*log[:number], cancelled], plan)
        with console(config.with_name(f"after-{number}.db"), CloudAccount(settings), settings) as shared:
            Engine(shared).start()
            assert ended(shared, recovery_id).state is RecoveryState.CANCELLED
        assert behind(cloud, "front", "clb") == {web: 70, other: 100}
