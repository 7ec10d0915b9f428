"""Requests through simulated load balancers to services on real loopback sockets; who loses one is told."""

import socket
import ssl
import threading
import time
from types import SimpleNamespace

import pytest
from alibabacloud_alb20200616 import client as alb_client
from alibabacloud_alb20200616 import models as alb

from spottui.sim.scenario import parse
from spottui.sim.testing import SimServer
from tests.sim.balancing import (
    ADDRESSES,
    BACKEND_PORT,
    balancer,
    client_of,
    fleet,
    named,
    servers,
    visit,
)
from tests.sim.calls import Api


@pytest.fixture(scope="module")
def server():
    with SimServer(world=fleet(), speed=0) as running:
        yield running


@pytest.fixture
def cloud(server):
    server.reset()
    return server


def lost(cloud):
    return [(row["server_id"], row["status"]) for row in cloud.control("GET", "traffic?lost")["rows"]]


def set_weight(cloud, name, weight):
    group = balancer(cloud, "alb")["Listeners"][0]["ServerGroupId"]
    row = alb.UpdateServerGroupServersAttributeRequestServers(
        server_id=named(cloud, name)["InstanceId"], server_type="Ecs", port=BACKEND_PORT, weight=weight
    )
    request = alb.UpdateServerGroupServersAttributeRequest(server_group_id=group, servers=[row])
    client_of(SimpleNamespace(client=alb_client), cloud).update_server_group_servers_attribute(request)


def launch_of_image(cloud, source, **more):
    """An instance of an image of another one, running at once; gives its id."""
    api, row = Api(cloud), named(cloud, source)
    cloud.world(image_base_s=1, image_s_per_gib=0, boot_s=1)
    image = api("CreateImage", InstanceId=row["InstanceId"])["ImageId"]
    cloud.advance(1)
    made = api(
        "RunInstances", ImageId=image, InstanceType=row["InstanceType"], VSwitchId=row["VSwitchId"],
        SecurityGroupId="sg-web", InstanceName="new", **more,
    )  # fmt: skip
    cloud.advance(1)
    return made["InstanceIdSets"]["InstanceIdSet"][0]


@pytest.mark.parametrize("product", ["clb", "alb", "nlb"])
def test_requests_go_round_by_weight(cloud, product):
    seen = [visit(ADDRESSES[product]) for _ in range(9)]
    assert (seen.count("web-1"), seen.count("web-2")) == (6, 3)
    log = cloud.control("GET", "traffic")
    assert (log["requests"], log["lost"]) == (9, 0)
    assert log["served_by"] == {named(cloud, "web-1")["InstanceId"]: 6, named(cloud, "web-2")["InstanceId"]: 3}


def test_weight_0_gets_no_new_request_once_it_took_effect(cloud):
    set_weight(cloud, "web-1", 0)
    assert "web-1" in {visit(ADDRESSES["alb"]) for _ in range(3)}
    cloud.advance(1)
    assert {visit(ADDRESSES["alb"]) for _ in range(9)} == {"web-2"}
    cloud.interrupt([named(cloud, "web-1")["InstanceId"]], notice_s=1)
    cloud.advance(2)
    assert {visit(ADDRESSES["alb"]) for _ in range(9)} == {"web-2"}
    assert lost(cloud) == []


@pytest.mark.parametrize(
    ("product", "seen", "status"), [("clb", "502", 502), ("alb", "502", 502), ("nlb", "ConnectionResetError", None)]
)
def test_requests_to_a_dead_server_are_lost_until_the_health_check_knows(cloud, product, seen, status):
    web = named(cloud, "web-1")["InstanceId"]
    cloud.control("POST", "service", {"instance": "web-1", "mode": "down"})
    assert visit(ADDRESSES[product]) == seen
    assert lost(cloud) == [(web, status)]
    cloud.advance(6)
    assert {visit(ADDRESSES[product]) for _ in range(3)} == {"web-2"}
    assert len(lost(cloud)) == 1


def test_no_healthy_server_is_503_and_a_failing_one_500(cloud):
    cloud.control("POST", "service", {"instance": "web-1", "mode": "failing"})
    assert visit(ADDRESSES["alb"]) == "500"
    # An HTTP check minds the 500, a TCP check does not.
    cloud.advance(6)
    assert {visit(ADDRESSES["alb"]) for _ in range(3)} == {"web-2"}
    assert {visit(ADDRESSES["nlb"]) for _ in range(3)} == {"web-2", "500"}
    cloud.control("POST", "service", {"instance": "web-2", "mode": "hanging"})
    cloud.advance(6)
    assert visit(ADDRESSES["alb"]) == "503"


def test_a_probe_reaches_what_listens_on_an_instance_while_it_runs(cloud):
    row = named(cloud, "web-1")
    assert visit(row["PrivateIpAddress"], BACKEND_PORT) == "web-1"
    assert visit(row["PrivateIpAddress"], BACKEND_PORT + 1) == "ConnectionRefusedError"
    assert visit(named(cloud, "idle")["PrivateIpAddress"], BACKEND_PORT) == "ConnectionRefusedError"
    api = Api(cloud)
    api("StopInstance", InstanceId=row["InstanceId"])
    assert visit(row["PrivateIpAddress"], BACKEND_PORT) == "ConnectionRefusedError"
    cloud.advance(1)
    cloud.world(boot_s=10, service_s=5)
    api("StartInstance", InstanceId=row["InstanceId"])
    cloud.advance(14)
    assert visit(row["PrivateIpAddress"], BACKEND_PORT) == "ConnectionRefusedError"
    cloud.advance(1)
    assert visit(row["PrivateIpAddress"], BACKEND_PORT) == "web-1"


def test_an_image_brings_its_service_along_and_a_new_one_may_be_ill(cloud):
    launch_of_image(cloud, "web-1")
    assert visit(named(cloud, "new")["PrivateIpAddress"], BACKEND_PORT) == "new"
    cloud.world(service_of_new="failing")
    launch_of_image(cloud, "web-2")
    assert visit(named(cloud, "new")["PrivateIpAddress"], BACKEND_PORT) == "500"


def test_a_kept_system_disk_brings_its_service_along(cloud):
    api, row = Api(cloud), named(cloud, "web-1")
    system = row["DiskIds"][0]
    api("ModifyDiskAttribute", DiskIds__1=system, DeleteWithInstance=False)
    cloud.interrupt([row["InstanceId"]], notice_s=1)
    cloud.advance(2)
    snapshot = api("CreateSnapshot", DiskId=system)["SnapshotId"]
    cloud.advance(60)
    image = api("CreateImage", SnapshotId=snapshot, BootMode="UEFI-Preferred")["ImageId"]
    cloud.advance(60)
    copy = api("CopyImage", ImageId=image, DestinationRegionId="cn-hangzhou")["ImageId"]
    cloud.advance(60)
    api("RunInstances", ImageId=copy, InstanceType="ecs.g7.large", VSwitchId=row["VSwitchId"], SecurityGroupId="sg-web",
        InstanceName="again")  # fmt: skip
    cloud.advance(10)
    assert visit(named(cloud, "again")["PrivateIpAddress"], BACKEND_PORT) == "again"


def test_addresses_elsewhere_are_reached_over_the_one_port(cloud):
    def seen(path):
        return visit("127.0.0.1", int(cloud.url.rpartition(":")[2])) if not path else _get(f"{cloud.url}/_sim/{path}")

    web, front = named(cloud, "web-1")["InstanceId"], balancer(cloud, "alb")["LoadBalancerId"]
    assert seen(f"service/{web}/{BACKEND_PORT}") == "web-1"
    assert seen(f"balancer/{front}/{balancer(cloud, 'alb')['Listeners'][0]['Port']}/any/path") == "web-1"
    assert seen(f"service/{web}/1") in ("ConnectionResetError", "RemoteDisconnected")
    assert seen("balancer/alb-none/80") == "404"


def _get(url):
    host, _, rest = url.removeprefix("http://").partition("/")
    address, _, port = host.partition(":")
    return visit(address, f"{port}/{rest}")


def test_switch_dead_servers_stay(cloud):
    def left(product):
        return list(servers(cloud, balancer(cloud, product)["Listeners"][0]["ServerGroupId"]))

    web, other = (named(cloud, name)["InstanceId"] for name in ("web-1", "web-2"))
    cloud.interrupt([web], notice_s=1)
    cloud.advance(8)
    assert [left(product) for product in ADDRESSES] == [[other], [web, other], [web, other]]
    cloud.reset()
    cloud.world(dead_servers_stay=False)
    cloud.interrupt([web], notice_s=1)
    cloud.advance(8)
    assert [left(product) for product in ADDRESSES] == [[other]] * 3


def test_a_visitor_loses_nothing_when_the_weight_goes_first_and_the_new_one_is_awaited(cloud):
    """The change that a recovery is to make, with a client that asks all the time, in real time."""
    cloud.speed(20)
    wanted, seen = threading.Event(), []

    def ask():
        while not wanted.is_set():
            seen.append(visit(ADDRESSES["alb"]))
            time.sleep(0.01)

    visitor = threading.Thread(target=ask)
    visitor.start()
    try:
        web = named(cloud, "web-1")["InstanceId"]
        set_weight(cloud, "web-1", 0)
        until(lambda: group_of(cloud)[web]["Weight"] == 0)
        cloud.interrupt([web], notice_s=20)
        new = launch_of_image(cloud, "web-1")
        add(cloud, new)
        until(lambda: group_of(cloud)[new]["Health"] == "Healthy" and web not in running(cloud))
        until(lambda: seen[-8:].count("new") > 0)
    finally:
        wanted.set()
        visitor.join()
    assert set(seen) == {"web-1", "web-2", "new"}
    assert lost(cloud) == []


def group_of(cloud):
    return servers(cloud, balancer(cloud, "alb")["Listeners"][0]["ServerGroupId"])


def running(cloud):
    return {row["InstanceId"] for row in cloud.state()["instances"]}


def add(cloud, server_id):
    row = alb.AddServersToServerGroupRequestServers(server_id=server_id, server_type="Ecs", port=BACKEND_PORT)
    group = balancer(cloud, "alb")["Listeners"][0]["ServerGroupId"]
    client_of(SimpleNamespace(client=alb_client), cloud).add_servers_to_server_group(
        alb.AddServersToServerGroupRequest(server_group_id=group, servers=[row])
    )


def until(true, within_s=10.0):
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_scenario_brings_its_balancer_zone_and_services(tmp_path):
    path = tmp_path / "night.toml"
    path.write_text(
        '[[at]]\nat_s = 0\nwhat = "service"\ninstance = "web-1"\nports = [18082]\n'
        '[[at]]\nat_s = 0\nwhat = "balancer"\nname = "shop"\nproduct = "nlb"\nport = 80\nbackend_port = 18082\n'
        'servers = ["web-1"]\n'
        '[[at]]\nat_s = 0\nwhat = "dns"\nname = "corp"\nrecords = [{ rr = "web", instance = "web-1" }]\n'
        '[[at]]\nat_s = 5\nwhat = "service"\ninstance = "web-1"\nmode = "down"\n'
    )
    assert [entry.what for entry in parse("night", path.read_text()).timeline][:2] == ["service", "balancer"]
    with SimServer(scenario=str(path), speed=0) as cloud:
        state = cloud.state()
        (member,) = state["server_groups"][0]["Servers"]
        assert (member["Health"], member["Port"]) == ("Healthy", 18_082)
        assert state["dns_zones"][0]["Records"][0]["Value"] == named(cloud, "web-1")["PrivateIpAddress"]
        cloud.advance(12)
        assert cloud.state()["server_groups"][0]["Servers"][0]["Health"] == "Unhealthy"
        assert cloud.state()["services"][0]["Mode"] == "down"


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("balancer", {"name": "x"}, "port"), ("balancer", {"name": "x", "port": 80, "servers": ["none"]}, "instance"),
        ("balancer", {"name": "x", "port": 80, "product": "elb"}, "product"),
        ("balancer", {"name": "front", "port": 18_080}, "port"),
        ("balancer", {"name": "x", "port": 80, "servers": [7]}, "body"),
        ("balancer", {"name": "x", "port": 80, "check": {"healthy": 0}}, "healthy"),
        ("service", {"instance": "idle"}, "ports"), ("service", {"instance": "web-1", "mode": "tired"}, "mode"),
        ("service", {"instance": "idle", "ports": [0]}, "ports"),
        ("dns", {"name": "x", "records": [{"rr": "a"}]}, "value"),
    ],
)  # fmt: skip
def test_wrong_input_is_named_and_changes_nothing(cloud, what, body, field):
    before = cloud.save()
    with pytest.raises(ValueError, match=f'"field": "{field}"'):
        cloud.control("POST", what, body)
    assert cloud.save() == before


def test_a_world_with_balancers_goes_on_where_it_was_saved(cloud):
    cloud.control("POST", "dns", {"name": "corp", "records": [{"rr": "web", "value": "10.0.0.1"}]})
    cloud.control("POST", "service", {"instance": "web-1", "mode": "down"})
    set_weight(cloud, "web-2", 7)
    cloud.advance(0.5)
    saved = cloud.save()
    cloud.reset()
    cloud.load(saved)
    assert cloud.save() == saved
    cloud.advance(8)
    found = group_of(cloud)
    assert [(row["Health"], row["Weight"]) for row in found.values()] == [("Unhealthy", 100), ("Healthy", 7)]
    assert visit(ADDRESSES["alb"]) == "web-2"


def test_a_service_speaks_tls_under_its_name(tmp_path):
    with SimServer(world=fleet(settings={"tls_ports": [BACKEND_PORT]}), tls=True, config=tmp_path / "c.toml") as cloud:
        context = ssl.create_default_context(cafile=str(cloud.endpoint.ca_file))
        place = (named(cloud, "web-1")["PrivateIpAddress"], BACKEND_PORT)

        def greet(name):
            with socket.create_connection(place, 5) as plain, context.wrap_socket(plain, server_hostname=name) as line:
                line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return line.recv(4096).partition(b"\r\n")[0]

        assert greet("localhost") == b"HTTP/1.1 200 OK"
        with pytest.raises(ssl.SSLCertVerificationError):
            greet("elsewhere.example")
        assert visit(ADDRESSES["alb"]) in ("web-1", "web-2")
