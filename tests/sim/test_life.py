"""The life of instances, disks, interfaces, templates and snapshot groups, with the official client."""

import pytest
from alibabacloud_ecs20140526 import models as m
from alibabacloud_tea_openapi.exceptions import ClientException

from tests.sim.calls import Api
from tests.sim.conftest import REGION, launch_request, security_group

VPC = "2016-04-28"


@pytest.fixture
def api(cloud):
    return Api(cloud)


def row(cloud, instance_id):
    return next(one for one in cloud.state()["instances"] if one["InstanceId"] == instance_id)


def base_image(cloud):
    return cloud.state()["images"][0]["ImageId"]


def test_an_instance_is_stopping_before_it_is_stopped(cloud, api, victim):
    which = {"InstanceId": victim["InstanceId"]}
    api("StopInstance", **which)
    assert row(cloud, victim["InstanceId"])["Status"] == "Stopping"
    assert api.refused("CreateImage", **which) == (400, "IncorrectInstanceStatus")
    cloud.advance(1.1)
    assert row(cloud, victim["InstanceId"])["Status"] == "Stopped"


def test_a_reboot_goes_through_stopping_and_starting(cloud, api, victim):
    api("RebootInstance", InstanceId=victim["InstanceId"])
    seen = []
    for _ in range(9):
        seen.append(row(cloud, victim["InstanceId"])["Status"])
        cloud.advance(1)
    assert list(dict.fromkeys(seen)) == ["Stopping", "Starting", "Running"]


def test_several_at_once_are_all_or_none_or_one_by_one(cloud, ecs, victim):
    other = cloud.spot_ids()[1]
    both = {"region_id": REGION, "instance_id": [victim["InstanceId"], other]}
    ecs.stop_instances(m.StopInstancesRequest(**{**both, "instance_id": [other]}))
    cloud.advance(2)
    with pytest.raises(ClientException) as refused:
        ecs.stop_instances(m.StopInstancesRequest(**both))
    assert refused.value.code == "IncorrectInstanceStatus"
    answer = ecs.stop_instances(m.StopInstancesRequest(**both, batch_optimization="SuccessFirst")).body
    rows = answer.instance_responses.instance_response
    assert [(one.code, one.current_status) for one in rows] == [
        ("200", "Stopping"), ("IncorrectInstanceStatus", "Stopped"),
    ]  # fmt: skip
    cloud.advance(2)
    ecs.start_instances(m.StartInstancesRequest(**both))
    cloud.advance(10)
    ecs.reboot_instances(m.RebootInstancesRequest(**both))
    cloud.advance(10)
    ecs.delete_instances(m.DeleteInstancesRequest(**both, force=True, client_token="t"))
    ecs.delete_instances(m.DeleteInstancesRequest(region_id=REGION, instance_id=[cloud.spot_ids()[5]], force=True))
    assert not {victim["InstanceId"], other} & {one["InstanceId"] for one in cloud.state()["instances"]}


def test_an_instance_that_is_created_waits_to_be_started(cloud, ecs, victim):
    request = m.CreateInstanceRequest(
        region_id=REGION, image_id=base_image(cloud), instance_type="ecs.g7.large", v_switch_id=victim["VSwitchId"],
        security_group_id=security_group(cloud), client_token="one",
    )  # fmt: skip
    made = ecs.create_instance(request).body.instance_id
    assert ecs.create_instance(request).body.instance_id == made
    cloud.advance(60)
    assert row(cloud, made)["Status"] == "Stopped"
    ecs.start_instance(m.StartInstanceRequest(instance_id=made))
    cloud.advance(10)
    assert row(cloud, made)["Status"] == "Running"


def test_attributes_of_an_instance_change(cloud, ecs, victim):
    ecs.modify_instance_attribute(
        m.ModifyInstanceAttributeRequest(
            instance_id=victim["InstanceId"], instance_name="new", description="why", deletion_protection=True
        )
    )
    found = ecs.describe_instance_attribute(
        m.DescribeInstanceAttributeRequest(instance_id=victim["InstanceId"])
    ).body  # fmt: skip
    assert (found.instance_name, found.description) == ("new", "why")
    with pytest.raises(ClientException) as refused:
        ecs.delete_instance(m.DeleteInstanceRequest(instance_id=victim["InstanceId"], force=True))
    assert refused.value.code == "InvalidOperation.DeletionProtection"


def test_tags_are_taken_off(cloud, ecs, victim):
    which = {"region_id": REGION, "resource_type": "instance", "resource_id": [victim["InstanceId"]]}
    ecs.untag_resources(m.UntagResourcesRequest(**which, tag_key=["env"]))
    assert row(cloud, victim["InstanceId"])["Tags"] == {"app": "web"}
    ecs.untag_resources(m.UntagResourcesRequest(**which, all=True))
    assert row(cloud, victim["InstanceId"])["Tags"] == {}


def test_a_disk_is_made_empty_or_of_a_snapshot(cloud, ecs, api, victim):
    made = ecs.create_disk(
        m.CreateDiskRequest(region_id=REGION, zone_id=victim["ZoneId"], size=20, disk_category="cloud_essd")
    ).body.disk_id  # fmt: skip
    api("AttachDisk", InstanceId=victim["InstanceId"], DiskId=made)
    snapshot = api("CreateSnapshot", DiskId=victim["DiskIds"][0])["SnapshotId"]
    of_it = {"ZoneId": "cn-hangzhou-j", "SnapshotId": snapshot}
    assert api.refused("CreateDisk", **of_it) == (403, "InvalidSnapshotId.NotReady")
    cloud.advance(3)
    assert api.refused("CreateDisk", **of_it, Size=1) == (403, "InvalidDiskSize.TooSmall")
    twin = api("CreateDisk", **of_it)["DiskId"]
    sizes = {one["DiskId"]: one["Size"] for one in cloud.state()["disks"]}
    assert sizes[twin] == sizes[victim["DiskIds"][0]]
    assert api.refused("CreateDisk", ZoneId="cn-hangzhou-z", Size=20)[0] == 404


def test_an_eip_is_the_same_in_both_apis_and_can_be_given_up(cloud, api):
    vpc = Api(cloud, VPC)
    made = vpc("AllocateEipAddress", Bandwidth=5)
    assert api.refused("ReleaseEipAddress", AllocationId="eip-none") == (404, "InvalidAllocationId.NotFound")
    instance = cloud.spot_ids()[1]
    vpc("AssociateEipAddress", AllocationId=made["AllocationId"], InstanceId=instance, InstanceType="EcsInstance")
    assert vpc.refused("ReleaseEipAddress", AllocationId=made["AllocationId"]) == (400, "IncorrectEipStatus")
    assert row(cloud, instance)["EipAllocationId"] == made["AllocationId"]
    api("UnassociateEipAddress", AllocationId=made["AllocationId"], InstanceId=instance)
    vpc("ReleaseEipAddress", AllocationId=made["AllocationId"])
    found = vpc("DescribeEipAddresses", AllocationId=made["AllocationId"])
    assert found["EipAddresses"]["EipAddress"] == []


def test_networks_are_described(cloud, ecs, api, victim):
    (vpc,) = ecs.describe_vpcs(m.DescribeVpcsRequest(region_id=REGION)).body.vpcs.vpc
    assert len(vpc.v_switch_ids.v_switch_id) == 3
    assert Api(cloud, VPC)("DescribeVpcs", VpcId=vpc.vpc_id)["Vpcs"]["Vpc"][0]["VpcId"] == vpc.vpc_id
    (group,) = ecs.describe_security_groups(
        m.DescribeSecurityGroupsRequest(region_id=REGION)
    ).body.security_groups.security_group  # fmt: skip
    assert (group.security_group_id, group.ecs_count) == (security_group(cloud), 24)
    families = ecs.describe_instance_type_families(m.DescribeInstanceTypeFamiliesRequest(region_id=REGION)).body
    assert "ecs.g7" in {one.instance_type_family_id for one in families.instance_type_families.instance_type_family}


def interfaces(ecs, **how):
    request = m.DescribeNetworkInterfacesRequest(region_id=REGION, max_results=100, **how)
    return ecs.describe_network_interfaces(request).body.network_interface_sets.network_interface_set


def new_interface(cloud, ecs, victim, **how):
    request = m.CreateNetworkInterfaceRequest(
        region_id=REGION, v_switch_id=victim["VSwitchId"], security_group_id=security_group(cloud), **how
    )
    return ecs.create_network_interface(request).body.network_interface_id


def test_a_secondary_interface_moves_to_the_replacement(cloud, ecs, api, victim):
    eni = new_interface(cloud, ecs, victim, secondary_private_ip_address_count=2)
    api("AttachNetworkInterface", NetworkInterfaceId=eni, InstanceId=victim["InstanceId"])
    primary, secondary = interfaces(ecs, instance_id=victim["InstanceId"])
    assert (primary.type, secondary.type, len(secondary.private_ip_sets.private_ip_set)) == ("Primary", "Secondary", 3)
    api("ModifyNetworkInterfaceAttribute", NetworkInterfaceId=eni, DeleteOnRelease=False)
    cloud.interrupt([victim["InstanceId"]], notice_s=10)
    cloud.advance(11)
    (free,) = interfaces(ecs, network_interface_id=[eni])
    assert (free.status, free.private_ip_address) == ("Available", secondary.private_ip_address)
    request = launch_request(cloud, victim, base_image(cloud))
    request.network_interface = [m.RunInstancesRequestNetworkInterface(network_interface_id=eni)]
    new = ecs.run_instances(request).body.instance_id_sets.instance_id_set[0]
    assert interfaces(ecs, network_interface_id=[eni])[0].instance_id == new
    with pytest.raises(ClientException) as refused:
        ecs.run_instances(request)
    assert refused.value.code == "InvalidOperation.InvalidEniState"


def test_an_interface_goes_with_its_instance_unless_it_was_told_to_stay(cloud, ecs, api, victim):
    eni = new_interface(cloud, ecs, victim)
    api("AttachNetworkInterface", NetworkInterfaceId=eni, InstanceId=victim["InstanceId"])
    assert api.refused("DeleteNetworkInterface", NetworkInterfaceId=eni) == (403, "InvalidOperation.InvalidEniState")
    api("DeleteInstance", InstanceId=victim["InstanceId"], Force=True)
    assert interfaces(ecs, network_interface_id=[eni]) == []


def test_addresses_of_interfaces_come_and_go(cloud, ecs, api, victim):
    (primary,) = interfaces(ecs, instance_id=victim["InstanceId"])
    which = {"NetworkInterfaceId": primary.network_interface_id}
    more = api("AssignPrivateIpAddresses", **which, SecondaryPrivateIpAddressCount=2)
    added = more["AssignedPrivateIpAddressesSet"]["PrivateIpSet"]["PrivateIpAddress"]
    api("UnassignPrivateIpAddresses", **which, PrivateIpAddress__1=added[0])
    (primary,) = interfaces(ecs, instance_id=victim["InstanceId"])
    assert [one.private_ip_address for one in primary.private_ip_sets.private_ip_set][1:] == [added[1]]
    assert api.refused("AssignIpv6Addresses", **which, Ipv6AddressCount=1) == (400, "InvalidVSwitch.Ipv6NotTurnOn")
    cloud.world(ipv6=True)
    (address,) = api("AssignIpv6Addresses", **which, Ipv6AddressCount=1)["Ipv6Sets"]["Ipv6Address"]
    (found,) = api("DescribeInstances", Ipv6Address__1=address)["Instances"]["Instance"]
    assert found["InstanceId"] == victim["InstanceId"]


def test_a_launch_takes_from_its_template_what_it_does_not_say(cloud, ecs, api, victim):
    made = ecs.create_launch_template(
        m.CreateLaunchTemplateRequest(
            region_id=REGION, launch_template_name="web", image_id=base_image(cloud), instance_type="ecs.g7.large",
            v_switch_id=victim["VSwitchId"], security_group_id=security_group(cloud), spot_strategy="SpotAsPriceGo",
            instance_name="of-template",
        )
    ).body  # fmt: skip
    api("CreateLaunchTemplateVersion", LaunchTemplateId=made.launch_template_id, InstanceType="ecs.c7.large")
    request = m.RunInstancesRequest(
        region_id=REGION, launch_template_name="web", launch_template_version=1, instance_type="ecs.r7.large"
    )
    new = row(cloud, ecs.run_instances(request).body.instance_id_sets.instance_id_set[0])
    assert (new["InstanceType"], new["InstanceName"], new["SpotStrategy"]) == (
        "ecs.r7.large", "of-template", "SpotAsPriceGo",
    )  # fmt: skip
    (found,) = api("DescribeLaunchTemplates", LaunchTemplateName__1="web")["LaunchTemplateSets"]["LaunchTemplateSet"]
    assert (found["DefaultVersionNumber"], found["LatestVersionNumber"]) == (1, 2)
    versions = ecs.describe_launch_template_versions(
        m.DescribeLaunchTemplateVersionsRequest(region_id=REGION, launch_template_id=made.launch_template_id)
    ).body.launch_template_version_sets.launch_template_version_set
    assert [one.launch_template_data.instance_type for one in versions] == ["ecs.c7.large", "ecs.g7.large"]
    api("DeleteLaunchTemplate", LaunchTemplateId=made.launch_template_id)
    with pytest.raises(ClientException) as refused:
        ecs.run_instances(request)
    assert refused.value.code == "InvalidLaunchTemplate.NotFound"


def test_the_primary_interface_of_a_launch_says_where_it_is(cloud, ecs, victim):
    request = m.RunInstancesRequest(
        region_id=REGION, image_id=base_image(cloud), instance_type="ecs.g7.large",
        network_interface=[
            m.RunInstancesRequestNetworkInterface(
                instance_type="Primary", v_switch_id=victim["VSwitchId"], security_group_id=security_group(cloud)
            )
        ],
    )  # fmt: skip
    new = ecs.run_instances(request).body.instance_id_sets.instance_id_set[0]
    assert row(cloud, new)["VSwitchId"] == victim["VSwitchId"]


def test_an_image_is_copied_to_another_region(server):
    from spottui.sim.testing import SimServer

    with SimServer(speed=0, regions=("cn-hangzhou", "cn-shanghai")) as cloud:
        api = Api(cloud)
        made = api("CreateImage", InstanceId=cloud.spot_ids()[0])["ImageId"]
        to = {"ImageId": made, "DestinationRegionId": "cn-shanghai"}
        assert api.refused("CopyImage", **to) == (403, "IncorrectImageStatus")
        cloud.advance(300)
        copy = api("CopyImage", **to, DestinationImageName="far")["ImageId"]
        cloud.advance(300)
        (found,) = api("DescribeImages", RegionId="cn-shanghai", ImageId=copy)["Images"]["Image"]
        assert (found["ImageName"], found["IsCopied"], found["Status"]) == ("far", True, "Available")


def group_of(ecs, group_id):
    request = m.DescribeSnapshotGroupsRequest(region_id=REGION, snapshot_group_id=[group_id])
    return ecs.describe_snapshot_groups(request).body.snapshot_groups.snapshot_group[0]


def test_a_snapshot_group_is_usable_within_seconds_while_its_upload_goes_on(cloud, ecs, api):
    instance = next(one for one in cloud.state()["instances"] if len(one["DiskIds"]) == 2)
    made = ecs.create_snapshot_group(
        m.CreateSnapshotGroupRequest(
            region_id=REGION, instance_id=instance["InstanceId"], exclude_disk_id=[instance["DiskIds"][0]],
            client_token="t", name="notice",
        )
    ).body.snapshot_group_id  # fmt: skip
    (member,) = group_of(ecs, made).snapshots.snapshot
    assert (member.available, member.source_disk_id) == (False, instance["DiskIds"][1])
    cloud.advance(2)
    group = group_of(ecs, made)
    assert (group.status, group.snapshots.snapshot[0].available) == ("progressing", True)
    data = member.snapshot_id
    refused = api.refused(
        "CreateImage", DiskDeviceMapping__1__SnapshotId=data, DiskDeviceMapping__1__Device="/dev/xvda"
    )
    assert refused == (403, "InvalidSnapshotId.NotReady")
    elsewhere = next(one for one in cloud.state()["instances"] if one["ZoneId"] != instance["ZoneId"])
    request = launch_request(cloud, elsewhere, base_image(cloud), instance_type="ecs.g7.large")
    request.data_disk = [m.RunInstancesRequestDataDisk(snapshot_id=data, device="/dev/xvdb", category="cloud_essd")]
    new = row(cloud, ecs.run_instances(request).body.instance_id_sets.instance_id_set[0])
    disks = {one["DiskId"]: one for one in cloud.state()["disks"]}
    assert disks[new["DiskIds"][1]]["SourceSnapshotId"] == data
    assert disks[new["DiskIds"][1]]["Size"] == disks[instance["DiskIds"][1]]["Size"]
    cloud.advance(600)
    assert group_of(ecs, made).status == "accomplished"
    ecs.delete_snapshot_group(m.DeleteSnapshotGroupRequest(region_id=REGION, snapshot_group_id=made))
    assert cloud.state()["snapshots"] == []


def test_one_snapshot_at_a_time_of_a_disk_in_groups_too(cloud, api, victim):
    api("CreateSnapshotGroup", InstanceId=victim["InstanceId"])
    again = api.refused("CreateSnapshotGroup", InstanceId=victim["InstanceId"])
    assert again == (403, "IncorrectDiskStatus.CreatingSnapshot")
    assert api.refused("CreateSnapshotGroup") == (400, "MissingParameter")


def test_a_world_is_saved_with_all_of_it(cloud, ecs, api, victim):
    eni = new_interface(cloud, ecs, victim)
    api("CreateLaunchTemplate", LaunchTemplateName="t", InstanceType="ecs.g7.large")
    group = api("CreateSnapshotGroup", InstanceId=victim["InstanceId"])["SnapshotGroupId"]
    saved = cloud.save()
    cloud.load(saved)
    assert cloud.save() == saved
    assert interfaces(ecs, network_interface_id=[eni])
    assert group_of(ecs, group).instance_id == victim["InstanceId"]
