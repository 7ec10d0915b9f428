"""Worlds and scenarios of one's own: declared in TOML or Python, refused in words when something is wrong in them."""

import tomllib

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from spottui.sim import catalog, declared, saving
from spottui.sim.clock import Clock
from spottui.sim.command import sim
from spottui.sim.errors import ControlError
from spottui.sim.scenario import load, parse
from spottui.sim.testing import SimServer
from tests.sim.calls import Api

WORLD = """
account_id = "1234567890123456"

[[type]]
name = "ecs.x9.large"
vcpu = 2
memory_gib = 4
price = 0.3

[[region]]
id = "eu-central-1"
queue = "mine"
security_group = "sg-web"
  [[region.vswitch]]
  zone = "eu-central-1a"
  cidr = "10.1.0.0/24"
  [[region.vswitch]]
  zone = "eu-central-1b"
  cidr = "10.2.0.0/24"
  [[region.image]]
  id = "base-x86"
  [[region.image]]
  id = "base-arm"
  architecture = "arm64"

[[instance]]
name = "web"
type = "ecs.x9.large"
zone = "eu-central-1a"
count = 3
eip = true
ram_role = "web-role"
user_data = "#!/bin/sh"
tags = { app = "web" }
ports = [8080]
disks = [{ size = 30 }, { size = 200, category = "cloud_auto", kms_key = "key-1", delete_with_instance = false }]

[[instance]]
name = "arm"
type = "ecs.g8y.large"
zone = "eu-central-1b"
private_ip = "10.2.0.77"
spot_price_limit = 0.2
behavior = "Stop"

[[instance]]
name = "db"
type = "ecs.r7.large"
zone = "eu-central-1b"
spot = false

[[load_balancer]]
name = "front"
product = "alb"
port = 80
backend_port = 8080
servers = ["web-1", { instance = "web-2", weight = 10, port = 8081 }]
check = { interval_s = 5 }

[[dns_zone]]
name = "corp.internal"
records = [{ rr = "arm", instance = "arm" }]

[[price]]
type = "ecs.x9.large"
zone = "eu-central-1a"
price = 0.123

[[stock]]
type = "ecs.x9.large"
zone = "eu-central-1b"
stock = 0

[settings]
boot_s = 7
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "fleet.toml"
    path.write_text(WORLD)
    return path


def built(tables, seed=7):
    return declared.build(tables, Clock(0, 1_764_000_000.0), seed)


def test_a_declared_world_is_served(file):
    with SimServer(world=file, speed=0, start_at=1_764_000_000.0) as cloud:
        state = cloud.state()
        names = [row["InstanceName"] for row in state["instances"]]
        assert names == ["web-1", "web-2", "web-3", "arm", "db"]
        assert (cloud.endpoint.regions, cloud.endpoint.queue) == (("eu-central-1",), "mine")
        web, arm = state["instances"][0], state["instances"][3]
        disks = {row["DiskId"]: row for row in state["disks"]}
        assert [disks[one]["Size"] for one in web["DiskIds"]] == [30, 200]
        assert disks[web["DiskIds"][1]]["DeleteWithInstance"] is False
        assert (arm["PrivateIpAddress"], arm["SpotInterruptionBehavior"], arm["ImageId"]) == (
            "10.2.0.77", "Stop", "base-arm",
        )  # fmt: skip
        api = Api(cloud)
        where = {"RegionId": "eu-central-1"}
        history = api("DescribeSpotPriceHistory", **where, NetworkType="vpc", InstanceType="ecs.x9.large")
        assert {row["SpotPrice"] for row in history["SpotPrices"]["SpotPriceType"] if row["ZoneId"].endswith("1a")} == {
            0.123
        }
        (group,) = state["server_groups"]
        assert [(row["Port"], row["Weight"], row["Health"]) for row in group["Servers"]] == [
            (8080, 100, "Healthy"), (8081, 10, "Initial"),
        ]  # fmt: skip
        assert state["dns_zones"][0]["Records"][0]["Value"] == "10.2.0.77"
        cloud.interrupt([web["InstanceId"]], notice_s=10)
        cloud.advance(11)
        assert len(cloud.state()["instances"]) == 4
        cloud.reset()
        assert cloud.state() == state


def test_the_same_tables_in_python_are_the_same_world(file):
    tables = tomllib.loads(WORLD)
    assert saving.save(built(tables)) == saving.save(built(declared.read(file)))
    assert saving.save(built(tables)) != saving.save(built(tables, seed=8))
    loaded = saving.load(saving.save(built(tables)))
    assert saving.save(loaded) == saving.save(built(tables))
    assert "ecs.x9.large" in {kind.name for kind in catalog.added()}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"regions": []}, "regions"), ({"region": []}, "region"), ({"region": {}}, "region"),
        ({"instance": [{"name": "x", "type": "ecs.none", "zone": "eu-central-1a"}]}, "instance[1].type"),
        ({"instance": [{"name": "x", "type": "ecs.g7.large", "zone": "mars"}]}, "instance[1].zone"),
        ({"instance": [{"name": "x", "type": "ecs.g7.large", "zone": "eu-central-1a", "colour": "red"}]},
         "instance[1].colour"),
        ({"instance": [{"name": "x", "type": "ecs.g7.large", "zone": "eu-central-1a", "private_ip": "10.9.9.9"}]},
         "instance[1].private_ip"),
        ({"instance": [{"name": "x", "type": "ecs.g7.large", "zone": "eu-central-1a", "disks": [{"size": 0}]}]},
         "instance[1].size"),
        ({"region": [{"id": "r", "vswitch": [{"zone": "a", "cidr": "ten"}]}]}, "region[1].vswitch[1].cidr"),
        ({"type": [{"name": "ecs.g7.large", "vcpu": 3, "memory_gib": 1, "price": 1}]}, "type[1].name"),
        ({"load_balancer": [{"name": "x"}]}, "load_balancer[1].port"),
        ({"load_balancer": [{"name": "x", "port": 80, "servers": ["web-9"]}]}, "load_balancer[1].instance"),
        ({"dns_zone": [{"name": "x", "records": [{}]}]}, "dns_zone[1].rr"),
        ({"settings": {"boot_s": -1}}, "boot_s"), ({"stock": [{"type": "ecs.g7.large"}]}, "stock[1].zone"),
    ],
)  # fmt: skip
def test_a_wrong_world_is_refused_with_its_place(change, field):
    with pytest.raises(ControlError) as refused:
        built({**tomllib.loads(WORLD), **change})
    assert refused.value.field == field
    assert refused.value.message


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
TABLES = st.dictionaries(
    st.sampled_from(["type", "region", "instance", "price", "stock", "settings", "load_balancer", "dns_zone", "x"]),
    SCALARS | st.lists(SCALARS | st.dictionaries(st.sampled_from(["name", "id", "zone", "vswitch", "type"]), SCALARS)),
)


@settings(deadline=None)
@given(TABLES)
def test_nothing_but_words_comes_of_a_malformed_world(tables):
    with pytest.raises(ControlError) as refused:
        built(tables)
    assert refused.value.field


def test_a_scenario_of_a_file_is_played(tmp_path, file):
    night = tmp_path / "night.toml"
    night.write_text('[[at]]\nat_s = 5\nwhat = "interrupt"\ninstances = ["web-2"]\n')
    with SimServer(world=file, scenario=str(night), speed=0) as cloud:
        cloud.advance(6)
        locked = [row["InstanceName"] for row in cloud.state()["instances"] if row["LockReasons"]]
    assert locked == ["web-2"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("at = ", "scenario"), ('[[at]]\nwhat = "interrupt"', "at_s"), ("[[at]]\nat_s = 0", "what"),
        ('[[at]]\nat_s = "x"\nwhat = "stock"', "at_s"), ("colour = 3", "colour"),
    ],
)  # fmt: skip
def test_a_malformed_scenario_is_refused_in_words(text, field):
    with pytest.raises(ControlError) as refused:
        parse("mine", text)
    assert refused.value.field == field


def test_a_scenario_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ControlError):
        load(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--world", '[[region]]\nid = "r"', "region[1].vswitch"), ("--world", "[[", "fleet.toml"),
        ("--scenario", "[[at]]\nat_s = 1", "what"),
    ],
)  # fmt: skip
def test_the_program_says_what_is_wrong_with_a_file_and_shows_no_traceback(tmp_path, option, text, said):
    path = tmp_path / "fleet.toml"
    path.write_text(text)
    refused = CliRunner().invoke(sim, [option, str(path)])
    assert (refused.exit_code, type(refused.exception)) == (2, SystemExit)
    assert said in refused.output


def test_state_tells_of_everything_there_is(file):
    with SimServer(world=file, speed=0) as cloud:
        api, state = Api(cloud), cloud.state()
        region = {"RegionId": "eu-central-1"}
        web = state["instances"][0]
        api("CreateNetworkInterface", **region, VSwitchId=web["VSwitchId"], SecurityGroupId="sg-web")
        api("CreateSnapshotGroup", **region, InstanceId=web["InstanceId"])
        api("CreateLaunchTemplate", **region, LaunchTemplateName="t", InstanceType="ecs.x9.large", UserData="c2VjcmV0")
        run = {"Type": "RunShellScript", "CommandContent": "sync", "InstanceId__1": web["InstanceId"]}
        api("RunCommand", **region, **run)
        cloud.fault("StartInstance", "reset")
        state = cloud.state()
    assert "c2VjcmV0" not in str(state)
    for name in (
        "network_interfaces", "snapshot_groups", "launch_templates", "invocations", "faults", "vswitches", "snapshots",
        "disks", "images", "eips", "stock", "prices", "regions", "event_rules", "queues", "load_balancers",
        "server_groups", "dns_zones", "services",
    ):  # fmt: skip
        assert state[name], name
    assert state["snapshot_groups"][0]["SnapshotIds"] == [one["SnapshotId"] for one in state["snapshots"]]
