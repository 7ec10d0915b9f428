"""No field of an instance is lost in silence: carried, said, or irrelevant, for every field of the SDK's model."""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from msgspec.structs import replace

from spottui import words
from spottui.cloud.account import CloudAccount
from spottui.cloud.ecs import Ecs, ImageSource
from spottui.cloud.instance_shapes import launch_spec
from spottui.cloud.launch_request import launch_request
from spottui.cloud.sdk import models
from spottui.config import load
from spottui.domain.instance import Disk
from spottui.domain.launch_fields import BEYOND, FATES, Carried, Irrelevant
from spottui.domain.launch_spec import CpuOptions, ImageTraits, LaunchSource, LaunchSpec, PrivateDns
from spottui.domain.losses import LossKind, lost
from spottui.domain.plan import Candidate, Plan, same_place_first
from spottui.domain.routes import Route
from spottui.sim.testing import SimServer

REGION = "cn-hangzhou"
MODELS = import_module("alibabacloud_ecs20140526.models._describe_instances_response_body")
CALLS_AFTER_IT = {"AssociateEipAddress"}


def leaves(model: str, path: str = "") -> Iterator[str]:
    """The fields of a model of the SDK by their names on the wire; those of its parts with a dot, lists without one."""
    source = inspect.getsource(getattr(MODELS, model))
    for name in dict.fromkeys(re.findall(r"m\.get\('(\w+)'\)", source)):
        part = model + name[0].upper() + name[1:]
        yield from leaves(part, f"{path}{name}.") if hasattr(MODELS, part) else (f"{path}{name}",)


def test_the_table_has_exactly_the_fields_of_the_sdk() -> None:
    assert set(FATES) == set(leaves("DescribeInstancesResponseBodyInstancesInstance"))


def test_what_carries_a_field_is_a_parameter_of_the_launch_or_a_call_after_it() -> None:
    source = inspect.getsource(models.RunInstancesRequest)
    parameters = set(re.findall(r"m\.get\('([\w.]+)'\)", source))
    for field, fate in FATES.items():
        if isinstance(fate, Carried):
            assert fate.by.partition(".")[0] in parameters | CALLS_AFTER_IT, field
        if isinstance(fate, Irrelevant):
            assert fate.why, field


def row(**fields: Any) -> dict[str, Any]:
    """An instance as the API shows it when nothing about it is special."""
    primary = {
        "Type": "Primary",
        "PrivateIpSets": {"PrivateIpSet": [{"PrivateIpAddress": "10.0.0.1", "Primary": True}]},
    }
    usual = {
        "InstanceId": "i-1", "InstanceType": "ecs.c7.large", "ZoneId": "cn-hangzhou-h", "Status": "Running",
        "SpotStrategy": "SpotAsPriceGo", "Cpu": 2, "Memory": 4096, "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 2},
        "DedicatedInstanceAttribute": {"Tenancy": "default", "Affinity": "default"},
        "EcsCapacityReservationAttr": {"CapacityReservationId": "", "CapacityReservationPreference": ""},
        "MetadataOptions": {"HttpTokens": "optional", "HttpEndpoint": "enabled", "InstanceMetadataTags": "disabled"},
        "NetworkInterfaces": {"NetworkInterface": [primary]}, "AutoReleaseTime": "", "EnableNVS": False,
    }  # fmt: skip
    return {**usual, **fields}


def said(**fields: Any) -> list[str]:
    return [words.loss(loss) for loss in lost(launch_spec(REGION, row(**fields)))]


def test_of_a_plain_instance_nothing_is_said() -> None:
    assert said() == []


@pytest.mark.parametrize("field", BEYOND)
def test_what_no_launch_can_ask_for_is_said_with_its_value(field: str) -> None:
    outer, _, inner = field.partition(".")
    value: object = ["v-1"] if field.startswith("RdmaIpAddress") else "v-1"
    (line,) = said(**{outer: {**row().get(outer, {}), inner: value} if inner else value})
    assert field in line
    assert "v-1" in line


def test_every_address_and_interface_that_is_lost_is_said() -> None:
    primary = {
        "Type": "Primary",
        "Ipv6Sets": {"Ipv6Set": [{"Ipv6Address": "::1"}]},
        "Ipv4PrefixSets": {"Ipv4PrefixSet": [{"Ipv4Prefix": "10.1.0.0/28"}]},
        "Ipv6PrefixSets": {"Ipv6PrefixSet": [{"Ipv6Prefix": "fd00::/80"}]},
        "PrivateIpSets": {
            "PrivateIpSet": [{"PrivateIpAddress": "10.0.0.1", "Primary": True}, {"PrivateIpAddress": "10.0.0.9"}]
        },
    }  # fmt: skip
    lines = said(
        VpcAttributes={"PrivateIpAddress": {"IpAddress": ["10.0.0.1"]}},
        PublicIpAddress={"IpAddress": ["1.2.3.4"]},
        NetworkInterfaces={"NetworkInterface": [primary, {"Type": "Secondary"}, {"Type": "Secondary"}]},
    )
    for part in ("10.0.0.1 is in use", "10.0.0.9", "1.2.3.4", "IPv6", "10.1.0.0/28, fd00::/80", "2 more network"):
        assert sum(part in line for line in lines) == 1, part


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"AutoReleaseTime": "2026-12-01T10:00Z"}, "2026-12-01 10:00 UTC"),
        ({"CpuOptions": {"CoreCount": 2, "ThreadsPerCore": 2}}, "2 cores, 2 threads each"),
        ({"DedicatedHostAttribute": {"DedicatedHostId": "dh-1"}}, "dh-1"),
        ({"DeletionProtection": True}, "does not stop a reclaim"),
        ({"Tags": {"Tag": [{"TagKey": f"k{n}", "TagValue": ""} for n in range(20)]}}, "tags dropped: k19"),
    ],
)
def test_what_is_not_carried_everywhere_is_said(fields: dict[str, Any], part: str) -> None:
    (line,) = said(**fields)
    assert part in line


def test_tags_of_the_cloud_and_of_an_earlier_recovery_take_no_room_and_are_no_loss() -> None:
    keys = [*(f"k{n}" for n in range(19)), "acs:ess", "ACS:x", "aliyun-y", "spottui"]
    assert said(Tags={"Tag": [{"TagKey": key, "TagValue": ""} for key in keys]}) == []


def test_every_kind_of_loss_has_words_in_which_nothing_acts_on_a_terminal() -> None:
    spec = replace(
        launch_spec(REGION, row()),
        unread=("user data\x1b[2J",),
        disks=(Disk("d-1", "", "data", "local_ssd_pro", 9), Disk("d-2", "", "data", "cloud_essd", 9, encrypted=True)),
    )
    lines = {loss.kind: words.loss(loss) for loss in lost(spec)}
    assert set(lines) == {LossKind.UNREAD, LossKind.LOCAL_DISK, LossKind.ENCRYPTED}
    assert not any("\x1b" in line for line in lines.values())
    for kind in LossKind:
        assert words.loss(replace(lost(spec)[0], kind=kind))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimServer, Ecs]]:
    config = tmp_path_factory.mktemp("fields") / "c.toml"
    with SimServer(config=config, speed=0) as server:
        server.world(instance_unlisted_s=0)
        yield server, CloudAccount(load(config)).regions[REGION]


def special(ecs: Ecs) -> LaunchSpec:
    """A spot instance of the fleet of which everything that can be carried is special."""
    plain = next(spec for page in ecs.fleet() for spec in page if spec.instance.is_spot)
    tags = tuple((f"k{n}", f"v{n}") for n in range(19))
    disk = Disk("", "/dev/xvda", "system", "cloud_essd", 40, encrypted=True, kms_key_id="key-1")
    instance = replace(plain.instance, name="web", tags=tags, public_ip="1.2.3.4")
    return replace(
        plain, instance=instance, disks=(disk,), host_name="h", description="d",
        key_pair="kp", resource_group_id="rg-1", credit_specification="Unlimited", deployment_set_id="ds-1",
        deployment_set_group=3, hpc_cluster_id="hpc-1", http_tokens="required", http_endpoint="enabled", ptp=True,
        internet_bandwidth_out=20, internet_bandwidth_in=12,
        cpu_options=CpuOptions(1, 1, "2", "DiscreteCoreToHTMapping"), nested_virtualization=True, hibernation=True,
        secure_boot=True, private_dns=PrivateDns("IpBased", False, False, True, True),
    )  # fmt: skip


def test_a_replacement_has_all_that_is_carried(cloud: tuple[SimServer, Ecs]) -> None:
    _, ecs = cloud
    spec = special(ecs)
    at = Candidate(spec.instance.instance_type, spec.instance.zone, spec.vswitch_id, "")
    new_id = ecs.run_instance(spec, at, LaunchSource(spec.image_id), "recovery-1", "token-1").resource_id
    found = ecs.launch_specs([new_id])[new_id]
    theirs = (spec.instance.instance_id, spec.instance.status, spec.instance.created)
    of_its_own = ("private_ip", "public_ip", "eip_id")
    instance = replace(
        found.instance, instance_id=theirs[0], status=theirs[1], created=theirs[2],
        tags=tuple(pair for pair in found.instance.tags if pair[0] != "spottui"),
        **{name: getattr(spec.instance, name) for name in of_its_own},
    )  # fmt: skip
    assert replace(found, instance=instance, disks=spec.disks, eni_id=spec.eni_id) == spec
    (disk,) = ecs.disks(new_id)
    assert (disk.encrypted, disk.kms_key_id) == (True, "key-1")
    assert dict(found.instance.tags)["spottui"] == "recovery-1"


def test_what_another_type_or_zone_would_refuse_is_not_asked_of_it(cloud: tuple[SimServer, Ecs]) -> None:
    server, ecs = cloud
    spec = replace(special(ecs), deletion_protection=True, dedicated_host_id="dh-1", affinity="host")
    other = "ecs.c7.large" if spec.instance.instance_type != "ecs.c7.large" else "ecs.g7.large"
    home = Candidate(spec.instance.instance_type, spec.instance.zone, spec.vswitch_id, "")
    told = [
        params_of(server, ecs, spec, place, token)
        for token, place in (
            ("a", home),
            ("b", replace(home, instance_type=other)),
            ("c", replace(home, on_demand=True)),
            ("d", replace(home, on_demand=True, zone="cn-hangzhou-z")),
        )
    ]
    assert ["CpuOptions.Core" in params for params in told] == [True, False, True, True]
    assert ["CreditSpecification" in params for params in told] == [True, False, True, True]
    assert ["DeletionProtection" in params for params in told] == [False, False, True, True]
    assert [params.get("DedicatedHostId") for params in told] == [None, None, "dh-1", None]


@pytest.mark.parametrize(
    ("public_ip", "bandwidth_out", "bandwidth_in", "asked"),
    [("1.2.3.4", 20, 19, 19), ("1.2.3.4", 20, 20, None), ("1.2.3.4", 5, 50, None), ("1.2.3.4", 5, 9, 9),
     ("1.2.3.4", 5, 0, None), ("", 20, 5, None)],
)  # fmt: skip
def test_an_inbound_bandwidth_is_asked_for_only_where_a_launch_takes_it_and_would_not_give_it_anyway(
    public_ip: str, bandwidth_out: int, bandwidth_in: int, asked: int | None
) -> None:
    shown = {"InternetMaxBandwidthOut": bandwidth_out, "InternetMaxBandwidthIn": bandwidth_in}
    spec = launch_spec(REGION, row(PublicIpAddress={"IpAddress": [public_ip] if public_ip else []}, **shown))
    request = launch_request(spec, Candidate("t", "z", "v", ""), LaunchSource("m-1"), "token", {})
    assert request.internet_max_bandwidth_in == asked


def test_what_earlier_versions_did_not_capture_changes_no_digest_of_theirs() -> None:
    spec = launch_spec(REGION, row())
    limited = replace(spec, internet_bandwidth_in=5)
    plans = [Plan((Route.IMAGE,), one, same_place_first(one, {}), "image") for one in (spec, limited)]
    assert "internet_bandwidth_in" not in repr(spec)
    assert plans[0].digest != plans[1].digest


def params_of(server: SimServer, ecs: Ecs, spec: LaunchSpec, at: Candidate, token: str) -> dict[str, str]:
    server.fault("RunInstances", "error", code="OperationDenied.NoStock", status=403)
    with pytest.raises(Exception, match="NoStock"):
        ecs.run_instance(spec, at, LaunchSource(spec.image_id), "recovery-1", token)
    return dict(server.calls("RunInstances")[-1]["params"])


def test_an_image_of_snapshots_is_told_of_what_machine_it_is(cloud: tuple[SimServer, Ecs]) -> None:
    server, ecs = cloud
    image_id = next(spec.image_id for page in ecs.fleet() for spec in page)
    traits = ecs.image_traits([image_id, "m-gone"])
    assert traits == {image_id: ImageTraits("x86_64", "Ubuntu", "UEFI-Preferred", "v2")}
    source = ImageSource(snapshots=(("/dev/xvda", "s-1"),), traits=traits[image_id])
    with pytest.raises(Exception, match="s-1"):
        ecs.create_image(source, "name", "recovery-1", "token-2")
    params = server.calls("CreateImage")[-1]["params"]
    told = [params[name] for name in ("Architecture", "Platform", "BootMode", "Features.ImdsSupport")]
    assert told == ["x86_64", "Ubuntu", "UEFI-Preferred", "v2"]
