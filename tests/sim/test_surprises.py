"""What could surprise a client: each with its setting or control call, seen through the official SDKs."""

import base64

import pytest
from alibabacloud_ecs20140526 import models as m
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException, ThrottlingException

from tests.sim.calls import Api
from tests.sim.conftest import REGION, create_image, image, launch_request


@pytest.fixture
def api(cloud):
    return Api(cloud)


@pytest.fixture
def base(cloud):
    return cloud.state()["images"][0]["ImageId"]


def refused(ecs, request):
    with pytest.raises((ClientException, ServerException)) as refusal:
        ecs.run_instances(request)
    return refusal.value.status_code, refusal.value.code


def disk(cloud, disk_id):
    return next(one for one in cloud.state()["disks"] if one["DiskId"] == disk_id)


def test_an_image_of_another_architecture_is_refused(cloud, ecs, base, victim):
    request = launch_request(cloud, victim, base, instance_type="ecs.g8y.large")
    assert refused(ecs, request) == (403, "ImageNotSupportInstanceType")


def test_an_image_of_a_snapshot_boots_as_bios_unless_it_says_otherwise(cloud, ecs, api, victim):
    snapshot = api("CreateSnapshot", DiskId=victim["DiskIds"][0])["SnapshotId"]
    cloud.advance(300)
    plain = api("CreateImage", SnapshotId=snapshot, ImageName="plain")["ImageId"]
    uefi = api("CreateImage", SnapshotId=snapshot, ImageName="uefi", BootMode="UEFI")["ImageId"]
    made = create_image(ecs, victim["InstanceId"])
    cloud.advance(300)
    assert (image(ecs, plain).boot_mode, image(ecs, plain).architecture) == ("BIOS", "x86_64")
    assert image(ecs, made).boot_mode == "UEFI-Preferred"
    cloud.world(uefi_types=["ecs.g8i.*"])
    wanted = {"instance_type": "ecs.g8i.large"}
    assert refused(ecs, launch_request(cloud, victim, plain, **wanted)) == (403, "ImageNotSupportInstanceType")
    for good in (uefi, made):
        ecs.run_instances(launch_request(cloud, victim, good, **wanted))
    ecs.run_instances(launch_request(cloud, victim, plain, instance_type="ecs.g7.large"))


def test_disk_categories_differ_by_zone_and_type(cloud, ecs, api, base, victim):
    cloud.world(disk_categories={victim["ZoneId"]: "cloud_efficiency", "ecs.c7.*": "cloud_auto"})
    assert refused(ecs, launch_request(cloud, victim, base)) == (403, "OperationDenied.ZoneSystemCategoryNotMatch")
    fits = m.RunInstancesRequestSystemDisk(category="cloud_efficiency")
    ecs.run_instances(launch_request(cloud, victim, base, system_disk=fits))
    by_type = launch_request(cloud, victim, base, instance_type="ecs.c7.large", system_disk=fits)
    assert refused(ecs, by_type) == (403, "InvalidInstanceType.NotSupportDiskCategory")
    zones = api("DescribeAvailableResource", DestinationResource="SystemDisk")["AvailableZones"]["AvailableZone"]
    offered = {
        zone["ZoneId"]: [one["Value"] for one in zone["AvailableResources"]["AvailableResource"][0][
            "SupportedResources"]["SupportedResource"]]
        for zone in zones
    }  # fmt: skip
    assert offered[victim["ZoneId"]] == ["cloud_efficiency"]
    assert len(offered["cn-hangzhou-j"]) == 3


def test_an_encrypted_disk_stays_so_and_needs_its_key(cloud, ecs, victim):
    which = victim["InstanceId"]
    cloud.control("POST", "instance", {"instance_id": which, "kms_key": "key-1"})
    made = create_image(ecs, which)
    cloud.advance(300)
    assert image(ecs, made).disk_device_mappings.disk_device_mapping[0].encrypted is True
    new = ecs.run_instances(launch_request(cloud, victim, made)).body.instance_id_sets.instance_id_set[0]
    request = m.DescribeDisksRequest(region_id=REGION, instance_id=new)
    (copy,) = ecs.describe_disks(request).body.disks.disk
    assert (copy.encrypted, copy.kmskey_id) == (True, "key-1")
    cloud.control("POST", "gone", {"instance_id": which, "parts": ["kms_key"]})
    assert refused(ecs, launch_request(cloud, victim, made)) == (403, "InvalidParameter.KMSKeyId.NotFound")
    cloud.advance(60)
    ecs.stop_instance(m.StopInstanceRequest(instance_id=new))
    cloud.advance(60)
    with pytest.raises(ClientException) as start:
        ecs.start_instance(m.StartInstanceRequest(instance_id=new))
    assert start.value.code == "InvalidParameter.KMSKeyId.NotFound"


def test_a_start_needs_a_price_within_the_limit(cloud, ecs, api):
    which = cloud.spot_ids("Stop")[0]
    cloud.control("POST", "instance", {"instance_id": which, "spot_price_limit": 0.5})
    row = next(one for one in cloud.state()["instances"] if one["InstanceId"] == which)
    cloud.interrupt([which], notice_s=5)
    cloud.advance(6)
    where = {"instance_type": row["InstanceType"], "zone": row["ZoneId"]}
    cloud.control("POST", "price", {**where, "price": 0.6})
    assert api.refused("StartInstance", InstanceId=which) == (400, "InvalidSpotPriceLimit.LowerThanPublicPrice")
    cloud.control("POST", "price", {**where, "price": 0.4})
    api("StartInstance", InstanceId=which)


@pytest.mark.parametrize(
    ("part", "field", "code"),
    [
        ("key_pair", "key_pair_name", "InvalidKeyPair.NotFound"),
        ("ram_role", "ram_role_name", "InvalidRamRole.NotFound"),
        ("resource_group", "resource_group_id", "InvalidResourceGroup.NotFound"),
        ("deployment_set", "deployment_set_id", "InvalidDeploymentSetId.NotFound"),
        ("security_group", "security_group_id", "InvalidSecurityGroupId.NotFound"),
        ("vswitch", "v_switch_id", "InvalidVSwitchId.NotFound"),
    ],
)
def test_a_launch_names_what_was_deleted_since(cloud, ecs, base, victim, part, field, code):
    given = {"key_pair": "ops", "ram_role": "web", "resource_group_id": "rg-1", "deployment_set_id": "ds-1"}
    cloud.control("POST", "instance", {"instance_id": victim["InstanceId"], **given})
    (name,) = cloud.control("POST", "gone", {"instance_id": victim["InstanceId"], "parts": [part]})["gone"]
    request = launch_request(cloud, victim, base, **{field: name})
    assert refused(ecs, request) == (404, code)


def test_an_eip_takes_its_time_and_refuses_meanwhile(cloud, api, victim):
    cloud.world(eip_s=3)
    which = {"AllocationId": victim["EipAllocationId"], "InstanceId": victim["InstanceId"]}

    def status():
        found = api("DescribeEipAddresses", AllocationId=which["AllocationId"])
        return found["EipAddresses"]["EipAddress"][0]["Status"]

    api("UnassociateEipAddress", **which)
    assert status() == "Unassociating"
    assert api.refused("AssociateEipAddress", **which) == (400, "IncorrectEipStatus")
    cloud.advance(3)
    assert status() == "Available"
    api("AssociateEipAddress", **which)
    assert status() == "Associating"
    cloud.advance(3)
    assert status() == "InUse"


def test_a_kept_disk_is_detaching_before_it_is_available(cloud, api, victim):
    cloud.world(kept_disk_s=5)
    api("ModifyDiskAttribute", DiskIds__1=victim["DiskIds"][0], DeleteWithInstance=False)
    cloud.interrupt([victim["InstanceId"]], notice_s=10)
    cloud.advance(11)
    assert disk(cloud, victim["DiskIds"][0])["Status"] == "Detaching"
    cloud.advance(5)
    assert disk(cloud, victim["DiskIds"][0])["Status"] == "Available"


def test_an_agent_that_is_not_there_says_so_in_the_result(cloud, api, victim):
    run = {"Type": "RunShellScript", "CommandContent": "sync", "InstanceId__1": victim["InstanceId"]}

    def result():
        made = api("RunCommand", **run)["InvokeId"]
        cloud.advance(2)
        results = api("DescribeInvocationResults", InvokeId=made)["Invocation"]["InvocationResults"]
        return results["InvocationResult"][0]

    def status():
        found = api("DescribeCloudAssistantStatus", InstanceId__1=victim["InstanceId"])
        return found["InstanceCloudAssistantStatusSet"]["InstanceCloudAssistantStatus"][0]["CloudAssistantStatus"]

    assert (result()["InvocationStatus"], status()) == ("Success", "true")
    cloud.world(agent="missing")
    assert (result()["InvocationStatus"], result()["ErrorCode"], status()) == ("Aborted", "ClientNotRunning", "false")
    cloud.world(agent="late", agent_late_s=30)
    api("RebootInstance", InstanceId=victim["InstanceId"])
    cloud.advance(10)
    assert status() == "false"
    cloud.advance(40)
    assert (result()["InvocationStatus"], status()) == ("Success", "true")


def test_usable_may_come_after_available(cloud, ecs, victim):
    cloud.world(image_usable_after_s=60)
    made = create_image(ecs, victim["InstanceId"])
    cloud.advance(60)
    assert (image(ecs, made).status, image(ecs, made).usable) == ("Available", False)
    assert refused(ecs, launch_request(cloud, victim, made)) == (403, "OperationDenied.ImageNotValid")
    cloud.advance(60)
    ecs.run_instances(launch_request(cloud, victim, made))


def test_a_stop_fails_the_snapshots_that_are_being_made(cloud, ecs, api, victim):
    made = create_image(ecs, victim["InstanceId"])
    api("StopInstance", InstanceId=victim["InstanceId"])
    assert image(ecs, made).status == "CreateFailed"
    assert [one["Status"] for one in cloud.state()["snapshots"]] == ["failed"]
    cloud.advance(300)
    assert [one["Status"] for one in cloud.state()["snapshots"]] == ["failed"]


def test_a_denial_is_of_a_resource_and_carries_its_message(cloud, api, victim):
    other = cloud.spot_ids()[1]
    cloud.world(permissions={f"CreateImage@{victim['InstanceId']}": "forbidden"})
    api("CreateImage", InstanceId=other)
    with pytest.raises(ClientException) as denied:
        api("CreateImage", InstanceId=victim["InstanceId"])
    detail = denied.value.access_denied_detail
    assert (detail["AuthAction"], detail["NoPermissionType"]) == ("ecs:CreateImage", "ImplicitDeny")
    assert b"ecs:CreateImage" in base64.b64decode(detail["EncodedDiagnosticMessage"])
    cloud.world(permissions={f"ModifyDiskAttribute@{victim['DiskIds'][0]}": "forbidden"})
    assert api.refused("ModifyDiskAttribute", DiskIds__1=victim["DiskIds"][0], DeleteWithInstance=False)[0] == 403


@pytest.mark.parametrize("code", ["Throttling", "Throttling.User", "Throttling.Api"])
@pytest.mark.parametrize("status", [400, 429, 503])
def test_throttling_in_every_documented_form(cloud, api, code, status):
    cloud.world(limits={"DescribeZones": 0}, throttle_code=code, throttle_status=status)
    assert api.refused("DescribeZones") == (status, code)
    cloud.fault("DescribeRegions", "throttle", code=code, status=status, retry_after_ms=700)
    with pytest.raises(ThrottlingException) as throttled:
        api("DescribeRegions")
    assert (throttled.value.code, throttled.value.retry_after) == (code, 700)


def test_ipv6_can_be_asked_for_where_it_is_on(cloud, ecs, base, victim):
    request = launch_request(cloud, victim, base, ipv_6address_count=1)
    assert refused(ecs, request) == (400, "InvalidVSwitch.Ipv6NotTurnOn")
    cloud.world(ipv6=True)
    ecs.run_instances(request)
