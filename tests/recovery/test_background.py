"""What the cloud knows around one instance: prices and images, or why that is not known."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from spottui.cloud.account import CloudAccount
from spottui.cloud.ecs import ImageSource
from spottui.cloud.ready import Order, create_snapshot, create_system_image, ready_system_snapshots
from spottui.config import load
from spottui.domain.background import Background
from spottui.domain.clock import SystemClock
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import WarmImage
from spottui.domain.tokens import ready_name, slot_start
from spottui.journal import Journal
from spottui.recovery.background import newest_system_image
from spottui.recovery.planner import capture
from spottui.recovery.survey import Surveys
from spottui.sim.testing import SimServer

REGION = "cn-hangzhou"
CLOCK = SystemClock()


@dataclass(frozen=True)
class Site:
    """A cloud whose time stands still, and one of its instances."""

    cloud: SimServer
    account: CloudAccount
    surveys: Surveys
    spec: LaunchSpec
    fresh: Callable[[], Surveys]
    """Surveys that remember nothing yet."""

    def look(self, spec: LaunchSpec | None = None, surveys: Surveys | None = None) -> Background:
        return asyncio.run((surveys or self.surveys).background(spec or self.spec))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimServer, CloudAccount, Path]]:
    config = tmp_path_factory.mktemp("background") / "c.toml"
    with SimServer(config=config, speed=0, instances=6) as cloud:
        yield cloud, CloudAccount(load(config)), config


@pytest.fixture
def site(shared: tuple[SimServer, CloudAccount, Path], tmp_path: Path) -> Iterator[Site]:
    cloud, account, config = shared
    cloud.reset()
    journal = Journal(tmp_path / "journal.db")
    spec = capture(account.regions[REGION], journal, CLOCK, cloud.spot_ids()[0])
    assert spec is not None
    fresh = partial(Surveys, account.markets, account.thread_pools, journal, CLOCK, load(config))
    yield Site(cloud, account, fresh(), spec, fresh)
    journal.close()


def test_prices_are_those_of_its_type_and_zone_for_seven_days(site: Site) -> None:
    history, old = site.look().prices.value, site.spec.instance
    assert history is not None
    assert (history.instance_type, history.zone, history.currency) == (old.instance_type, old.zone, "CNY")
    times = [at for at, _ in history.points]
    assert times == sorted(set(times))
    assert timedelta(days=6, hours=22) < times[-1] - times[0] < timedelta(days=7)
    (newest,) = {
        price
        for pair, price in site.account.markets[REGION].prices(old.instance_type).items()
        if pair == (old.instance_type, old.zone)
    }
    assert history.on_demand == newest.on_demand
    assert newest.spot in [price for _, price in history.points[-2:]]


def test_every_page_of_prices_is_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spottui.sim.ecs.resources._PRICES_PER_PAGE", 100)
    history = site.look().prices.value
    assert history is not None
    assert len(history.points) >= 167
    offsets = [row["params"]["Offset"] for row in site.cloud.calls("DescribeSpotPriceHistory")]
    assert offsets == ["0", "100"]


def test_who_looks_again_asks_no_more(site: Site) -> None:
    first = site.look()
    asked = len(site.cloud.calls("DescribeSpotPriceHistory"))
    assert site.look().prices == first.prices
    assert len(site.cloud.calls("DescribeSpotPriceHistory")) == asked


def test_a_refusal_says_why_with_its_request_id_and_takes_nothing_from_the_rest(site: Site) -> None:
    site.cloud.fault("DescribeSpotPriceHistory", "error", code="Forbidden.NotSupportRAM", status=403)
    told = site.look()
    (row,) = site.cloud.calls("DescribeSpotPriceHistory")
    assert told.prices.value is None
    assert "Forbidden.NotSupportRAM" in told.prices.problem
    assert row["request_id"] in told.prices.problem
    assert told.source_image.value is not None


@pytest.mark.parametrize("kind", ["html_502", "bad_json", "reset"])
def test_a_cloud_that_breaks_is_not_known_and_never_empty(site: Site, kind: str) -> None:
    for action in ("DescribeSpotPriceHistory", "DescribeImages"):
        site.cloud.fault(action, kind, times=0)
    told = site.look()
    for found in (told.prices, told.newest_image, told.source_image):
        assert found.value is None
        assert found.problem


def test_a_zone_without_prices_is_no_problem(site: Site) -> None:
    nowhere = replace(site.spec, instance=replace(site.spec.instance, zone=f"{REGION}-z"))
    told = site.look(nowhere)
    assert (told.prices.value, told.prices.problem) == (None, "")


def test_the_newest_image_of_it_and_the_one_it_was_made_of_have_their_ages(site: Site) -> None:
    before = site.look()
    assert (before.newest_image.value, before.newest_image.problem) == (None, "")
    assert before.source_image.value is not None
    assert before.source_image.value.image_id == site.spec.image_id
    old = site.spec.instance
    ecs = site.account.regions[REGION]
    made = ecs.create_image(ImageSource(old.instance_id), "spottui-x", f"{REGION}.{old.instance_id}.1", "token-1")
    site.cloud.advance(3600)
    newest = site.look(surveys=site.fresh()).newest_image.value
    assert newest is not None
    assert newest.image_id == made.resource_id
    assert newest.made <= datetime.now(UTC) + timedelta(days=1)


def test_the_newest_system_is_that_of_a_finished_image_and_as_old_as_its_snapshot(site: Site) -> None:
    ecs, market, old = site.account.regions[REGION], site.account.markets[REGION], site.spec.instance
    slot = slot_start(old.instance_id, 3600, CLOCK.now())
    order = Order(old.instance_id, ready_name(old.instance_id, slot), "token-2")
    snapshot_id = create_snapshot(ecs, site.spec.disks[0].disk_id, order).resource_id
    site.cloud.advance(3600)
    (snapshot,) = ready_system_snapshots(ecs)
    made = create_system_image(ecs, snapshot, site.spec.image, order)
    assert newest_system_image(site.spec, market.ready_images()) is None, "it is not finished"
    site.cloud.advance(3600)
    assert newest_system_image(site.spec, market.ready_images()) == WarmImage(made.resource_id, snapshot.made)
    assert (snapshot.snapshot_id, snapshot.name) == (snapshot_id, order.name)
    other = replace(site.spec, instance=replace(old, instance_id="i-other"))
    assert newest_system_image(other, market.ready_images()) is None
    full = ecs.create_image(ImageSource(old.instance_id), "spottui-x", f"{REGION}.{old.instance_id}.1", "token-3")
    site.cloud.advance(3600)
    images = (*market.ready_images(), *market.our_images())
    assert len(images) == 2
    newest = newest_system_image(replace(site.spec, disks=site.spec.disks[:1]), images)
    assert newest is not None
    assert newest.image_id == (full.resource_id if len(site.spec.disks) == 1 else made.resource_id)


def test_a_source_image_that_is_gone_is_said(site: Site) -> None:
    told = site.look(replace(site.spec, image_id="m-gone"))
    assert (told.source_image.value, told.source_image.problem) == (None, "")
