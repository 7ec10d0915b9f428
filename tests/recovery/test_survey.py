"""What a survey learns of the places of a plan from the cloud; and that a relaunch says what was captured."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from spottui.cloud.account import CloudAccount
from spottui.cloud.ecs import ImageSource
from spottui.cloud.errors import CloudError
from spottui.config import load
from spottui.domain.clock import SystemClock
from spottui.domain.facts import CallAnswered
from spottui.domain.instance import InterruptionBehavior
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.launch_spec import LaunchSource, LaunchSpec, PrivateDns, Secret
from spottui.domain.plan import Candidate, Caution, CautionKind, Plan, Stock
from spottui.domain.refusal import Refused
from spottui.domain.routes import Route
from spottui.domain.settings import Policy, Settings
from spottui.journal import Journal
from spottui.journal.fleet import Captured
from spottui.recovery.context import Shared
from spottui.recovery.planner import capture, make_plan
from spottui.recovery.preview import Previews
from spottui.recovery.survey import Surveys
from spottui.sim.testing import SimServer
from spottui.words import warnings
from tests.journal.given import observe, record
from tests.recovery.given import rooms

REGION = "cn-hangzhou"
HOME, OTHER, THIRD = (f"{REGION}-{letter}" for letter in "hij")
CLOCK = SystemClock()
LOOK_UPS = (
    "DescribeAvailableResource",
    "DescribeSpotAdvice",
    "DescribeInstanceTypes",
    "DescribeSpotPriceHistory",
    "DescribeImages",
)


class Site(msgspec.Struct, frozen=True):
    """A cloud, what speaks to it, and the spec of `web-1`: a Terminate spot instance with one disk, at home in `h`."""

    cloud: SimServer
    account: CloudAccount
    settings: Settings
    journal: Journal
    spec: LaunchSpec

    def plan(self, spec: LaunchSpec | None = None, **policy: object) -> Plan:
        """Return the plan before any survey."""
        chosen = replace(self.settings, policy=Policy(**policy))  # type: ignore[arg-type]
        return make_plan(spec or self.spec, chosen)

    def surveys(self, **policy: object) -> Surveys:
        """Return surveys that remember nothing yet."""
        chosen = replace(self.settings, policy=Policy(**policy))  # type: ignore[arg-type]
        return Surveys(self.account.markets, self.account.thread_pools, self.journal, CLOCK, chosen)

    def survey(self, spec: LaunchSpec | None = None, **policy: object) -> Plan:
        """Survey the plan."""
        return asyncio.run(self.surveys(**policy).survey(self.plan(spec, **policy)))

    def counted(self) -> Counter[str]:
        """Return how many calls the cloud has seen, by action."""
        return Counter(row["action"] for row in self.cloud.calls())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimServer, CloudAccount, Settings]]:
    config = tmp_path_factory.mktemp("survey") / "c.toml"
    with pytest.MonkeyPatch.context() as patch:
        for scheme in ("HTTP", "HTTPS", "ALL"):
            patch.delenv(f"{scheme}_PROXY", raising=False)
            patch.delenv(f"{scheme.lower()}_proxy", raising=False)
        with SimServer(config=config, speed=0) as cloud:
            chosen = load(config)
            yield cloud, CloudAccount(chosen), chosen


@pytest.fixture
def site(shared: tuple[SimServer, CloudAccount, Settings], tmp_path: Path) -> Site:
    cloud, account, chosen = shared
    cloud.reset()
    journal = Journal(tmp_path / "journal.db")
    web = next(row["InstanceId"] for row in cloud.state()["instances"] if row["InstanceName"] == "web-1")
    spec = capture(account.regions[REGION], journal, CLOCK, web)
    assert spec is not None
    return Site(cloud, account, chosen, journal, spec)


def missing(plan: Plan) -> list[str]:
    return [" ".join(one.what) for one in plan.cautions if one.kind is CautionKind.NOT_LOOKED_UP]


def places(plan: Plan) -> list[tuple[str, str]]:
    return [(one.instance_type, one.zone) for one in plan.candidates]


def test_a_survey_knows_stock_interruptions_and_prices_and_what_on_demand_costs_more(site: Site) -> None:
    old = site.spec.instance
    found = site.survey(on_demand=True)
    first, last = found.candidates[0], found.candidates[-1]
    assert found.surveyed
    assert (first.instance_type, first.zone, first.vswitch_id) == (old.instance_type, HOME, site.spec.vswitch_id)
    assert first.stock is Stock.GOOD
    assert first.interruption_rate in first.reason
    assert first.price_per_hour == found.price_per_hour
    assert last.on_demand
    home = next(price for price in found.prices if (price.instance_type, price.zone) == (old.instance_type, HOME))
    assert home.spot == found.price_per_hour
    assert home.on_demand > home.spot
    assert found.added_cost_per_hour == pytest.approx((last.price_per_hour or 0) - (found.price_per_hour or 0))
    assert {one.zone for one in found.candidates} == {HOME, OTHER, THIRD}
    assert not [one for one in found.candidates if one.instance_type.startswith("ecs.g8y") or one.problem]
    assert {one.instance_type for one in found.candidates} > {old.instance_type}


def test_a_place_that_is_sold_out_comes_last_and_stays_for_what_comes_back(site: Site) -> None:
    site.cloud.stock(0, instance_type=site.spec.instance.instance_type, zone=HOME)
    assert places(site.survey())[-1] == (site.spec.instance.instance_type, HOME)
    site.cloud.stock(0)
    left = site.survey()
    assert places(left)[0] == (site.spec.instance.instance_type, HOME)
    assert {one.stock for one in left.candidates} == {Stock.NONE}
    assert all(one.problem.startswith("OperationDenied.NoStock") for one in left.candidates)


def test_a_place_that_a_dry_run_refuses_goes_behind_the_others_with_what_was_said(site: Site) -> None:
    refusal = {"code": "QuotaExceed.ElasticQuota", "status": 403, "message": "The quota is exceeded."}
    site.cloud.fault("RunInstances", "error", match={"ZoneId": HOME, "DryRun": "True"}, times=0, **refusal)
    found = site.survey()
    behind = [one for one in found.candidates if one.problem]
    assert behind
    assert found.candidates[-len(behind) :] == tuple(behind)
    assert {(one.zone, one.problem) for one in behind} == {(HOME, "QuotaExceed.ElasticQuota: The quota is exceeded.")}


@pytest.mark.parametrize("code", ["InvalidImageId.NotFound", "OperationDenied.ImageNotValid"])
def test_an_image_that_is_gone_says_nothing_against_a_place(site: Site, code: str) -> None:
    site.cloud.fault("RunInstances", "error", code=code, status=404, times=0)
    found = site.survey()
    assert not [one for one in found.candidates if one.problem]
    assert not missing(found)


@pytest.mark.parametrize(
    ("refused", "category"), [(("cloud_ssd",), "cloud_essd"), (("cloud_ssd", "cloud_essd"), "cloud_auto")]
)
def test_a_disk_category_that_is_not_to_be_had_is_changed(site: Site, refused: tuple[str, ...], category: str) -> None:
    for one in refused:
        match = {"SystemDisk.Category": one, "ZoneId": HOME}
        code = "InvalidInstanceType.NotSupportDiskCategory"
        site.cloud.fault("RunInstances", "error", match=match, code=code, status=403, times=0)
    disks = tuple(replace(disk, category="cloud_ssd", performance_level="") for disk in site.spec.disks)
    found = site.survey(replace(site.spec, disks=disks))
    here = [one for one in found.candidates if one.zone == HOME]
    assert {(one.disk_category, one.problem) for one in here} == {(category, "")}
    assert {one.disk_category for one in found.candidates if one.zone != HOME} == {""}


@pytest.mark.parametrize("action", [*LOOK_UPS, "RunInstances"])
def test_what_cannot_be_looked_up_is_a_warning_and_the_places_stay(site: Site, action: str) -> None:
    site.cloud.fault(action, "error", code="ServiceUnavailable", status=503, times=0)
    found = site.survey()
    assert [line for line in missing(found) if "ServiceUnavailable" in line]
    assert places(found)[0] == (site.spec.instance.instance_type, HOME)
    assert not [one for one in found.candidates if one.problem]


@pytest.mark.parametrize("action", [*LOOK_UPS, "RunInstances"])
def test_an_answer_that_is_no_answer_is_not_taken_for_an_empty_one(site: Site, action: str) -> None:
    site.cloud.fault(action, "bad_json", times=0)
    found = site.survey()
    assert missing(found)
    assert set(places(site.plan())) <= set(places(found))


def test_without_any_answer_the_plan_is_what_it_was(site: Site) -> None:
    site.cloud.fault("*", "html_502", times=0)
    plan = site.plan()
    found = site.survey()
    assert found.surveyed
    assert found.digest == plan.digest
    assert len(warnings(found)) > len(LOOK_UPS)


def test_a_survey_that_is_late_goes_on_without_what_is_slow_and_others_still_get_it(site: Site) -> None:
    site.cloud.fault("DescribeSpotAdvice", "slow", delay_s=1.0)
    surveys, plan = site.surveys(), site.plan()

    async def both() -> list[Plan]:
        return list(await asyncio.gather(surveys.survey(plan, 0.4), surveys.survey(plan)))

    hasty, patient = asyncio.run(both())
    assert [line for line in missing(hasty) if "interruption rates: no answer within" in line]
    assert places(hasty)[0] == places(patient)[0]
    assert patient.candidates[0].interruption_rate
    assert not missing(patient)


def test_a_storm_of_the_same_type_costs_the_calls_of_one_survey(site: Site) -> None:
    one = site.surveys()
    before = site.counted()
    asyncio.run(one.survey(site.plan()))
    alone = site.counted() - before
    storm = site.surveys()
    names = [replace(site.spec, instance=replace(site.spec.instance, name=f"web-{n}")) for n in range(100)]

    async def all_at_once() -> list[Plan]:
        return list(await asyncio.gather(*(storm.survey(site.plan(spec)) for spec in names)))

    before = site.counted()
    found = asyncio.run(all_at_once())
    assert site.counted() - before == alone
    assert alone.total() < 22
    assert len({places(plan)[0] for plan in found}) == 1


def test_a_place_that_rests_comes_last_until_it_is_rested(site: Site) -> None:
    place = (site.spec.instance.instance_type, HOME, False)
    site.journal.cool_downs.rest(REGION, place, CLOCK.now() + timedelta(minutes=5), "OperationDenied.NoStock").result()
    last = site.survey(other_types=False).candidates[-1]
    assert (last.place, last.reason[-30:]) == (place, "rests: OperationDenied.NoStock")
    site.journal.cool_downs.rest(REGION, place, CLOCK.now() - timedelta(seconds=1), "OperationDenied.NoStock").result()
    assert site.survey(other_types=False).candidates[0].place == place


@pytest.mark.parametrize(
    ("tag", "zones"), [("use=spot", {HOME, OTHER, THIRD}), ("use", {HOME, OTHER, THIRD}), ("x=y", {HOME})]
)
def test_vswitches_are_found_by_their_tag_where_none_is_configured(site: Site, tag: str, zones: set[str]) -> None:
    configured = site.settings.regions[0].vswitches
    region = replace(site.settings.regions[0], vswitches={}, vswitch_tag=tag)
    tagged = replace(site, settings=replace(site.settings, regions=(region,)))
    found = tagged.survey(other_types=False)
    assert {one.zone for one in found.candidates} == zones
    assert all(one.vswitch_id == configured[one.zone] for one in found.candidates)
    assert (Caution(CautionKind.NO_TAGGED_VSWITCH) in found.cautions) == (zones == {HOME})


def test_a_configured_vswitch_is_taken_before_a_tagged_one(site: Site) -> None:
    region = replace(site.settings.regions[0], vswitches={OTHER: "vsw-mine"}, vswitch_tag="use=spot")
    found = replace(site, settings=replace(site.settings, regions=(region,))).survey(other_types=False)
    assert {one.zone: one.vswitch_id for one in found.candidates}[OTHER] == "vsw-mine"
    assert {one.zone for one in found.candidates} == {HOME, OTHER, THIRD}


def test_the_price_is_the_newest_of_the_history(site: Site) -> None:
    place = {"instance_type": site.spec.instance.instance_type, "zone": HOME}
    for price in (0.3, 0.9):
        site.cloud.control("POST", "price", {**place, "price": price})
        site.cloud.advance(3600)
    assert site.survey().price_per_hour == 0.9


def test_a_dry_run_asks_nothing_of_the_old_image_that_it_does_not_have(site: Site) -> None:
    data = replace(site.spec.disks[0], kind="data", device="/dev/xvdb")
    site.survey(replace(site.spec, key_pair="", disks=(*site.spec.disks, data)), other_types=False)
    asked = [row["params"] for row in site.cloud.calls("RunInstances")]
    assert asked
    for params in asked:
        assert (params["DryRun"], params["ImageId"]) == ("True", site.spec.image_id)
        assert params["DataDisk.1.Category"] == data.category
        assert not {"ClientToken", "UserData", "PasswordInherit", "DataDisk.1.Device"} & params.keys()


def test_the_newest_image_of_this_instance_is_its_warm_image_and_a_route_where_that_is_allowed(site: Site) -> None:
    ecs, old = site.account.regions[REGION], site.spec.instance
    assert site.survey(warm_image=True).warm_image is None
    made = []
    for epoch in (1, 2):
        made.append(
            ecs.create_image(
                ImageSource(old.instance_id), f"spottui-{epoch}", f"{REGION}.{old.instance_id}.{epoch}", ""
            )
        )
        site.cloud.advance(600)
    ecs.create_image(ImageSource(old.instance_id), "spottui-3", f"{REGION}.{old.instance_id}.3", "")
    found = site.survey(warm_image=True)
    assert found.warm_image is not None
    assert found.warm_image.image_id == made[-1].resource_id
    assert found.routes == (Route.IMAGE, Route.KEPT_DISK, Route.WARM_IMAGE)
    assert site.survey().routes == (Route.IMAGE, Route.KEPT_DISK)
    again = replace(site.spec, image_id=made[0].resource_id, instance=replace(old, instance_id="i-replacement"))
    assert site.survey(again).warm_image == replace(
        found.warm_image, image_id=made[0].resource_id, made=found.warm_image.made - timedelta(seconds=600)
    )
    larger = replace(site.spec, disks=(*site.spec.disks, replace(site.spec.disks[0], kind="data", device="/dev/xvdb")))
    assert site.survey(larger).warm_image is None


def shared_by(site: Site, **policy: object) -> Shared:
    """Return what a plan is shown with."""
    chosen = replace(site.settings, policy=Policy(**policy))  # type: ignore[arg-type]
    return rooms(site.journal, site.account, chosen)


def test_the_plan_that_was_shown_is_the_one_that_runs_however_the_market_moves(site: Site) -> None:
    previews, web = Previews(shared_by(site, other_types=False)), site.spec.instance.instance_id
    shown = previews.show(REGION, web)
    assert shown.surveyed
    assert shown.candidates[0].stock is Stock.GOOD
    site.cloud.stock(0)
    assert previews.shown(REGION, web) == shown
    changed = replace(site.spec, security_group_ids=("sg-other",))
    site.journal.fleet.put(REGION, [Captured(changed, CLOCK.now(), CLOCK.now())])
    with pytest.raises(Refused, match="has changed since its plan was shown"):
        previews.shown(REGION, web)


@pytest.mark.parametrize(("region", "words"), [("cn-nowhere", "not a configured region"), (REGION, "not listed")])
def test_what_cannot_be_planned_is_said(site: Site, region: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        Previews(shared_by(site)).show(region, "i-nobody")


def test_a_disk_that_only_its_protection_has_kept_goes_with_the_replacement_as_with_the_old_one(site: Site) -> None:
    ecs, web, now = site.account.regions[REGION], site.spec.instance.instance_id, CLOCK.now()
    (recovery_id,) = observe(site.journal, Observation(REGION, web, Evidence.LOCK, now), now=now)
    (disk_id,) = [disk.disk_id for disk in site.spec.disks]
    record(site.journal, recovery_id, CallAnswered("ModifyDiskAttribute", resources=(disk_id,)), now=now)
    ecs.protect([disk_id])
    assert [disk.delete_with_instance for disk in ecs.disks(web)] == [False]
    site.journal.fleet.put(REGION, [Captured(replace(site.spec, disks=ecs.disks(web)), now, now)])
    assert capture(ecs, site.journal, CLOCK, web) == site.spec


def expected(spec: LaunchSpec, at: Candidate) -> dict[str, object]:
    """What RunInstances must be told for an instance like the captured one, by its documentation (4.1)."""
    old = spec.instance
    is_limited = 0 < spec.internet_bandwidth_in < max(10, spec.internet_bandwidth_out)
    told: dict[str, object] = {
        "RegionId": old.region,
        "ImageId": "m-1",
        "ClientToken": "t",
        "Amount": 1,
        "InstanceType": at.instance_type,
        "ZoneId": at.zone,
        "VSwitchId": at.vswitch_id,
        "InstanceChargeType": "PostPaid",
        "InstanceName": old.name,
        "HostName": spec.host_name,
        "Description": spec.description,
        "KeyPairName": spec.key_pair,
        "PasswordInherit": "" if spec.key_pair else True,
        "RamRoleName": spec.ram_role,
        "UserData": "***" if spec.user_data else "",
        "ResourceGroupId": spec.resource_group_id,
        "InternetChargeType": spec.internet_charge_type,
        "InternetMaxBandwidthIn": spec.internet_bandwidth_in if old.public_ip and is_limited else "",
        "InternetMaxBandwidthOut": spec.internet_bandwidth_out if old.public_ip else 0,
        "DeletionProtection": spec.deletion_protection or "" if at.on_demand else "",
        "CreditSpecification": spec.credit_specification,
        "DeploymentSetId": spec.deployment_set_id,
        "DeploymentSetGroupNo": spec.deployment_set_group or "" if spec.deployment_set_id else "",
        "HpcClusterId": spec.hpc_cluster_id,
        "Tenancy": spec.tenancy,
        "HttpTokens": spec.http_tokens,
        "HttpEndpoint": spec.http_endpoint,
        "Ipv6AddressCount": spec.ipv6_addresses or "",
        "SpotStrategy": old.spot_strategy,
        "SpotDuration": spec.spot_duration,
        "SpotInterruptionBehavior": old.behavior.value,
        "SpotPriceLimit": spec.spot_price_limit if old.spot_strategy == "SpotWithPriceLimit" else "",
    }
    told |= {f"SecurityGroupIds.{n}": group for n, group in enumerate(spec.security_group_ids, 1)}
    tags = [pair for pair in old.tags if not pair[0].startswith(("acs:", "aliyun"))] + [("spottui", "id")]
    for n, (key, value) in enumerate(tags, 1):
        told |= {f"Tag.{n}.Key": key, f"Tag.{n}.Value": value}
    if spec.private_dns:
        told |= {"PrivateDnsNameOptions.HostnameType": spec.private_dns.host_name_type}
        told |= {"PrivateDnsNameOptions.EnableIpDnsARecord": spec.private_dns.ip_a}
    return told | expected_disks(spec)


def expected_disks(spec: LaunchSpec) -> dict[str, object]:
    told: dict[str, object] = {}
    data = 0
    for disk in spec.disks:
        if disk.is_local:
            continue
        data += disk.kind == "data"
        prefix = "SystemDisk" if disk.kind == "system" else f"DataDisk.{data}"
        auto = disk.category == "cloud_auto"
        told |= {
            f"{prefix}.Category": disk.category,
            f"{prefix}.Size": disk.size_gib,
            f"{prefix}.DiskName": disk.name,
            f"{prefix}.Description": disk.description,
            f"{prefix}.PerformanceLevel": disk.performance_level,
            f"{prefix}.Encrypted": "true" if disk.encrypted else "",
            f"{prefix}.KMSKeyId": disk.kms_key_id if disk.encrypted else "",
            f"{prefix}.AutoSnapshotPolicyId": disk.snapshot_policy_id,
            f"{prefix}.ProvisionedIops": disk.provisioned_iops if auto else "",
            f"{prefix}.BurstingEnabled": disk.bursting if auto else "",
        }
        if disk.kind == "data":
            told |= {f"{prefix}.Device": disk.device, f"{prefix}.DeleteWithInstance": disk.delete_with_instance}
    return told


def on_the_wire(told: dict[str, object]) -> dict[str, str]:
    """Return parameters as they travel, without those that have no value; a tag may have an empty one."""
    return {key: str(value) for key, value in told.items() if value not in ("", None) or key.startswith("Tag.")}


words = st.text("abcXYZ019-_", max_size=8)
flags = st.booleans()
disks = st.lists(
    st.fixed_dictionaries(
        {
            "category": st.sampled_from(("cloud_essd", "cloud_auto", "cloud_efficiency", "ephemeral_ssd")),
            "size_gib": st.integers(20, 500),
            "performance_level": st.sampled_from(("", "PL1")),
            "delete_with_instance": flags,
            "encrypted": flags,
            "name": words,
            "description": words,
            "kms_key_id": words,
            "provisioned_iops": st.sampled_from((None, 0, 100)),
            "bursting": st.sampled_from((None, True, False)),
            "snapshot_policy_id": words,
        }
    ),
    max_size=3,
)
dns = st.builds(PrivateDns, st.sampled_from(("Custom", "IpBased")), ip_a=st.sampled_from((None, True, False)))
of_spec = st.fixed_dictionaries(
    {
        **dict.fromkeys(
            ("key_pair", "ram_role", "host_name", "description", "resource_group_id", "credit_specification",
             "deployment_set_id", "http_tokens", "http_endpoint", "tenancy", "hpc_cluster_id", "internet_charge_type"),
            words,
        ),
        "security_group_ids": st.lists(words.filter(bool), min_size=1, max_size=3).map(tuple),
        "spot_price_limit": st.sampled_from((0.05, 1.25)),
        "spot_duration": st.sampled_from((0, 1)),
        "internet_bandwidth_out": st.integers(0, 100),
        "internet_bandwidth_in": st.integers(0, 200),
        "deletion_protection": flags,
        "deployment_set_group": st.sampled_from((None, 0, 3)),
        "ipv6_addresses": st.integers(0, 2),
        "private_dns": st.none() | dns,
        "user_data": st.none() | st.just(Secret("c2VjcmV0")),
    }
)  # fmt: skip
of_instance = st.fixed_dictionaries(
    {
        "name": words,
        "spot_strategy": st.sampled_from(("SpotAsPriceGo", "SpotWithPriceLimit")),
        "behavior": st.sampled_from(InterruptionBehavior),
        "public_ip": st.sampled_from(("", "1.2.3.4")),
        "tags": st.dictionaries(st.sampled_from(("app", "acs:x", "aliyun-y", "env")), words).map(
            lambda tags: tuple(tags.items())
        ),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(of_spec, of_instance, disks)
def test_a_relaunch_says_exactly_what_was_captured(
    site: Site, of_spec: dict[str, object], of_instance: dict[str, object], data: list[dict[str, object]]
) -> None:
    system = site.spec.disks[0]
    made = [replace(system, kind="data", device=f"/dev/xvd{'bcd'[n]}", **one) for n, one in enumerate(data)]  # type: ignore[arg-type]
    instance = replace(site.spec.instance, **of_instance)  # type: ignore[arg-type]
    spec = replace(site.spec, instance=instance, disks=(system, *made), **of_spec)  # type: ignore[arg-type]
    at = site.plan().candidates[1]
    assert launched(site, spec, at) == on_the_wire(expected(spec, at))
    system_only = {
        key: value for key, value in on_the_wire(expected(spec, at)).items() if not key.startswith("DataDisk.")
    }
    assert launched(site, spec, at, data_disks=False) == system_only
    dear = replace(at, on_demand=True)
    free = {key: value for key, value in on_the_wire(expected(spec, dear)).items() if not key.startswith("Spot")}
    assert launched(site, spec, dear) == {**free, "SpotStrategy": "NoSpot"}


def launched(site: Site, spec: LaunchSpec, at: Candidate, *, data_disks: bool = True) -> dict[str, str]:
    """Return the parameters of a launch, which the cloud refuses: there is no such image."""
    with pytest.raises(CloudError):
        site.account.regions[REGION].run_instance(spec, at, LaunchSource("m-1", data_disks), "id", "t")
    params = site.cloud.calls("RunInstances")[-1]["params"]
    return {str(key): str(value) for key, value in params.items()}


def test_other_disks_than_the_old_ones_lose_what_only_those_know(site: Site) -> None:
    disk = replace(site.spec.disks[0], performance_level="PL2")
    at = replace(site.plan().candidates[0], disk_category="cloud_auto")
    params = launched(site, replace(site.spec, disks=(disk,)), at)
    assert params["SystemDisk.Category"] == "cloud_auto"
    assert "SystemDisk.PerformanceLevel" not in params


def test_each_instance_of_the_fleet_is_captured_as_it_is_launched(site: Site) -> None:
    ecs = site.account.regions[REGION]
    at = site.plan().candidates[0]
    for row in site.cloud.state()["instances"]:
        if row["SpotStrategy"] != "NoSpot":
            spec = capture(ecs, site.journal, CLOCK, row["InstanceId"])
            assert spec is not None
            assert launched(site, spec, at) == on_the_wire(expected(spec, at))


def test_the_user_data_arrives_as_it_was_captured(site: Site) -> None:
    ecs, spec = site.account.regions[REGION], site.spec
    new = ecs.run_instance(spec, site.plan().candidates[0], LaunchSource(spec.image_id), "id", "t")
    assert spec.user_data is not None
    assert ecs.user_data(new.resource_id) == spec.user_data
