"""PrivateZone: zones and records, found, changed and refused; the vendor's client is the judge."""

from types import SimpleNamespace

import pytest
from alibabacloud_pvtz20180101 import client, models
from alibabacloud_tea_openapi.exceptions import ClientException

from tests.sim.balancing import client_of

RECORDS = [
    {"rr": "web", "instance": "web-1"}, {"rr": "db", "value": "172.16.9.9", "ttl": "5"},
    {"rr": "alias", "type": "CNAME", "value": "web.corp.internal"},
]  # fmt: skip


@pytest.fixture
def zone(cloud):
    cloud.control("POST", "dns", {"name": "other.internal"})
    return cloud.control("POST", "dns", {"name": "corp.internal", "records": RECORDS})["zone_id"]


@pytest.fixture
def pvtz(cloud):
    return client_of(SimpleNamespace(client=client), cloud)


def records(pvtz, zone, **filters):
    request = models.DescribeZoneRecordsRequest(zone_id=zone, **filters)
    return {one.rr: one for one in pvtz.describe_zone_records(request).body.records.record}


def refused(call, request):
    with pytest.raises(ClientException) as refusal:
        call(request)
    return refusal.value.code


def test_a_record_that_points_at_an_instance_is_found_and_updated(cloud, pvtz, zone, victim):
    (found,) = pvtz.describe_zones(models.DescribeZonesRequest(keyword="CORP")).body.zones.zone
    assert (found.zone_id, found.zone_name, found.record_count) == (zone, "corp.internal", 3)
    (web,) = records(pvtz, zone, keyword="web").values()
    assert (web.type, web.value, web.ttl, web.status) == ("A", victim["PrivateIpAddress"], 60, "ENABLE")
    change = models.UpdateZoneRecordRequest(
        record_id=web.record_id, rr="web", type="A", value="172.16.0.99", client_token="t"
    )
    for _ in range(2):
        assert pvtz.update_zone_record(change).body.record_id == web.record_id
    after = records(pvtz, zone)["web"]
    assert (after.record_id, after.value, after.ttl) == (web.record_id, "172.16.0.99", 60)
    effects = [row["effect"] for row in cloud.calls("UpdateZoneRecord")]
    assert [one.split()[0] for one in effects] == ["changed", "replayed"]


def test_records_come_and_go(pvtz, zone):
    new = models.AddZoneRecordRequest(zone_id=zone, rr="@", type="A", value="172.16.0.5", ttl=30, client_token="t")
    made = {pvtz.add_zone_record(new).body.record_id for _ in range(2)}
    assert len(made) == 1
    again = models.AddZoneRecordRequest(zone_id=zone, rr="@", type="A", value="172.16.0.5")
    assert refused(pvtz.add_zone_record, again) == "Record.Invalid.Conflict"
    pvtz.delete_zone_record(models.DeleteZoneRecordRequest(record_id=made.pop()))
    assert set(records(pvtz, zone)) == {"web", "db", "alias"}


def test_zones_and_records_come_in_pages_and_by_part_of_their_name(pvtz, zone):
    body = pvtz.describe_zones(models.DescribeZonesRequest(page_size=1, page_number=2)).body
    assert (body.total_items, body.total_pages, [one.zone_id for one in body.zones.zone]) == (2, 2, [zone])
    assert set(records(pvtz, zone, keyword="b", search_mode="LIKE")) == {"web", "db"}
    assert records(pvtz, zone, keyword="b") == records(pvtz, zone, tag="ecs") == {}
    assert pvtz.describe_zones(models.DescribeZonesRequest(query_vpc_id="vpc-none")).body.zones.zone in ([], None)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"record_id": 1}, "Record.NotExists"), ({"value": "not-an-address"}, "Record.Invalid.Value"),
        ({"type": "A", "value": "::1"}, "Record.Invalid.Value"), ({"ttl": 61}, "InvalidParameter"),
        ({"rr": "db", "value": "172.16.9.9"}, "Record.Invalid.Conflict"), ({"weight": 101}, "InvalidParameter"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_changes_nothing(cloud, pvtz, zone, change, code):
    web = records(pvtz, zone)["web"]
    request = {"record_id": web.record_id, "rr": "web", "type": "A", "value": "172.16.0.1", **change}
    before = cloud.state()["dns_zones"]
    assert refused(pvtz.update_zone_record, models.UpdateZoneRecordRequest(**request)) == code
    assert cloud.state()["dns_zones"] == before


def test_a_zone_that_is_not_there_and_faults_on_order(cloud, pvtz, zone):
    assert refused(pvtz.describe_zone_records, models.DescribeZoneRecordsRequest(zone_id="none")) == "Zone.NotExists"
    cloud.fault("DescribeZones", "throttle")
    assert refused(pvtz.describe_zones, models.DescribeZonesRequest()) == "Throttling.User"
    cloud.world(permissions={"UpdateZoneRecord": "forbidden"})
    web = records(pvtz, zone)["web"]
    change = models.UpdateZoneRecordRequest(record_id=web.record_id, rr="web", type="A", value="172.16.0.1")
    assert refused(pvtz.update_zone_record, change) == "Forbidden.RAM"
    cloud.world(permissions={"UpdateZoneRecord": "allow"})
    cloud.fault("UpdateZoneRecord", "drop_reply")
    with pytest.raises(Exception, match=r"Connection|Remote|aborted"):
        pvtz.update_zone_record(change)
    assert records(pvtz, zone)["web"].value == "172.16.0.1"
