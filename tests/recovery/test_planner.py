"""The plan as it is made from what is known without asking."""

import pytest
from msgspec.structs import replace

from spottui import words
from spottui.domain.instance import Disk, Instance, InstanceStatus, InterruptionBehavior
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Drain, Plan
from spottui.domain.probe import Probe, ProbeSettings
from spottui.domain.routes import Route
from spottui.domain.settings import DrainSettings, Policy, RegionSettings, Settings
from spottui.recovery.planner import make_plan

REGION = RegionSettings("cn-hangzhou", "q", "", vswitches={"cn-hangzhou-i": "vsw-i", "cn-hangzhou-h": "vsw-h"})
SETTINGS = Settings(
    "",
    (REGION,),
    "journal.db",
    policy=Policy(drain="all"),
    drain={"all": DrainSettings("sync", 5), "db": DrainSettings("stop-db")},
    probe={"web": ProbeSettings(tcp=80)},
)
SPEC = LaunchSpec(
    Instance(
        "cn-hangzhou", "i-1", "web", "ecs.c7.large", "cn-hangzhou-h", InstanceStatus.RUNNING, "SpotAsPriceGo", True
    ),
    "vsw-old",
    ("sg-1",),
    (Disk("d-1", "/dev/xvda", "system", "cloud_essd", 40),),
)


def plan(spec: LaunchSpec = SPEC, settings: Settings = SETTINGS) -> Plan:
    return make_plan(spec, settings)


def with_instance(**changes: object) -> LaunchSpec:
    return replace(SPEC, instance=replace(SPEC.instance, **changes))  # type: ignore[arg-type]


def warned(spec: LaunchSpec, text: str, settings: Settings = SETTINGS) -> bool:
    return any(text in line for line in words.warnings(plan(spec, settings)))


def test_a_stopped_instance_is_started_again_and_a_released_one_comes_from_an_image() -> None:
    assert plan().routes == (Route.IMAGE, Route.KEPT_DISK)
    stops = with_instance(behavior=InterruptionBehavior.STOP)
    assert plan(stops).routes == (Route.RESTART, Route.IMAGE)
    assert warned(stops, "instead of releasing it")


def test_the_rules_are_those_of_the_configuration() -> None:
    policy = Policy(types=("ecs.c6.large",), other_types=False, on_demand=True)
    found = plan(settings=replace(SETTINGS, policy=policy))
    assert (found.rules.vswitches, found.rules.types) == (REGION.vswitches, ("ecs.c6.large",))
    assert (found.rules.other_types, found.rules.on_demand, found.surveyed) == (False, True, False)
    first, second, *_, last = found.candidates
    assert (first.zone, first.vswitch_id) == ("cn-hangzhou-h", "vsw-old")
    assert (second.zone, second.vswitch_id) == ("cn-hangzhou-i", "vsw-i")
    assert last.on_demand


@pytest.mark.parametrize(
    ("tags", "drain"),
    [
        ((), Drain("all", "sync", 5)),
        ((("spottui:drain", "db"),), Drain("db", "stop-db", 30)),
        ((("spottui:drain", ""),), None),
        ((("spottui:drain", "rm -rf /"),), None),
    ],
)
def test_a_tag_chooses_among_the_configured_drains_and_is_never_a_command(
    tags: tuple[tuple[str, str], ...], drain: Drain | None
) -> None:
    spec = with_instance(tags=tags)
    assert plan(spec).drain == drain
    assert warned(spec, "there is no [drain.rm -rf /]") == (("spottui:drain", "rm -rf /") in tags)


def test_a_tag_chooses_among_the_configured_probes_and_the_digest_covers_it() -> None:
    probed, unknown = with_instance(tags=(("spottui:probe", "web"),)), with_instance(tags=(("spottui:probe", "tcp=1"),))
    assert plan(probed).probe == Probe("web", ProbeSettings(tcp=80))
    assert (plan(unknown).probe, warned(unknown, "tcp=1 is not a [probe.NAME]")) == (None, True)
    by_policy = replace(SETTINGS, policy=Policy(probe="web"))
    assert plan(settings=by_policy).probe == plan(probed).probe
    assert plan(with_instance(tags=(("spottui:probe", ""),)), by_policy).probe is None
    assert plan(settings=by_policy).digest != replace(plan(settings=by_policy), probe=None).digest


def test_a_name_of_a_drain_that_would_move_the_cursor_is_shown_plain() -> None:
    (line,) = words.warnings(plan(with_instance(tags=(("spottui:drain", "\x1b[2J"),))))
    assert "\x1b" not in line


def test_the_engineer_is_told_what_is_lost_and_who_else_acts() -> None:
    assert words.warnings(plan()) == ()
    assert warned(with_instance(private_ip="10.0.0.1"), "10.0.0.1 is in use")
    assert warned(with_instance(public_ip="1.2.3.4"), "1.2.3.4 is converted to an EIP")
    assert warned(with_instance(tags=(("acs:autoscaling:scalingGroupId", "asg-1"),)), "owned by ESS asg-1")
    assert warned(replace(SPEC, deletion_protection=True), "does not stop a reclaim")
    assert warned(replace(SPEC, network_interfaces=3), "2 more network interfaces")
    assert warned(replace(SPEC, disks=(replace(SPEC.disks[0], encrypted=True),)), "d-1 encrypted")
    assert warned(replace(SPEC, disks=(*SPEC.disks, Disk("d-2", "", "data", "local_ssd_pro", 9))), "local disk d-2")
    alone = replace(SETTINGS, regions=(replace(REGION, vswitches={"cn-hangzhou-h": "vsw-h"}),))
    assert warned(SPEC, "no vSwitch is configured in another zone", alone)
    by_tag = replace(SETTINGS, regions=(replace(REGION, vswitches={}, vswitch_tag="use=spot"),))
    assert not warned(SPEC, "no vSwitch", by_tag)
