"""Addresses that outlive an instance: public ones that become EIPs, interfaces that take their time, IPv6."""

import pytest
from alibabacloud_ecs20140526 import models as m

from tests.sim.calls import Api
from tests.sim.conftest import REGION, security_group


@pytest.fixture
def api(cloud):
    return Api(cloud)


@pytest.fixture
def public(cloud, api, victim):
    """A running instance with a public address that is no EIP."""
    image = next(row["ImageId"] for row in cloud.state()["images"])
    cloud.world(boot_s=1)
    made = api(
        "RunInstances", ImageId=image, InstanceType="ecs.g7.large", VSwitchId=victim["VSwitchId"],
        SecurityGroupId=security_group(cloud), InternetMaxBandwidthOut=10, SpotStrategy="SpotAsPriceGo",
    )["InstanceIdSets"]["InstanceIdSet"][0]  # fmt: skip
    cloud.advance(1)
    return made


@pytest.fixture
def eni(cloud, api, victim):
    """A secondary interface in the zone of web-1."""
    group = security_group(cloud)
    return api("CreateNetworkInterface", VSwitchId=victim["VSwitchId"], SecurityGroupId=group)["NetworkInterfaceId"]


def shown(api, instance_id):
    return api("DescribeInstances", InstanceIds=f'["{instance_id}"]')["Instances"]["Instance"][0]


def test_a_public_address_becomes_an_eip_and_outlives_its_instance(cloud, ecs, api, public):
    (address,) = shown(api, public)["PublicIpAddress"]["IpAddress"]
    cloud.world(eip_s=3)
    request = m.ConvertNatPublicIpToEipRequest(region_id=REGION, instance_id=public)
    assert ecs.convert_nat_public_ip_to_eip(request).body.request_id
    row = shown(api, public)
    assert (row["PublicIpAddress"]["IpAddress"], row["EipAddress"]["IpAddress"]) == ([], address)
    (eip,) = api("DescribeEipAddresses", EipAddress=address)["EipAddresses"]["EipAddress"]
    assert (eip["Status"], eip["InstanceId"], eip["Bandwidth"]) == ("Associating", public, "10")
    cloud.interrupt([public], notice_s=10)
    cloud.advance(11)
    (eip,) = api("DescribeEipAddresses", EipAddress=address)["EipAddresses"]["EipAddress"]
    assert (eip["Status"], eip["InstanceId"]) == ("Available", "")


def test_what_has_no_public_address_of_its_own_cannot_be_converted(cloud, api, public, victim):
    def refused(instance_id):
        return api.refused("ConvertNatPublicIpToEip", InstanceId=instance_id)

    api("ConvertNatPublicIpToEip", InstanceId=public)
    assert refused(public) == refused(victim["InstanceId"]) == (403, "OperationDenied")
    assert refused("i-none") == (404, "InvalidInstanceId.NotFound")
    api("StopInstance", InstanceId=victim["InstanceId"])
    assert refused(victim["InstanceId"]) == (403, "IncorrectInstanceStatus")


@pytest.mark.parametrize(("switch", "accepted"), [(True, True), (False, False)])
def test_switch_convert_while_locked(cloud, api, public, switch, accepted):
    cloud.world(convert_while_locked=switch)
    cloud.interrupt([public])
    if accepted:
        api("ConvertNatPublicIpToEip", InstanceId=public)
    else:
        assert api.refused("ConvertNatPublicIpToEip", InstanceId=public) == (403, "InstanceLockedForRecycling")


def test_a_converted_address_whose_answer_was_lost_is_there_once(cloud, api, public):
    cloud.fault("ConvertNatPublicIpToEip", "drop_reply")
    with pytest.raises(Exception, match=r"Connection|Remote|aborted"):
        api("ConvertNatPublicIpToEip", InstanceId=public)
    assert api.refused("ConvertNatPublicIpToEip", InstanceId=public) == (403, "OperationDenied")
    assert len([row for row in cloud.state()["eips"] if row["InstanceId"] == public]) == 1


def test_an_interface_takes_its_time_and_refuses_meanwhile(cloud, api, eni, victim):
    def status():
        found = api("DescribeNetworkInterfaces", NetworkInterfaceId__1=eni)
        return found["NetworkInterfaceSets"]["NetworkInterfaceSet"][0]["Status"]

    where = {"NetworkInterfaceId": eni, "InstanceId": victim["InstanceId"]}
    state = (403, "InvalidOperation.InvalidEniState")
    cloud.world(eni_s=3)
    api("AttachNetworkInterface", **where)
    assert status() == "Attaching"
    assert api.refused("DetachNetworkInterface", **where) == state
    cloud.advance(3)
    assert status() == "InUse"
    api("DetachNetworkInterface", **where)
    assert status() == "Detaching"
    assert api.refused("AttachNetworkInterface", **where) == api.refused(
        "DeleteNetworkInterface", NetworkInterfaceId=eni
    ) == state  # fmt: skip
    cloud.advance(3)
    assert status() == "Available"
    api("AttachNetworkInterface", **where)
    cloud.advance(3)
    api("StopInstance", InstanceId=victim["InstanceId"])
    assert api.refused("DetachNetworkInterface", **where) == (403, "IncorrectInstanceStatus")


def test_addresses_are_assigned_once_per_token_and_all_or_none(cloud, api, eni, victim):
    def assigned():
        row = next(row for row in cloud.state()["network_interfaces"] if row["NetworkInterfaceId"] == eni)
        return row["PrivateIpAddresses"][1:]

    which = {"NetworkInterfaceId": eni}
    first = api("AssignPrivateIpAddresses", **which, SecondaryPrivateIpAddressCount=2, ClientToken="t")
    again = api("AssignPrivateIpAddresses", **which, SecondaryPrivateIpAddressCount=2, ClientToken="t")
    added = first["AssignedPrivateIpAddressesSet"]["PrivateIpSet"]["PrivateIpAddress"]
    assert again["AssignedPrivateIpAddressesSet"]["PrivateIpSet"]["PrivateIpAddress"] == added == assigned()
    free = f"{added[0].rpartition('.')[0]}.200"
    taken = {"PrivateIpAddress__1": free, "PrivateIpAddress__2": victim["PrivateIpAddress"]}
    assert api.refused("AssignPrivateIpAddresses", **which, **taken)[1] == "InvalidPrivateIpAddress.Duplicated"
    assert assigned() == added
    api("AssignPrivateIpAddresses", **which, PrivateIpAddress__1=free)
    assert assigned() == [*added, free]
    both = {"PrivateIpAddress__1": free, "SecondaryPrivateIpAddressCount": 1}
    assert api.refused("AssignPrivateIpAddresses", **which, **both) == (400, "InvalidParameter.Conflict")
    assert api.refused("AssignPrivateIpAddresses", **which, SecondaryPrivateIpAddressCount=49)[0] == 403


def test_ipv6_addresses_are_assigned_once_per_token_and_belong_to_one(cloud, api, eni, victim):
    cloud.world(ipv6=True)
    which = {"NetworkInterfaceId": eni, "ClientToken": "t", "Ipv6AddressCount": 2}
    first = api("AssignIpv6Addresses", **which)["Ipv6Sets"]["Ipv6Address"]
    assert api("AssignIpv6Addresses", **which)["Ipv6Sets"]["Ipv6Address"] == first
    (primary,) = api("DescribeNetworkInterfaces", InstanceId=victim["InstanceId"])["NetworkInterfaceSets"][
        "NetworkInterfaceSet"
    ]
    mine = {"NetworkInterfaceId": primary["NetworkInterfaceId"]}
    assert api.refused("AssignIpv6Addresses", **mine, Ipv6Address__1=first[0]) == (403, "InvalidIp.IpAssigned")
    assert api.refused("AssignIpv6Addresses", **mine) == (400, "MissingParameter")
    assert api.refused("AssignIpv6Addresses", **mine, Ipv6Address__1="::1", Ipv6AddressCount=1)[0] == 400
    api("UnassignIpv6Addresses", NetworkInterfaceId=eni, Ipv6Address__1=first[0])
    api("AssignIpv6Addresses", **mine, Ipv6Address__1=first[0])
    assert api.refused("AssignIpv6Addresses", **mine, Ipv6AddressCount=10)[0] == 403


def test_an_instance_may_have_had_a_public_address_and_a_second_interface(cloud, api, victim):
    told = {"instance_id": victim["InstanceId"], "public_ip": "47.98.7.6", "interfaces": 1}
    cloud.control("POST", "instance", told)
    row = shown(api, victim["InstanceId"])
    assert (row["PublicIpAddress"]["IpAddress"], row["EipAddress"]["IpAddress"]) == (["47.98.7.6"], "")
    assert [one["Type"] for one in row["NetworkInterfaces"]["NetworkInterface"]] == ["Primary", "Secondary"]
    api("ConvertNatPublicIpToEip", InstanceId=victim["InstanceId"])
    cloud.interrupt([victim["InstanceId"]], notice_s=1)
    cloud.advance(2)
    state = cloud.state()
    assert [row["InstanceId"] for row in state["network_interfaces"]] == [""]
    assert [row["InstanceId"] for row in state["eips"] if row["IpAddress"] == "47.98.7.6"] == [""]
