"""An instance's entries of a CLB, an ALB and an NLB over the real wire: found, judged, changed."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from spottui.cloud.account import CloudAccount
from spottui.cloud.balancers import clb_endpoint
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.config import load
from spottui.domain.balancers import Backend, BackendStatus, Change, Product, Server, action_of
from spottui.sim.testing import SimServer
from tests.sim.balancing import BACKEND_PORT, PORT, REGION, fleet, named, servers

CHECK_S = 10


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimServer, CloudAccount]]:
    config = tmp_path_factory.mktemp("balancers") / "c.toml"
    more = {"product": "clb", "port": PORT + 1, "backend_port": BACKEND_PORT, "group": "shop", "name": "front"}
    kinds = [
        {"product": product, "port": PORT + 2, "backend_port": BACKEND_PORT, "name": f"{product}-{kind}",
         "servers": [{"instance": "web-3", "type": kind, "weight": 7}]}
        for product, kind in (("nlb", "eni"), ("alb", "ip"))
    ]  # fmt: skip
    group = {**more, "servers": [{"instance": "web-1", "weight": 30, "description": "till"}, "web-2"]}
    with pytest.MonkeyPatch.context() as patch:
        for scheme in ("HTTP", "HTTPS", "ALL"):
            patch.delenv(f"{scheme}_PROXY", raising=False)
            patch.delenv(f"{scheme.lower()}_proxy", raising=False)
        world = fleet()
        world["load_balancer"] += [group, *kinds]
        with SimServer(world=world, config=config, speed=0) as cloud:
            yield cloud, CloudAccount(load(config))


@pytest.fixture
def cloud(shared: tuple[SimServer, CloudAccount]) -> SimServer:
    shared[0].reset()
    return shared[0]


@pytest.fixture
def account(shared: tuple[SimServer, CloudAccount]) -> CloudAccount:
    return shared[1]


def server_of(cloud: SimServer, account: CloudAccount, name: str) -> Server:
    instance_id = named(cloud, name)["InstanceId"]
    return Server.of(account.regions[REGION].launch_specs([instance_id])[instance_id])


def found(cloud: SimServer, account: CloudAccount, name: str) -> list[Backend]:
    server = server_of(cloud, account, name)
    balancers = account.balancers[REGION]
    return [one for product in Product for one in balancers[product].backends([server])[server.instance_id]]


def group(account: CloudAccount, one: Backend) -> dict[str, BackendStatus]:
    shown = account.balancers[REGION][one.product].group(one, with_health=True)
    return {status.backend.server_id: status for status in shown}


def test_one_look_up_finds_of_many_instances_what_one_for_each_finds(cloud: SimServer, account: CloudAccount) -> None:
    specs, balancers = account.regions[REGION].launch_specs(cloud.spot_ids()), account.balancers[REGION]
    fleet_servers = [Server.of(spec) for spec in specs.values()]
    for product in Product:
        one_by_one = {}
        for server in fleet_servers:
            one_by_one |= {of: set(entries) for of, entries in balancers[product].backends([server]).items()}
        alone = len(cloud.calls())
        together = {of: set(entries) for of, entries in balancers[product].backends(fleet_servers).items()}
        assert together == one_by_one
        assert len(together) == len(fleet_servers) == 4
        assert sum(map(len, together.values())) >= 3
        assert len(cloud.calls()) - alone < alone
        cloud.reset()


def test_every_entry_of_an_instance_is_found_with_its_port_weight_type_and_description(
    cloud: SimServer, account: CloudAccount
) -> None:
    def seen(name: str) -> set[tuple[str, str, int, int, str, str]]:
        return {
            (one.product, one.name, one.port, one.weight, one.server_type, one.description)
            for one in found(cloud, account, name)
        }

    assert seen("web-1") == {
        ("CLB", "front", 0, 100, "ecs", ""),
        ("CLB", "shop", BACKEND_PORT, 30, "ecs", "till"),
        ("ALB", "front", BACKEND_PORT, 100, "ecs", ""),
        ("NLB", "front", BACKEND_PORT, 100, "ecs", ""),
    }
    assert {(of[0], of[3], of[5]) for of in seen("web-2") if of[5]} == {(one, 50, "half") for one in Product}
    assert seen("web-3") == {
        ("NLB", "nlb-eni", BACKEND_PORT, 7, "eni", ""),
        ("ALB", "alb-ip", BACKEND_PORT, 7, "ip", ""),
    }
    assert seen("idle") == set()


def test_an_entry_is_lowered_joined_by_another_server_and_removed_in_every_kind_of_group(
    cloud: SimServer, account: CloudAccount
) -> None:
    new = server_of(cloud, account, "idle")
    entries = [*found(cloud, account, "web-1"), *found(cloud, account, "web-3")]
    assert len(entries) == 6
    for one in entries:
        balancing = account.balancers[REGION][one.product]
        joined = one.of(new)
        for number, (change, entry) in enumerate(
            [(Change.ADD, joined), (Change.WEIGHT, replace(one, weight=0)), (Change.REMOVE, one)]
        ):
            assert balancing.change(change, [entry], f"token-{one.key}-{number}").request_id
            cloud.advance(1)
            assert cloud.calls(action_of(one, change))[-1]["effect"]
            if change is Change.WEIGHT:
                assert servers(cloud, one.group)[one.server_id]["Weight"] == 0
        left = servers(cloud, one.group)
        assert one.server_id not in left
        row = left[joined.server_id]
        shown = (row["Port"], row["Weight"], row["Type"], row["Description"], row["ServerIp"])
        assert shown == (one.port, one.weight, one.server_type, one.description, new.private_ip)


def test_a_job_leaves_an_entry_unsettled_and_a_dead_server_is_not_healthy(
    cloud: SimServer, account: CloudAccount
) -> None:
    cloud.advance(CHECK_S)
    web = named(cloud, "web-1")["InstanceId"]
    entries = found(cloud, account, "web-1")
    assert all(group(account, one)[web].healthy and group(account, one)[web].settled for one in entries)
    cloud.control("POST", "service", {"instance": "web-1", "mode": "down"})
    cloud.advance(CHECK_S)
    assert not any(group(account, one)[web].healthy for one in entries)
    assert all(status.healthy for one in entries for key, status in group(account, one).items() if key != web)
    alb = next(one for one in entries if one.product is Product.ALB)
    account.balancers[REGION][Product.ALB].change(Change.WEIGHT, [alb], "a")
    assert not group(account, alb)[web].settled
    with pytest.raises(CloudError) as busy:
        account.balancers[REGION][Product.ALB].change(Change.WEIGHT, [alb], "b")
    assert busy.value.kind is ErrorKind.BUSY


@pytest.mark.parametrize("action", ["DescribeVServerGroups", "ListServerGroupServers"])
def test_what_may_not_be_seen_or_read_is_an_error_and_never_an_empty_list(
    cloud: SimServer, account: CloudAccount, action: str
) -> None:
    cloud.fault(action, "error", code="Forbidden.RAM", status=403, times=1)
    with pytest.raises(CloudError) as denied:
        found(cloud, account, "web-1")
    assert (denied.value.kind, denied.value.action) == (ErrorKind.DENIED, action)
    assert denied.value.request_id
    cloud.fault(action, "bad_json", times=1)
    with pytest.raises(CloudError):
        found(cloud, account, "web-1")


@pytest.mark.parametrize(
    ("region", "ecs", "slb"),
    [
        ("eu-central-1", "", "slb.eu-central-1.aliyuncs.com"),
        ("eu-central-1", "ecs-vpc.eu-central-1.aliyuncs.com", "slb-vpc.eu-central-1.aliyuncs.com"),
        ("cn-hangzhou", "", "slb.aliyuncs.com"),
        ("cn-hangzhou", "ecs-vpc.cn-hangzhou.aliyuncs.com", "slb-vpc.cn-hangzhou.aliyuncs.com"),
        ("cn-hangzhou", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_the_endpoint_of_clb_is_beside_that_of_ecs_or_the_one_of_its_first_regions(
    region: str, ecs: str, slb: str
) -> None:
    assert clb_endpoint(region, ecs) == slb
