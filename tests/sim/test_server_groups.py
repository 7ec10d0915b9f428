"""Server groups of ALB and NLB: jobs that take their time, tokens, limits, health; the vendor's clients are judges."""

from types import SimpleNamespace

import pytest
from alibabacloud_alb20200616 import client as alb_client
from alibabacloud_alb20200616 import models as alb
from alibabacloud_nlb20220430 import client as nlb_client
from alibabacloud_nlb20220430 import models as nlb
from alibabacloud_tea_openapi.exceptions import ClientException

from spottui.sim.testing import SimServer
from tests.sim.balancing import BACKEND_PORT, PORT, balancer, client_of, fleet, named, servers
from tests.sim.calls import Api


class Group:
    """The server group of a product's load balancer, through the product's own client."""

    def __init__(self, cloud, product, client, models):
        self.cloud, self.product, self.models = cloud, product, models
        self.client = client_of(SimpleNamespace(client=client), cloud)
        self.listener = balancer(cloud, product)["Listeners"][0]
        self.id = self.listener["ServerGroupId"]
        self.ids = {row["InstanceName"]: row["InstanceId"] for row in cloud.state()["instances"]}

    def change(self, action, *rows, **more):
        """Add, Remove or Update servers, given as (name, fields)."""
        model = {
            "add": "AddServersToServerGroup", "remove": "RemoveServersFromServerGroup",
            "update": "UpdateServerGroupServersAttribute",
        }[action]  # fmt: skip
        of = getattr(self.models, f"{model}RequestServers")
        request = getattr(self.models, f"{model}Request")(
            server_group_id=self.id, servers=[of(**self.row(name, **fields)) for name, fields in rows], **more
        )
        call = {"add": "add_servers_to_server_group", "remove": "remove_servers_from_server_group",
                "update": "update_server_group_servers_attribute"}[action]  # fmt: skip
        return getattr(self.client, call)(request).body

    def row(self, name, **fields):
        server_id = fields.pop("server_id", None) or self.ids[name]
        return {"server_id": server_id, "server_type": "Ecs", "port": BACKEND_PORT, **fields}

    def refused(self, action, *rows, **more):
        with pytest.raises(ClientException) as refusal:
            self.change(action, *rows, **more)
        return refusal.value.status_code, refusal.value.code

    def listed(self, **filters):
        request = self.models.ListServerGroupServersRequest(**filters)
        return self.client.list_server_group_servers(request).body

    def balancers(self, **filters):
        return self.client.list_load_balancers(self.models.ListLoadBalancersRequest(**filters)).body

    def ill(self):
        """Status by server of what the health checks do not like."""
        request = self.models.GetListenerHealthStatusRequest(listener_id=self.listener["ListenerId"])
        (status,) = self.client.get_listener_health_status(request).body.listener_health_status
        return {one.server_id: one.status for one in status.server_group_infos[0].non_normal_servers}

    def members(self):
        """Status and weight by the name of the server."""
        names = {row["InstanceId"]: row["InstanceName"] for row in self.cloud.state()["instances"]}
        found = servers(self.cloud, self.id)
        return {names.get(key, "gone"): (row["Status"], row["Weight"]) for key, row in found.items()}


@pytest.fixture(scope="module")
def server():
    with SimServer(world=fleet(), speed=0) as running:
        yield running


@pytest.fixture
def cloud(server):
    server.reset()
    return server


@pytest.fixture(params=["alb", "nlb"])
def group(cloud, request):
    client, models = {"alb": (alb_client, alb), "nlb": (nlb_client, nlb)}[request.param]
    return Group(cloud, request.param, client, models)


def test_where_an_instance_is_a_member(cloud, group):
    web = named(cloud, "web-2")["InstanceId"]
    (found,) = group.listed(server_ids=[web]).servers
    assert (found.server_group_id, found.server_id, found.port, found.weight, found.description, found.status) == (
        group.id, web, BACKEND_PORT, 50, "half", "Available",
    )  # fmt: skip
    assert (found.server_type, found.server_ip) == ("Ecs", named(cloud, "web-2")["PrivateIpAddress"])
    (of,) = group.client.list_server_groups(group.models.ListServerGroupsRequest()).body.server_groups
    assert (of.server_group_id, of.server_count, of.server_group_status) == (group.id, 2, "Available")
    assert of.related_load_balancer_ids == [balancer(cloud, group.product)["LoadBalancerId"]]
    (listener,) = group.client.list_listeners(group.models.ListListenersRequest()).body.listeners
    assert (listener.listener_id, listener.listener_port) == (group.listener["ListenerId"], PORT)


def test_a_change_is_a_job_and_the_group_takes_no_other_meanwhile(cloud, group):
    job = group.change("update", ("web-1", {"weight": 0}))
    assert group.members() == {"web-1": ("Configuring", 100), "web-2": ("Available", 50)}
    busy = {"alb": "IncorrectStatus.ServerGroup", "nlb": "IncorrectStatus.serverGroup"}[group.product]
    assert group.refused("update", ("web-2", {"weight": 0})) == (400, busy)
    assert status_of(group, job.job_id).lower() == "processing"
    cloud.advance(1)
    assert status_of(group, job.job_id) == "Succeeded"
    assert group.members() == {"web-1": ("Available", 0), "web-2": ("Available", 50)}
    group.change("add", ("web-3", {"weight": 100, "description": "replacement"}))
    assert group.members()["web-3"] == ("Adding", 100)
    cloud.advance(1)
    group.change("remove", ("web-1", {}))
    assert group.members()["web-1"][0] == "Removing"
    cloud.advance(1)
    assert group.members() == {"web-2": ("Available", 50), "web-3": ("Available", 100)}


def status_of(group, job_id):
    if group.product == "nlb":
        return group.client.get_job_status(nlb.GetJobStatusRequest(job_id=job_id)).body.status
    (job,) = group.client.list_asyn_jobs(alb.ListAsynJobsRequest(job_ids=[job_id])).body.jobs
    return job.status


def test_a_weight_that_is_not_said_becomes_100_as_documented(cloud, group):
    group.change("update", ("web-2", {"description": "other"}))
    cloud.advance(1)
    assert group.members()["web-2"] == ("Available", 100)


def test_a_token_makes_a_change_once_and_is_of_one_change_only(cloud, group):
    rows = (("web-3", {"weight": 10}),)
    first = group.change("add", *rows, client_token="t")
    assert group.change("add", *rows, client_token="t").job_id == first.job_id
    cloud.advance(1)
    assert group.change("add", *rows, client_token="t").job_id == first.job_id
    assert group.refused("add", ("web-3", {"weight": 11}), client_token="t") == (400, "IdempotenceSignatureMismatch")
    assert len(group.members()) == 3
    assert group.refused("add", *rows, client_token="u")[0] == 400


def test_a_dry_run_checks_and_changes_nothing(cloud, group):
    assert group.refused("update", ("web-1", {"weight": 0}), dry_run=True) == (400, "DryRunOperation")
    assert group.refused("update", ("web-3", {}), dry_run=True) == (404, "ResourceNotFound.BackendServer")
    assert group.members() == {"web-1": ("Available", 100), "web-2": ("Available", 50)}


@pytest.mark.parametrize(
    ("action", "fields", "refusal"),
    [
        ("add", {"weight": 101}, (400, "IllegalParam")), ("add", {"weight": -1}, (400, "IllegalParam")),
        ("add", {"port": 70_000}, (400, "IllegalParam")), ("add", {"port": None}, (400, "IllegalParam")),
        ("add", {"description": "x"}, (400, "IllegalParam.description")),
        ("add", {"server_id": "i-none"}, (404, "ResourceNotFound.Ecs")),
        ("add", {"server_id": "eni-none", "server_type": "Eni"}, (404, "ResourceNotFound.Eni")),
        ("update", {}, (404, "ResourceNotFound.BackendServer")),
        ("remove", {}, (404, "ResourceNotFound.BackendServer")),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(group, action, fields, refusal):
    assert group.refused(action, ("web-3", fields)) == refusal
    assert len(group.members()) == 2


def test_limits_of_one_call(cloud, group):
    assert group.refused("add", *[("web-3", {"port": n}) for n in range(1, 202)]) == (400, "IllegalParam")
    most = {"alb": 40, "nlb": 200}[group.product]
    many = [("web-3", {"port": n}) for n in range(1, most + 1)]
    group.change("add", *many)
    cloud.advance(1)
    group.change("update", *many)
    cloud.advance(1)
    assert group.refused("update", *many, ("web-1", {})) == (400, "IllegalParam")
    assert group.refused("update", many[0], many[0]) == (400, "DuplicatedParam.Server")
    seen, token = [], None
    while token != "":
        body = group.listed(server_group_id=group.id, max_results=30, next_token=token)
        seen += [(one.server_id, one.port) for one in body.servers]
        token = body.next_token
    assert len(seen) == len(set(seen)) == most + 2
    with pytest.raises(ClientException):
        group.listed(server_ids=[f"i-{n}" for n in range(41)])


def test_a_group_that_is_not_there_is_named_as_the_product_names_it(group):
    code = {"alb": "ResourceNotFound.ServerGroup", "nlb": "ResourceNotFound.serverGroup"}[group.product]
    group.id = "sgp-none"
    assert group.refused("remove", ("web-1", {})) == (404, code)


def test_health_follows_the_service_and_a_new_server_is_initial_first(cloud, group):
    assert group.ill() == {}
    web, new = (named(cloud, name)["InstanceId"] for name in ("web-1", "web-3"))
    cloud.control("POST", "service", {"instance": "web-1", "mode": "down"})
    group.change("add", ("web-3", {}))
    cloud.advance(1)
    assert group.ill() == {new: "Initial"}
    cloud.advance(6)
    assert group.ill() == {web: "Unhealthy"}
    group.change("update", ("web-1", {"weight": 0}))
    cloud.advance(1)
    assert group.ill() == {web: {"alb": "Unused", "nlb": "Unhealthy"}[group.product]}


def test_interfaces_and_addresses_are_servers_too(cloud, group):
    row = named(cloud, "web-3")
    api = Api(cloud)
    eni = api("CreateNetworkInterface", VSwitchId=row["VSwitchId"], SecurityGroupId="sg-web")["NetworkInterfaceId"]
    api("AttachNetworkInterface", NetworkInterfaceId=eni, InstanceId=row["InstanceId"])
    group.change(
        "add", ("", {"server_id": eni, "server_type": "Eni"}),
        ("", {"server_id": row["PrivateIpAddress"], "server_type": "Ip"}),
    )  # fmt: skip
    cloud.advance(8)
    assert group.ill() == {}
    added = group.listed(server_ids=[eni, row["PrivateIpAddress"]]).servers
    assert [(one.server_type, one.status) for one in added] == [("Eni", "Available"), ("Ip", "Available")]


@pytest.mark.parametrize("fault", ["drop_reply", "throttle", "error", "slow"])
def test_every_change_can_go_wrong_on_order(cloud, group, fault):
    how = {"code": "SystemBusy", "status": 400} if fault == "error" else {}
    cloud.fault("UpdateServerGroupServersAttribute", fault, match={"ServerGroupId": group.id}, delay_s=0.01, **how)
    rows = (("web-1", {"weight": 0}),)
    if fault in ("throttle", "error"):
        code = {"throttle": "Throttling.User", "error": "SystemBusy"}[fault]
        assert group.refused("update", *rows, client_token="t") == (400, code)
    elif fault == "slow":
        group.change("update", *rows, client_token="t")
    else:
        with pytest.raises(Exception, match=r"Connection|Remote|aborted"):
            group.change("update", *rows, client_token="t")
    group.change("update", *rows, client_token="t")
    cloud.advance(1)
    assert group.members()["web-1"] == ("Available", 0)
    effects = [row["effect"] for row in cloud.calls("UpdateServerGroupServersAttribute") if row["effect"]]
    assert [one.split()[0] for one in effects] == (
        ["changed"] if fault in ("throttle", "error") else ["changed", "replayed"]
    )


def test_a_missing_permission_is_named_as_the_product_names_it(cloud, group):
    cloud.world(permissions={"UpdateServerGroupServersAttribute": "forbidden", "ListServerGroupServers": "empty"})
    assert group.refused("update", ("web-1", {"weight": 0})) == (403, "Forbidden.NoPermission")
    assert group.listed(server_group_id=group.id).servers in ([], None)


def test_the_load_balancers_of_a_product_are_listed_in_pages(cloud, group):
    for number in range(2, 6):
        cloud.control(
            "POST", "balancer", {"name": f"back-{number}", "product": group.product, "port": 80, "tags": {"n": "x"}}
        )
    seen, token = [], None
    while token != "":
        body = group.balancers(max_results=2, next_token=token)
        seen += [one.load_balancer_name for one in body.load_balancers]
        token = body.next_token
        assert body.total_count == 5
    assert seen == ["front", "back-2", "back-3", "back-4", "back-5"]


def test_a_load_balancer_is_shown_as_the_product_shows_it(cloud, group):
    row = balancer(cloud, group.product)
    (found,) = group.balancers().load_balancers
    assert (found.load_balancer_id, found.load_balancer_name) == (row["LoadBalancerId"], "front")
    assert (found.load_balancer_status, found.address_type) == ("Active", "Intranet")
    assert found.dnsname == f"{row['LoadBalancerId']}.cn-hangzhou.{group.product}.aliyuncs.com"
    assert found.load_balancer_billing_config.pay_type == "PostPay"
    if group.product == "nlb":
        (zone,) = found.zone_mappings
        assert (zone.zone_id, zone.load_balancer_addresses[0].private_ipv_4address) == ("cn-hangzhou-h", row["Address"])


@pytest.mark.parametrize(
    ("name", "hit", "miss"),
    [
        ("load_balancer_ids", ["ID"], ["alb-none"]), ("load_balancer_names", ["front", "none"], ["none"]),
        ("load_balancer_status", "Active", "Inactive"), ("vpc_ids", ["VPC"], ["vpc-none"]),
        ("zone_id", "cn-hangzhou-h", "cn-hangzhou-i"), ("address_type", "Intranet", "Internet"),
        ("address_ip_version", "IPv4", "DualStack"), ("dnsname", "DNS", "x.aliyuncs.com"),
        ("tag", {"app": "shop"}, {"app": "other"}),
    ],
)  # fmt: skip
def test_filters_of_load_balancers_decide(cloud, group, name, hit, miss):
    cloud.control("POST", "balancer", {"name": "front", "product": group.product, "port": 81, "tags": {"app": "shop"}})
    (row,) = group.balancers().load_balancers
    known = {"ID": row.load_balancer_id, "VPC": row.vpc_id, "DNS": row.dnsname}

    def found(wanted):
        if isinstance(wanted, dict):
            wanted = [group.models.ListLoadBalancersRequestTag(key=key, value=value) for key, value in wanted.items()]
        elif isinstance(wanted, list):
            wanted = [known.get(one, one) for one in wanted]
        return group.balancers(**{name: known.get(wanted, wanted) if isinstance(wanted, str) else wanted})

    assert [one.load_balancer_name for one in found(hit).load_balancers] == ["front"]
    assert not found(miss).load_balancers
    many = {"load_balancer_ids": 21, "vpc_ids": 11, "load_balancer_names": {"alb": 11, "nlb": 21}[group.product]}
    if name in many:
        with pytest.raises(ClientException, match="IllegalParam"):
            found([f"x-{number}" for number in range(many[name])])
