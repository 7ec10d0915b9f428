"""RunInstances: exactly once by token, all or nothing by stock, one address for one machine."""

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.exceptions import ClientException

from tests.sim.conftest import REGION, create_image, launch_request


@pytest.fixture
def ready_image(cloud, ecs, victim):
    image_id = create_image(ecs, victim["InstanceId"])
    cloud.advance(600)
    return image_id


def _status(ecs, instance_id):
    request = models.DescribeInstancesRequest(region_id=REGION, instance_ids=f'["{instance_id}"]')
    found = ecs.describe_instances(request).body.instances.instance
    return found[0].status if found else None


def _launch(ecs, request):
    return ecs.run_instances(request).body.instance_id_sets.instance_id_set


def _refused(ecs, request):
    with pytest.raises(ClientException) as refused:
        ecs.run_instances(request)
    return refused.value.code


def test_an_instance_comes_up_in_three_states(cloud, ecs, victim, ready_image):
    cloud.world(boot_s=10)
    (new,) = _launch(ecs, launch_request(cloud, victim, ready_image))
    seen = [_status(ecs, new)]
    for _ in range(2):
        cloud.advance(5)
        seen.append(_status(ecs, new))
    assert seen == ["Pending", "Starting", "Running"]


def test_a_faithful_relaunch_has_what_the_old_one_had(cloud, ecs, victim, ready_image):
    request = launch_request(
        cloud, victim, ready_image, key_pair_name="ops", user_data="eA==", ram_role_name="etl-reader",
        tag=[models.RunInstancesRequestTag(key="app", value="web")],
    )  # fmt: skip
    (new,) = _launch(ecs, request)
    rows = {row["InstanceId"]: row for row in cloud.state()["instances"]}
    same = ("InstanceName", "InstanceType", "ZoneId", "VSwitchId", "SpotStrategy", "KeyPairName")
    assert [rows[new][key] for key in same] == [victim[key] for key in same]
    assert rows[new]["Tags"] == {"app": "web"}
    data = ecs.describe_user_data(models.DescribeUserDataRequest(region_id=REGION, instance_id=new)).body
    assert data.user_data == "eA=="
    roles = models.DescribeInstanceRamRoleRequest(region_id=REGION, instance_ids=f'["{new}"]')
    sets = ecs.describe_instance_ram_role(roles).body.instance_ram_role_sets.instance_ram_role_set
    assert [(r.instance_id, r.ram_role_name) for r in sets] == [(new, "etl-reader")]


def test_the_same_token_launches_once(cloud, ecs, victim, ready_image):
    request = launch_request(cloud, victim, ready_image, client_token="t")
    before = len(cloud.state()["instances"])
    assert _launch(ecs, request) == _launch(ecs, request)
    assert len(cloud.state()["instances"]) == before + 1


def test_the_same_token_with_other_parameters_is_refused(cloud, ecs, victim, ready_image):
    _launch(ecs, launch_request(cloud, victim, ready_image, client_token="t"))
    other = launch_request(cloud, victim, ready_image, client_token="t", instance_name="x")
    assert _refused(ecs, other) == "IdempotentParameterMismatch"


def test_a_token_remembers_that_there_was_no_stock(cloud, ecs, victim, ready_image):
    where = {"instance_type": victim["InstanceType"], "zone": victim["ZoneId"]}
    cloud.stock(0, **where)
    request = launch_request(cloud, victim, ready_image, client_token="t")
    assert _refused(ecs, request) == "OperationDenied.NoStock"
    cloud.stock(5, **where)
    assert _refused(ecs, request) == "OperationDenied.NoStock"
    assert len(_launch(ecs, launch_request(cloud, victim, ready_image, client_token="t2"))) == 1


def test_stock_is_all_or_nothing_unless_fewer_are_enough(cloud, ecs, victim, ready_image):
    cloud.stock(2, instance_type=victim["InstanceType"], zone=victim["ZoneId"])
    assert _refused(ecs, launch_request(cloud, victim, ready_image, amount=3)) == "OperationDenied.NoStock"
    assert len(_launch(ecs, launch_request(cloud, victim, ready_image, amount=3, min_amount=1))) == 2
    assert _refused(ecs, launch_request(cloud, victim, ready_image)) == "OperationDenied.NoStock"


def test_stock_is_shown_by_zone(cloud, ecs, victim):
    cloud.stock(0, instance_type=victim["InstanceType"], zone=victim["ZoneId"])
    request = models.DescribeAvailableResourceRequest(
        region_id=REGION, destination_resource="InstanceType", instance_type=victim["InstanceType"],
        instance_charge_type="PostPaid", spot_strategy="SpotAsPriceGo",
    )  # fmt: skip
    zones = ecs.describe_available_resource(request).body.available_zones.available_zone
    status = {z.zone_id: z.available_resources.available_resource[0].supported_resources for z in zones}
    assert {z: s.supported_resource[0].status for z, s in status.items()} == {
        "cn-hangzhou-h": "SoldOut", "cn-hangzhou-i": "Available", "cn-hangzhou-j": "Available"
    }  # fmt: skip


def test_a_dry_run_says_it_would_work_and_does_nothing(cloud, ecs, victim, ready_image):
    before = len(cloud.state()["instances"])
    request = launch_request(cloud, victim, ready_image, client_token="t", dry_run=True)
    assert _refused(ecs, request) == "DryRunOperation"
    cloud.stock(0)
    assert _refused(ecs, request) == "OperationDenied.NoStock"
    assert len(cloud.state()["instances"]) == before


def test_a_dying_instance_still_has_its_address(cloud, ecs, victim, ready_image):
    cloud.interrupt([victim["InstanceId"]])
    request = launch_request(cloud, victim, ready_image, private_ip_address=victim["PrivateIpAddress"])
    assert _refused(ecs, request) == "InvalidPrivateIpAddress.Duplicated"
    cloud.advance(301)
    (new,) = _launch(ecs, request)
    rows = {row["InstanceId"]: row for row in cloud.state()["instances"]}
    assert rows[new]["PrivateIpAddress"] == victim["PrivateIpAddress"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"zone_id": "cn-hangzhou-j"}, "InvalidParameter.Mismatch"),
        ({"security_group_ids": ["sg-x"]}, "InvalidParameter.Conflict"),
        ({"instance_type": "ecs.none.large"}, "InvalidInstanceType.ValueNotSupported"),
        ({"image_id": "m-none"}, "InvalidImageId.NotFound"),
        ({"image_id": None}, "MissingParameter"),
        ({"spot_strategy": "Cheap"}, "InvalidSpotStrategy"),
        ({"spot_duration": 6}, "InvalidSpotDuration"),
        ({"spot_strategy": "SpotWithPriceLimit", "spot_price_limit": 0.001},
         "InvalidSpotPriceLimit.LowerThanPublicPrice"),
        ({"password": "x", "password_inherit": True}, "InvalidPasswordParam.Mismatch"),
        ({"system_disk": models.RunInstancesRequestSystemDisk(size="20")},
         "InvalidSystemDiskSize.LessThanImageSize"),
        ({"private_ip_address": "10.0.0.1"}, "InvalidPrivateIpAddress.Malformed"),
    ],
)  # fmt: skip
def test_what_the_api_refuses_is_refused(cloud, ecs, victim, ready_image, changes, code):
    assert _refused(ecs, launch_request(cloud, victim, ready_image, **changes)) == code


def test_an_image_being_made_launches_nothing(cloud, ecs, victim):
    image_id = create_image(ecs, victim["InstanceId"])
    assert _refused(ecs, launch_request(cloud, victim, image_id)) == "OperationDenied.ImageNotValid"


def test_secrets_of_a_launch_stay_out_of_the_ledger(cloud, ecs, victim, ready_image):
    _launch(ecs, launch_request(cloud, victim, ready_image, user_data="c2VjcmV0", password="S3cret!x"))
    params = cloud.calls("RunInstances")[-1]["params"]
    assert (params["UserData"], params["Password"]) == ("***", "***")


def test_user_data_of_16_kib_fits_in_a_request(cloud, ecs, victim, ready_image):
    assert _launch(ecs, launch_request(cloud, victim, ready_image, user_data="QUJD" * 5461))
