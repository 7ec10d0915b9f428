"""CLB: memberships of both kinds of groups, weights, health, limits and refusals; the vendor's client is the judge."""

import json
from types import SimpleNamespace

import pytest
from alibabacloud_slb20140515 import client, models
from alibabacloud_tea_openapi.exceptions import ClientException

from spottui.sim.testing import SimServer
from tests.sim.balancing import BACKEND_PORT, PORT, REGION, balancer, client_of, fleet, named, servers
from tests.sim.calls import Api

VSERVERS = {"name": "shop", "port": 80, "backend_port": 8000, "group": "shop", "servers": ["web-1"]}


@pytest.fixture(scope="module")
def server():
    with SimServer(world=fleet(), speed=0) as running:
        yield running


@pytest.fixture
def cloud(server):
    server.reset()
    return server


@pytest.fixture
def slb(cloud):
    return client_of(SimpleNamespace(client=client), cloud)


@pytest.fixture
def front(cloud):
    return balancer(cloud, "clb")["LoadBalancerId"]


@pytest.fixture
def shop(cloud):
    """A CLB with a vServer group of web-1 on port 8000."""
    return cloud.control("POST", "balancer", VSERVERS)["server_group_id"]


def entry(cloud, name, **more):
    return {"ServerId": named(cloud, name)["InstanceId"], **more}


def default_group(slb, front):
    request = models.DescribeLoadBalancerAttributeRequest(region_id=REGION, load_balancer_id=front)
    return slb.describe_load_balancer_attribute(request).body


def in_group(slb, group):
    request = models.DescribeVServerGroupAttributeRequest(region_id=REGION, vserver_group_id=group)
    return {
        one.server_id: one for one in slb.describe_vserver_group_attribute(request).body.backend_servers.backend_server
    }


def refusal(call, request):
    with pytest.raises(ClientException) as refused:
        call(request)
    return refused.value.status_code, refused.value.code


def test_where_an_instance_is_a_member(cloud, slb, front, shop):
    def of(name):
        request = models.DescribeLoadBalancersRequest(region_id=REGION, server_id=named(cloud, name)["InstanceId"])
        return [
            one.load_balancer_name for one in slb.describe_load_balancers(request).body.load_balancers.load_balancer
        ]

    assert (of("web-1"), of("web-2"), of("idle")) == (["front", "shop"], ["front"], [])
    shown = default_group(slb, front)
    assert [(one.server_id, one.weight, one.type) for one in shown.backend_servers.backend_server] == [
        (named(cloud, "web-1")["InstanceId"], 100, "ecs"), (named(cloud, "web-2")["InstanceId"], 50, "ecs"),
    ]  # fmt: skip
    assert shown.listener_ports.listener_port == [PORT]
    found = next(row for row in cloud.state()["load_balancers"] if row["LoadBalancerName"] == "shop")
    request = models.DescribeVServerGroupsRequest(
        region_id=REGION, load_balancer_id=found["LoadBalancerId"], include_listener=True
    )
    (group,) = slb.describe_vserver_groups(request).body.vserver_groups.vserver_group
    assert (group.vserver_group_id, group.server_count) == (shop, 1)
    assert group.associated_objects.listeners.listener[0].port == 80
    (member,) = in_group(slb, shop).values()
    assert (member.port, member.weight, member.server_ip) == (8000, 100, named(cloud, "web-1")["PrivateIpAddress"])


def test_the_default_group_takes_weights_new_servers_and_removals(cloud, slb, front):
    web = named(cloud, "web-1")["InstanceId"]
    change = {"region_id": REGION, "load_balancer_id": front}
    zero = json.dumps([entry(cloud, "web-1", Weight="0")])
    for _ in range(2):
        done = slb.set_backend_servers(models.SetBackendServersRequest(**change, backend_servers=zero)).body
        assert {one.server_id: one.weight for one in done.backend_servers.backend_server}[web] in (0, "0")
    new = [entry(cloud, "web-3", Weight="70", Type="ecs", Description="new", Port="99")]
    request = models.AddBackendServersRequest(**change, backend_servers=json.dumps(new))
    slb.add_backend_servers(request)
    assert refusal(slb.add_backend_servers, request) == (400, "InvalidParameter")
    remove = models.RemoveBackendServersRequest(**change, backend_servers=json.dumps([entry(cloud, "web-1")]))
    slb.remove_backend_servers(remove)
    slb.remove_backend_servers(remove)
    left = default_group(slb, front).backend_servers.backend_server
    assert [(one.server_id, one.weight, one.description) for one in left] == [
        (named(cloud, "web-2")["InstanceId"], 50, "half"), (named(cloud, "web-3")["InstanceId"], 70, "new"),
    ]  # fmt: skip


def test_a_vserver_group_changes_its_members_and_swaps_them(cloud, slb, shop):
    change = {"region_id": REGION, "vserver_group_id": shop}
    add = [entry(cloud, "web-2", Port="8000", Weight="10"), entry(cloud, "web-2", Port="8001", Weight="20")]
    slb.add_vserver_group_backend_servers(
        models.AddVServerGroupBackendServersRequest(**change, backend_servers=json.dumps(add))
    )
    weigh = json.dumps([entry(cloud, "web-2", Port="8001", Weight="0")])
    slb.set_vserver_group_attribute(models.SetVServerGroupAttributeRequest(**change, backend_servers=weigh))
    drop = json.dumps([entry(cloud, "web-2", Port="8000")])
    slb.remove_vserver_group_backend_servers(
        models.RemoveVServerGroupBackendServersRequest(**change, backend_servers=drop)
    )
    assert {(one.port, one.weight) for one in in_group(slb, shop).values()} == {(8000, 100), (8001, 0)}
    swap = models.ModifyVServerGroupBackendServersRequest(
        **change, old_backend_servers=json.dumps([entry(cloud, "web-1", Port="8000")]),
        new_backend_servers=json.dumps([entry(cloud, "web-3", Port="8000", Weight="100")]),
    )  # fmt: skip
    slb.modify_vserver_group_backend_servers(swap)
    assert set(in_group(slb, shop)) == {named(cloud, "web-2")["InstanceId"], named(cloud, "web-3")["InstanceId"]}
    assert cloud.calls("ModifyVServerGroupBackendServers")[0]["effect"].startswith("changed rsp-")


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([{"ServerId": "i-none"}], "ObtainIpFail"), ([{"ServerId": "web-3", "Weight": "101"}], "InvalidParameter"),
        ([{"ServerId": "web-3", "Weight": "-1"}], "InvalidParameter"), ([{"Weight": "1"}], "InvalidParameter"),
        ([{"ServerId": f"i-{n}"} for n in range(21)], "InvalidParameter"), ("{", "InvalidParameter"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_backend_server_is_refused(cloud, slb, front, rows, code):
    if isinstance(rows, list):
        rows = json.dumps([
            {**row, "ServerId": named(cloud, "web-3")["InstanceId"]} if row.get("ServerId") == "web-3" else row
            for row in rows
        ])  # fmt: skip
    request = models.AddBackendServersRequest(region_id=REGION, load_balancer_id=front, backend_servers=rows)
    assert refusal(slb.add_backend_servers, request) == (400, code)
    assert len(default_group(slb, front).backend_servers.backend_server) == 2


def test_what_is_not_there_is_refused(cloud, slb, front, shop):
    member = json.dumps([entry(cloud, "idle", Weight="1")])
    request = models.SetBackendServersRequest(region_id=REGION, load_balancer_id=front, backend_servers=member)
    assert refusal(slb.set_backend_servers, request) == (400, "InvalidParameter")
    attribute = models.DescribeLoadBalancerAttributeRequest(region_id=REGION, load_balancer_id="lb-none")
    assert refusal(slb.describe_load_balancer_attribute, attribute) == (404, "InvalidLoadBalancerId.NotFound")
    group = models.DescribeVServerGroupAttributeRequest(region_id=REGION, vserver_group_id=front)
    assert refusal(slb.describe_vserver_group_attribute, group) == (400, "InvalidParameter")
    no_port = models.AddVServerGroupBackendServersRequest(
        region_id=REGION, vserver_group_id=shop, backend_servers=json.dumps([entry(cloud, "web-2")])
    )
    assert refusal(slb.add_vserver_group_backend_servers, no_port) == (400, "InvalidParameter")


def test_only_a_running_server_can_be_added_and_a_busy_clb_refuses(cloud, slb, front, shop):
    idle = json.dumps([entry(cloud, "idle")])
    Api(cloud)("StopInstance", InstanceId=named(cloud, "idle")["InstanceId"])
    add = models.AddBackendServersRequest(region_id=REGION, load_balancer_id=front, backend_servers=idle)
    assert refusal(slb.add_backend_servers, add) == (400, "ObtainIpFail")
    cloud.world(clb_busy_s=5)
    cloud.advance(1)
    change = {"region_id": REGION, "load_balancer_id": front}
    request = models.SetBackendServersRequest(**change, backend_servers=json.dumps([entry(cloud, "web-1", Weight=1)]))
    slb.set_backend_servers(request)
    assert refusal(slb.set_backend_servers, request) == (409, "BackendServer.configuring")
    group = models.SetVServerGroupAttributeRequest(
        region_id=REGION, vserver_group_id=shop, backend_servers=json.dumps([entry(cloud, "web-1", Port=8000)])
    )
    slb.set_vserver_group_attribute(group)
    assert refusal(slb.set_vserver_group_attribute, group) == (400, "VServerGroupProcessing")
    cloud.advance(5)
    slb.set_backend_servers(request)


def test_health_is_told_by_listener(cloud, slb, front):
    def health():
        request = models.DescribeHealthStatusRequest(region_id=REGION, load_balancer_id=front, listener_port=PORT)
        rows = slb.describe_health_status(request).body.backend_servers.backend_server
        return {one.server_id: (one.server_health_status, one.port) for one in rows}

    web, other = (named(cloud, name)["InstanceId"] for name in ("web-1", "web-2"))
    assert health() == {web: ("normal", BACKEND_PORT), other: ("normal", BACKEND_PORT)}
    cloud.control("POST", "service", {"instance": "web-1", "mode": "down"})
    cloud.advance(4)
    assert health()[web][0] == "normal"
    cloud.advance(2)
    assert health() == {web: ("abnormal", BACKEND_PORT), other: ("normal", BACKEND_PORT)}
    cloud.control("POST", "service", {"instance": "web-1"})
    cloud.advance(6)
    assert health()[web][0] == "normal"


def test_an_instance_that_is_released_drops_out_by_itself(cloud, slb, front, shop):
    web = named(cloud, "web-1")["InstanceId"]
    cloud.interrupt([web], notice_s=10)
    cloud.advance(11)
    left = default_group(slb, front).backend_servers.backend_server
    assert [one.server_id for one in left] == [named(cloud, "web-2")["InstanceId"]]
    assert in_group(slb, shop) == {}


@pytest.mark.parametrize("kind", ["throttle", "error", "drop_reply", "slow"])
def test_a_change_can_go_wrong_on_order_and_be_repeated(cloud, slb, front, kind):
    zero = json.dumps([entry(cloud, "web-1", Weight="0")])
    request = models.SetBackendServersRequest(region_id=REGION, load_balancer_id=front, backend_servers=zero)
    code = {"throttle": ("Throttling.User", 400), "error": ("SystemBusy", 449)}.get(kind)
    cloud.fault("SetBackendServers", kind, **({"code": code[0], "status": code[1]} if code else {"delay_s": 0.01}))
    if code:
        assert refusal(slb.set_backend_servers, request) == (code[1], code[0])
    elif kind == "drop_reply":
        with pytest.raises(Exception, match=r"Connection|Remote|aborted"):
            slb.set_backend_servers(request)
    else:
        slb.set_backend_servers(request)
    assert weight_of(cloud, front, "web-1") == (100 if code else 0)
    slb.set_backend_servers(request)
    assert weight_of(cloud, front, "web-1") == 0


def test_a_missing_permission_is_refused_or_shows_nothing(cloud, slb, front):
    cloud.world(permissions={"SetBackendServers": "forbidden", "DescribeLoadBalancers": "empty"})
    request = models.SetBackendServersRequest(
        region_id=REGION, load_balancer_id=front, backend_servers=json.dumps([entry(cloud, "web-1", Weight="0")])
    )
    assert refusal(slb.set_backend_servers, request) == (403, "Forbidden.RAM")
    listed = slb.describe_load_balancers(models.DescribeLoadBalancersRequest(region_id=REGION)).body
    assert listed.load_balancers.load_balancer in ([], None)
    assert weight_of(cloud, front, "web-1") == 100


def weight_of(cloud, group, name):
    return servers(cloud, group)[named(cloud, name)["InstanceId"]]["Weight"]
