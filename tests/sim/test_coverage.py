"""Nothing is ignored in silence: every documented filter works, is without effect for a reason, or is refused."""

import inspect
import re
from pathlib import Path

import pytest
from alibabacloud_alb20200616 import models as alb
from alibabacloud_ecs20140526 import models as ecs
from alibabacloud_nlb20220430 import models as nlb
from alibabacloud_pvtz20180101 import models as pvtz
from alibabacloud_slb20140515 import models as slb
from alibabacloud_tea_openapi.exceptions import ClientException

from spottui.sim import registry, rpc
from spottui.sim.coverage_table import table
from tests.sim.calls import CMS, Api

MODELS = {registry.ECS: ecs, registry.SLB: slb, registry.ALB: alb, registry.NLB: nlb, registry.PVTZ: pvtz}
COMMON = {"OwnerId", "OwnerAccount", "ResourceOwnerId", "ResourceOwnerAccount", "RegionId"}
NEEDED = {
    "DescribeAvailableResource": {"DestinationResource": "InstanceType"},
    "DescribeSpotPriceHistory": {"NetworkType": "vpc", "InstanceType": "ecs.g7.large"},
    "DescribeRecommendInstanceType": {"NetworkType": "vpc", "InstanceType": "ecs.g7.large"},
    "DescribePrice": {"InstanceType": "ecs.g7.large"},
    "ListTagResources": {"ResourceType": "instance", "Tag__1__Key": "app"},
}


def documented(version, action):
    """The parameters of an action as the official SDK has them, scalars as `Name` and lists as `Name.1`."""
    source = inspect.getsource(getattr(MODELS[version], f"{action}Request"))
    names = dict(re.findall(r"result\['(\w+)'\] = (\S+)", source))
    hints = dict(re.findall(r"(\w+): ([\w.\[\]]+) = None", source))
    for name, value in names.items():
        hint = hints.get(value.removeprefix("self."), "")
        # One that has parts, like NotBefore.Start, is no parameter by itself.
        if name not in COMMON and value.startswith("self.") and ".to_map" not in value:
            yield name, "List" in hint


def reads():
    assert rpc.REGISTERED
    return [
        (version, name)
        for version in MODELS
        for name in registry.actions(version)
        if name.startswith(("Describe", "List", "Get"))
    ]


def ids_of_balancers(cloud):
    """What the reads of load balancers and zones cannot do without."""
    front = cloud.control("POST", "balancer", {"name": "front", "port": 80, "group": "shop", "servers": ["web-1"]})
    ids = {"LoadBalancerId": front["load_balancer_id"], "VServerGroupId": front["server_group_id"]}
    zone = cloud.control("POST", "dns", {"name": "corp"})["zone_id"]
    return {
        registry.SLB: {
            "DescribeLoadBalancers": {}, "DescribeVServerGroupAttribute": {"VServerGroupId": ids["VServerGroupId"]},
            None: {"LoadBalancerId": ids["LoadBalancerId"]},
        },
        registry.PVTZ: {"DescribeZones": {}, None: {"ZoneId": zone}},
        **{
            version: {"GetListenerHealthStatus": {"ListenerId": made["listener_id"]}, None: {}}
            for version, product in ((registry.ALB, "alb"), (registry.NLB, "nlb"))
            for made in [cloud.control("POST", "balancer", {"name": product, "product": product, "port": 80})]
        },
    }  # fmt: skip


@pytest.mark.parametrize(("version", "action"), reads())
def test_no_documented_parameter_is_ignored_in_silence(cloud, victim, version, action):
    api = Api(cloud, version)
    needed = NEEDED.get(action, {})
    if version != registry.ECS:
        of = ids_of_balancers(cloud)[version]
        needed = of.get(action, of[None])
    if action in ("DescribeInstanceAttribute", "DescribeUserData"):
        needed = {"InstanceId": victim["InstanceId"]}
    ignored = []
    for name, is_list in documented(version, action):
        key = f"{name}__1" if is_list else name
        before, loud = dict(cloud.control("GET", "coverage")["unsupported"]), False
        try:
            api(action, **{key: "1", **needed})
        except ClientException as refusal:
            loud = refusal.code == "UnsupportedBySimulator"
        after = cloud.control("GET", "coverage")["unsupported"]
        if set(after) - set(before) and not loud:
            ignored.append(name)
    assert ignored == []


def test_a_documented_filter_that_is_not_modelled_is_refused_and_counted(cloud):
    api = Api(cloud)
    refused = api.refused("DescribeInstanceTypes", MinimumBaselineCredit=3)
    assert refused == (400, "UnsupportedBySimulator")
    api.refused("DescribeInstanceTypes", MinimumBaselineCredit=3)
    assert cloud.control("GET", "coverage")["unsupported"] == {"DescribeInstanceTypes.MinimumBaselineCredit": 2}


@pytest.mark.parametrize(
    ("version", "action", "query"),
    [
        (registry.SLB, "DescribeLoadBalancers", {"Tags": "[]"}),
        (registry.ALB, "ListListeners", {"Tag__1__Key": "a"}), (registry.NLB, "ListListeners", {"Tag__1__Key": "a"}),
        (registry.ALB, "ListServerGroupServers", {"Tag__1__Key": "a"}),
        (registry.VPC, "DescribeVSwitches", {"RegionId": "cn-hangzhou", "RouteTableId": "vtb-1"}),
        (registry.VPC, "DescribeEipAddresses", {"RegionId": "cn-hangzhou", "EipName": "front"}),
    ],
)  # fmt: skip
def test_filters_of_other_products_that_are_not_modelled_are_refused(cloud, version, action, query):
    assert Api(cloud, version).refused(action, **query) == (400, "UnsupportedBySimulator")


def test_what_nobody_knows_is_ignored_as_there_but_named_in_the_answer(cloud):
    api = Api(cloud)
    headers = api.headers("DescribeRegions", NoSuchParameter="x")
    assert headers["x-sim-unsupported"] == "NoSuchParameter"
    assert "x-sim-unsupported" not in api.headers("DescribeRegions")
    assert cloud.control("GET", "coverage")["calls"] == {"DescribeRegions": 2}


def test_an_action_that_is_not_there_is_counted(cloud):
    assert Api(cloud).refused("CreateMoon") == (404, "InvalidAction.NotFound")
    assert Api(cloud, CMS).refused("PutMetricAlarm") == (404, "InvalidAction.NotFound")
    assert cloud.control("GET", "coverage")["unsupported"] == {"CreateMoon": 1, "PutMetricAlarm": 1}


@pytest.mark.parametrize(
    ("action", "name", "hit", "miss"),
    [
        ("DescribeInstances", "VpcId", None, "vpc-none"), ("DescribeInstances", "HttpTokens", "optional", "required"),
        ("DescribeInstances", "InternetChargeType", "PayByTraffic", "PayByBandwidth"),
        ("DescribeDisks", "DiskName", None, "none"), ("DescribeDisks", "Encrypted", "false", "true"),
        ("DescribeDisks", "PerformanceLevel", "PL0", "PL3"), ("DescribeDisks", "KMSKeyId", None, "key-1"),
        ("DescribeImages", "OSType", "linux", "windows"), ("DescribeImages", "Architecture", "x86_64", "arm64"),
        ("DescribeImages", "InstanceType", "ecs.g7.large", "ecs.g8y.large"),
        ("DescribeImages", "IsPublic", "true", "false"), ("DescribeSnapshots", "SnapshotType", "user", "auto"),
        ("DescribeInstanceTypes", "InstanceTypeFamily", "ecs.g7", "ecs.none"),
        ("DescribeSecurityGroups", "SecurityGroupType", "normal", "enterprise"),
        ("DescribeNetworkInterfaces", "Type", "Primary", "Secondary"),
        ("DescribeEipAddresses", "ChargeType", "PostPaid", "PrePaid"),
    ],
)  # fmt: skip
def test_filters_decide(cloud, victim, action, name, hit, miss):
    api = Api(cloud)
    if action == "DescribeSnapshots":
        api("CreateSnapshot", DiskId=victim["DiskIds"][0])
    if hit is not None:
        found = rows(api(action, **{name: hit}))
        assert found
        assert all(row in rows(api(action)) for row in found)
    assert rows(api(action, **{name: miss})) == []


def rows(body):
    return next(inner for outer in body.values() if isinstance(outer, dict) for inner in outer.values())


def test_the_table_of_the_documentation_is_made_from_the_code():
    written = (Path(__file__).parents[2] / "docs/simulator.md").read_text("utf-8")
    assert written.endswith(f"{table()}\n"), "python -m spottui.sim.coverage_table gives the new one"
