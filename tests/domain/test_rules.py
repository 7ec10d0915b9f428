"""Tokens, names, forecasts, plans and safe text."""

import unicodedata
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from spottui.domain.balancers import Backend, Product
from spottui.domain.forecast import ImageTiming, Verdict, before_image, while_imaging
from spottui.domain.instance import Disk, Instance, InstanceStatus
from spottui.domain.launch_spec import LaunchSpec, Secret
from spottui.domain.plan import Drain, PlaceRules, Plan, WarmImage, same_place_first
from spottui.domain.probe import Probe, ProbeSettings
from spottui.domain.routes import Route
from spottui.domain.text import plain
from spottui.domain.tokens import client_token, image_name

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SPEC = LaunchSpec(
    instance=Instance(
        "cn-hangzhou", "i-1", "web-1", "ecs.c7.large", "cn-hangzhou-h", InstanceStatus.RUNNING, "SpotAsPriceGo", True
    ),
    vswitch_id="vsw-h",
    security_group_ids=("sg-1",),
    disks=(
        Disk("d-1", "/dev/xvda", "system", "cloud_essd", 40),
        Disk("d-2", "/dev/xvdb", "data", "local_ssd_pro", 900),
    ),
    user_data=Secret("aHVudGVyMg=="),
)


@given(st.text(), st.sampled_from(("CreateImage", "RunInstances")), st.integers(0, 99))
def test_a_token_is_the_same_again_and_fits_the_api(interruption_id: str, action: str, attempt: int) -> None:
    token = client_token(interruption_id, action, attempt)
    assert token == client_token(interruption_id, action, attempt)
    assert token.isascii()
    assert 0 < len(token) <= 64


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8), st.integers(0, 9)), unique=True, min_size=2))
def test_different_calls_have_different_tokens(calls: list[tuple[str, str, int]]) -> None:
    # The separator could be part of an id of ours only if ids held `|`; those of the cloud never do.
    clean = {(a.replace("|", ""), b.replace("|", ""), n) for a, b, n in calls}
    assert len({client_token(*call) for call in clean}) == len(clean)


@given(st.text())
def test_an_image_name_is_one_that_the_api_takes(interruption_id: str) -> None:
    name = image_name(interruption_id)
    assert 2 <= len(name) <= 128
    assert name[0].isalpha()
    assert all(c.isascii() and (c.isalnum() or c in "-_:") for c in name)


@given(st.text(max_size=300), st.integers(1, 250))
def test_plain_text_holds_nothing_that_a_terminal_interprets(text: str, limit: int) -> None:
    safe = plain(text, limit)
    assert len(safe) <= limit
    assert not [c for c in safe if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


def test_the_verdict_follows_the_slack() -> None:
    timing = ImageTiming(0, 1)
    deadline = NOON + timedelta(seconds=300)
    assert before_image(NOON, deadline, 200, timing).verdict is Verdict.WILL_MAKE_IT
    assert before_image(NOON, deadline, 280, timing).verdict is Verdict.TIGHT
    assert before_image(NOON, deadline, 301, timing).verdict is Verdict.WILL_NOT


@given(st.integers(1, 100), st.floats(1, 600), st.integers(1, 2000))
def test_a_forecast_never_lies_in_the_past(progress: int, elapsed_s: float, gib: int) -> None:
    now = NOON + timedelta(seconds=elapsed_s)
    forecast = while_imaging(now, NOON, progress, NOON + timedelta(seconds=300), gib, ImageTiming())
    assert forecast.ready_at >= now


def test_progress_overrules_the_past_as_it_grows() -> None:
    deadline = NOON + timedelta(seconds=300)
    slow = while_imaging(NOON + timedelta(seconds=200), NOON, 50, deadline, 10, ImageTiming(10, 1))
    assert slow.slack_s < 100
    assert while_imaging(NOON + timedelta(seconds=270), NOON, 90, deadline, 10, ImageTiming(10, 1)).slack_s < 30


def test_candidates_begin_at_home_and_use_every_configured_zone_once() -> None:
    vswitches = {"cn-hangzhou-h": "vsw-other", "cn-hangzhou-i": "vsw-i", "cn-hangzhou-j": "vsw-j"}
    found = same_place_first(SPEC, vswitches)
    assert [(one.zone, one.vswitch_id) for one in found] == [
        ("cn-hangzhou-h", "vsw-h"),
        ("cn-hangzhou-i", "vsw-i"),
        ("cn-hangzhou-j", "vsw-j"),
    ]


def test_an_image_reads_cloud_disks_only() -> None:
    assert SPEC.image_gib == 40


def test_user_data_never_shows() -> None:
    plan = Plan((Route.IMAGE,), SPEC, same_place_first(SPEC, {}), "spottui-x")
    assert "aHVudGVyMg" not in f"{plan!r} {SPEC.user_data}"


def test_the_digest_changes_with_what_is_launched_and_not_with_the_image_name() -> None:
    plan = Plan((Route.IMAGE,), SPEC, same_place_first(SPEC, {}), "spottui-x")
    assert plan.digest == Plan((Route.IMAGE,), SPEC, same_place_first(SPEC, {}), "spottui-y").digest
    assert (
        plan.digest
        != Plan((Route.IMAGE,), SPEC, same_place_first(SPEC, {"cn-hangzhou-i": "vsw-i"}), "spottui-x").digest
    )


def test_a_plan_keeps_the_digest_that_an_earlier_version_gave_it() -> None:
    """A yes of before the upgrade holds: a field that is new since must not show where it has its default."""
    plan = Plan(
        (Route.INSTANT, Route.IMAGE),
        SPEC,
        same_place_first(SPEC, {"cn-hangzhou-i": "vsw-i"}),
        "spottui-x",
        rules=PlaceRules({"cn-hangzhou-i": "vsw-i"}),
        drain=Drain("jobs", "true", 5),
        probe=Probe("web", ProbeSettings(http="http://{ip}/")),
        warm_image=WarmImage("m-1", NOON),
        system_image=WarmImage("m-2", NOON),
        backends=(Backend(Product.ALB, "", "sgp-1", "i-1", port=80, weight=100),),
    )
    assert plan.digest == "e961107feb05"
