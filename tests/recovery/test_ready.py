"""Ready in advance: one image and one snapshot group of each slot, whoever makes them, and nothing during a reclaim."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from spottui import words
from spottui.cloud.ecs import ImageSource
from spottui.domain.facts import BeyondCap, CallBegun, CallFailed, ReadyCallAnswered
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.ready import cost_per_month
from spottui.domain.recovery import RecoveryState
from spottui.domain.settings import ReadySettings
from spottui.journal.log import drop_old
from tests.journal.given import enter, observe
from tests.recovery.calm_fleet import PRICE, REGION, Calm, calm

ALL = ReadySettings({"app": ""}, image_every="2h", keep=2, snapshots_every="30m")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Calm]:
    with calm(tmp_path, ALL) as one:
        yield one


def with_data(site: Calm) -> str:
    """An instance that has a data disk."""
    return next(one.spec.instance.instance_id for one in site.kept() if one.spec.data_disks)


def test_each_slot_has_one_whatever_the_number_of_consoles_their_restarts_and_lost_answers(site: Calm) -> None:
    dice = random.Random(7)
    consoles = [site.console()]
    for action in ("CreateSnapshot", "CreateImage", "CreateSnapshotGroup"):
        site.cloud.fault(action, "reset", times=2)
        site.cloud.fault(action, "drop_reply", times=4)
    site.cloud.world(image_unlisted_s=200)
    gib = 0.0
    for number in range(4 * 12):
        if dice.random() < 0.2:
            consoles = [site.console() for _ in range(dice.randint(1, 3))]
        assert site.rounds(*consoles, minutes=5, every=2.5) == []
        if number >= 3 * 12:
            sizes = {row["DiskId"]: row["Size"] for row in site.cloud.state()["disks"]}
            gib += sum(sizes[row["SourceDiskId"]] for row in site.there("snapshots")) / 12
    for action, name in (("CreateSnapshot", "SnapshotName"), ("CreateImage", "ImageName")):
        tokens = {(row["params"][name], row["client_token"]) for row in site.cloud.calls(action)}
        assert len(tokens) == len({named for named, _ in tokens}) < len(site.cloud.calls(action)), "repeated, the same"
    images = Counter(row["ImageName"] for row in site.there("images"))
    assert max(images.values()) == 1
    slots, with_data_disks = 4 // 2, sum(bool(one.spec.data_disks) for one in site.kept())
    for action, of_each, instances in (("CreateSnapshot", slots, 4), ("CreateImage", slots, 4),
                                       ("CreateSnapshotGroup", 8, with_data_disks)):  # fmt: skip
        # The slots of the beginning are under way already, those of the end have just begun.
        assert instances * of_each <= len(site.made(action)) <= instances * (of_each + 1)
    assert len(images) == 2 * 4
    assert len(site.made("CreateImage")) - len(site.made("DeleteImage")) == 2 * 4
    assert len(site.there("snapshot_groups")) == 2 * with_data_disks
    predicted = sum(one.per_month or 0.0 for one in site.kept())
    assert gib * PRICE == pytest.approx(predicted, rel=0.05)


def test_every_call_is_written_down_before_with_its_token_and_forgotten_in_days(site: Calm) -> None:
    site.rounds(site.console(), minutes=10)
    (row, *_) = site.cloud.calls("CreateSnapshotGroup")
    log = site.journal.log.after(0, 1000)
    begun = next(one for one in log if getattr(one.fact, "token", "") == row["client_token"])
    assert isinstance(begun.fact, CallBegun)
    assert (begun.fact.action, begun.instance_id, begun.recovery_id) == ("CreateSnapshotGroup", with_data(site), "")
    answered = [one.fact for one in log if one.seq > begun.seq and isinstance(one.fact, ReadyCallAnswered)]
    assert [one.request_id for one in answered if one.token == row["client_token"]] == [row["request_id"]]
    assert site.journal.log.before(10**9, 10) == (), "nobody reads a line for each of them"
    later = site.clock.at + timedelta(days=4)
    while site.journal.run(lambda transaction: drop_old(transaction, later, timedelta(days=400))):
        pass
    assert site.journal.log.after(0, 1000) == ()


@pytest.mark.parametrize("restarted", [False, True])
def test_a_reclaim_stops_what_is_under_way_and_nothing_is_begun_until_it_is_over(site: Calm, restarted: bool) -> None:
    instance_id, console = with_data(site), site.console()
    console.poll()
    under_way = [row["SnapshotId"] for row in site.there("snapshots", instance_id)]
    assert len(under_way) == 2, "of the system disk, and a group of the data disk"
    suspected = Observation(REGION, instance_id, Evidence.QUEUE, site.clock.at)
    (recovery_id,) = observe(site.journal, suspected, now=site.clock.at)
    console.poll()
    assert len(site.there("snapshots", instance_id)) == 2, "a message alone is no evidence"
    observe(site.journal, replace(suspected, source=Evidence.LOCK), now=site.clock.at)
    # Another console, or this one after kill -9, has begun none of it.
    console = site.console() if restarted else console
    console.poll()
    assert site.there("snapshots", instance_id) == []
    assert site.there("snapshot_groups", instance_id) == []
    image = site.account.regions[REGION].create_image(ImageSource(instance_id), "spottui-x", recovery_id, "token")
    assert image.resource_id, "its disks take the snapshots of the recovery"
    before = len(site.made("CreateSnapshot"))
    others = len(site.ids) - 1
    site.rounds(console, site.console(), minutes=130, every=5)
    assert site.there("images", instance_id) == []
    assert before + others <= len(site.made("CreateSnapshot")) <= before + 2 * others
    enter(site.journal, recovery_id, RecoveryState.SKIPPED, site.clock.at)
    site.rounds(console, minutes=10)
    (image,) = site.there("images", instance_id)
    assert image["Status"] == "Available"


def test_what_is_lost_is_made_again_and_what_is_not_ours_or_in_use_stays(site: Calm) -> None:
    one = site.kept()[0].spec
    other = site.kept()[1].spec.instance.instance_id
    site.cloud.world(images_that_fail=1)
    console = site.console()
    site.rounds(console, minutes=12)
    of_slots = Counter(
        row["ImageName"][: len("spottui-ready-i-bp1wssyqtr7z57ju74ee-20261128T0000")] for row in site.there("images")
    )
    assert sorted(of_slots.values()) == [1, 1, 1, 2]
    (lost,) = [row for row in site.there("images") if row["Status"] == "CreateFailed"]
    assert any(
        row["ImageName"] == lost["ImageName"] + "-2" and row["Status"] == "Available" for row in site.there("images")
    )
    world = site.cloud.save()
    first = next(row["ImageId"] for row in site.there("images", other) if row["Status"] == "Available")
    world["instances"][one.instance.instance_id]["image_id"] = first
    strange = next(
        row["ImageId"] for row in site.there("images", one.instance.instance_id) if row["Status"] == "Available"
    )
    world["images"][strange]["name"] = "golden"
    site.cloud.load(world)
    site.sweep()
    site.rounds(console, minutes=6 * 60, every=5)
    left = {row["ImageId"] for row in site.there("images")}
    assert {first, strange} <= left
    assert lost["ImageId"] not in left
    assert len(left) == 2 * 4 + 2


def test_a_quota_is_said_once_and_rests_for_an_hour(site: Calm) -> None:
    site.cloud.world(image_quota=2)
    console = site.console()
    site.rounds(console, minutes=55, every=5)
    assert len(site.made("CreateImage")) == 2
    refused = len([row for row in site.cloud.calls("CreateImage") if row["code"]])
    assert refused == 1
    site.rounds(console, minutes=60, every=5)
    (said,) = [one for one in site.journal.log.before(10**9, 100) if isinstance(one.fact, CallFailed)]
    assert "QuotaExceed.Image" in words.text(said)
    assert len([row for row in site.cloud.calls("CreateImage") if row["code"]]) == 2
    site.cloud.world(image_quota=100)
    site.rounds(console, minutes=65, every=5)
    assert {row["Tags"]["spottui:ready"] for row in site.there("images")} == set(site.ids)


def test_above_the_cap_nothing_new_is_made_and_that_is_said(tmp_path: Path) -> None:
    cheapest_two = ReadySettings({"app": ""}, image_every="2h", keep=2, max_cost_per_month=12)
    with calm(tmp_path, cheapest_two) as site:
        site.rounds(site.console(), site.console(), minutes=15)
        inside = [one for one in site.kept() if not one.beyond_cap]
        assert 0 < len(inside) < 4
        assert sum(one.per_month or 0 for one in inside) <= 12
        assert {row["Tags"]["spottui:ready"] for row in site.there("images")} == {
            one.spec.instance.instance_id for one in inside
        }
        (said, _) = [one for one in site.journal.log.before(10**9, 100) if isinstance(one.fact, BeyondCap)]
        assert "max_cost_per_month of 12 is used up" in words.text(said)
        assert cost_per_month(cheapest_two, site.kept()[0].spec, {}) is None


def test_an_instance_whose_disks_are_on_two_pages_is_known_with_all_of_them(tmp_path: Path) -> None:
    with calm(tmp_path, ALL, instances=100) as site:
        attached = Counter(row["InstanceId"] for row in site.cloud.state()["disks"])
        assert sum(attached.values()) > 100
        assert {one.spec.instance.instance_id: len(one.spec.disks) for one in site.kept()} == {
            instance_id: attached[instance_id] for instance_id in site.ids
        }
