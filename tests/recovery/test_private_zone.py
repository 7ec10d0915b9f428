"""A records of PrivateZone that name an instance name its replacement, once that serves; no other record is changed."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from spottui import words
from spottui.cli.check import Verdict
from spottui.cli.cloud_checks import zone_check
from spottui.cli.permissions import PRIVATE_ZONE, policy_document
from spottui.cloud.region_tools import credentials_of, region_tools
from spottui.config import load
from spottui.console.text.plan import plan_body
from spottui.sim.testing import SimServer
from tests.driving import add_policy, effects
from tests.recovery.given import begin
from tests.recovery.test_routes import by_id, named
from tests.recovery.test_traffic import ended, engine

OTHERS = [
    {"rr": "db", "value": "172.16.9.9"}, {"rr": "alias", "type": "CNAME", "value": "web.corp.internal"},
    {"rr": "note", "type": "TXT", "value": "172.16.0.4"},
]  # fmt: skip


def values(cloud: SimServer) -> dict[tuple[str, str], str]:
    """What each record says, by its zone and host."""
    return {
        (zone["ZoneName"], one["Rr"]): one["Value"] for zone in cloud.state()["dns_zones"] for one in zone["Records"]
    }


@pytest.fixture
def old(live_cloud: SimServer, config: Path) -> dict[str, Any]:
    """An instance with a record of an hour in the policy's zone, and one in a zone that the policy does not name."""
    add_policy(config, private_zone='"corp.internal"')
    web = {"rr": "web", "instance": "web-1"}
    live_cloud.control("POST", "dns", {"name": "corp.internal", "records": [{**web, "ttl": "3600"}, *OTHERS]})
    live_cloud.control("POST", "dns", {"name": "other.internal", "records": [web]})
    return named(live_cloud, "web-1")


@pytest.mark.parametrize("allowed", [True, False])
def test_the_records_of_the_zone_follow_where_they_may_be_changed(
    live_cloud: SimServer, config: Path, old: dict[str, Any], allowed: bool
) -> None:
    before = values(live_cloud)
    if not allowed:
        live_cloud.world(permissions={"UpdateZoneRecord": "forbidden"})
    live_cloud.fault("UpdateZoneRecord", "drop_reply", times=1)
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]])
        recovery = ended(shared, begin(shared, old["InstanceId"], notice_s=300))
        plan = shared.journal.recoveries.plan(recovery.recovery_id)
    new = by_id(live_cloud, recovery.new_instance_id)
    said = words.reason(recovery.reason)
    follows = {("corp.internal", "web"): new["PrivateIpAddress"]} if allowed else {}
    assert values(live_cloud) == {**before, **follows}
    if allowed:
        assert (
            f"web.corp.internal points to {new['PrivateIpAddress']}; clients may use the old address for 3600 s" in said
        )
        assert len(effects(live_cloud, "UpdateZoneRecord")) == 1
    else:
        assert f"web.corp.internal may still point to {old['PrivateIpAddress']}: " in said
        assert "Forbidden.RAM" in said
    assert plan
    assert "UpdateZoneRecord web.corp.internal" in plan_body(plan, 120).plain


def test_doctor_says_whether_the_zone_is_there_and_the_policy_has_a_part_for_it(
    live_cloud: SimServer, config: Path, old: dict[str, Any]
) -> None:
    settings = load(config)
    (tools,) = region_tools(settings, credentials_of(settings))
    (zone, _) = live_cloud.state()["dns_zones"]

    def checked(named: str) -> Any:
        return zone_check(structs.replace(settings, policy=structs.replace(settings.policy, private_zone=named)), tools)

    assert [checked(one).verdict for one in ("corp.internal", zone["ZoneId"])] == [Verdict.OK, Verdict.OK]
    assert checked("crop.internal").found == "there is no zone crop.internal"
    live_cloud.world(permissions={"DescribeZones": "forbidden"})
    assert "--policy identity" in checked("corp.internal").fix
    actions = {action for one in policy_document("identity", settings)["Statement"] for action in one["Action"]}
    assert {f"pvtz:{one}" for one in PRIVATE_ZONE} <= actions
