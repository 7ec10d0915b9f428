"""What can be launched where, at which price and interruption rate, by the cloud (docs/alibaba-facts.md 5)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from spottui.cloud.balancers import Balancers
from spottui.cloud.batches import Answers
from spottui.cloud.ecs import Ecs
from spottui.cloud.ecs_shapes import Image, images
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.fields import numbered, rows, rows_if_any
from spottui.cloud.private_zone import PrivateZone
from spottui.cloud.ready import ready_images
from spottui.cloud.vswitches import Vpc
from spottui.domain.background import PriceHistory
from spottui.domain.balancers import Backend, Product, Server
from spottui.domain.instance import DnsRecord
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.places import LARGEST, InstanceType, Pair, Price
from spottui.domain.plan import Candidate, Stock

MOST_TYPES_PER_CALL = 10
MOST_PAGES = 10
"""A page of prices has a thousand rows: thirty days of hours are one."""


class Market:
    """The market of one region; thread-safe. Every method raises `CloudError`.

    All of it is advice: a launch can still be refused.
    """

    def __init__(self, ecs: Ecs, vpc: Vpc, balancers: Balancers, private_zone: PrivateZone) -> None:
        self._ecs = ecs
        self._vpc = vpc
        self._balancers = balancers
        self._private_zone = private_zone

    def stock(self, *, on_demand: bool) -> dict[Pair, Stock]:
        """Return the stock of every instance type that a zone names, as spot or as on-demand."""
        query = {
            "DestinationResource": "InstanceType",
            "ResourceType": "instance",
            "InstanceChargeType": "PostPaid",
            "SpotStrategy": "NoSpot" if on_demand else "SpotAsPriceGo",
            "IoOptimized": "optimized",
            "NetworkCategory": "vpc",
        }
        return self._ecs.ask("DescribeAvailableResource", query, _stock)

    def records(self, zone: str, vpc_id: str) -> tuple[DnsRecord, ...]:
        """Return all A records of a zone that a VPC resolves."""
        return self._private_zone.records(zone, vpc_id)

    def rates_from(self, vcpus: int, memory_gib: float) -> dict[Pair, str]:
        """Return the interruption rates, as the cloud spells them, of the types with at least this much."""
        return self._rates({"MinCores": vcpus, "MinMemory": f"{memory_gib:g}"})

    def rates_of(self, types: Iterable[str]) -> dict[Pair, str]:
        """Return the interruption rates of the given types."""
        names = list(types)
        rates: dict[Pair, str] = {}
        for start in range(0, len(names), MOST_TYPES_PER_CALL):
            some = names[start : start + MOST_TYPES_PER_CALL]
            rates |= self._rates(numbered("InstanceTypes", some))
        return rates

    def prices(self, instance_type: str) -> dict[Pair, Price]:
        """Return the newest spot price of a type and its on-demand price, by zone."""
        query = {"NetworkType": "vpc", "InstanceType": instance_type, "IoOptimized": "optimized"}
        return self._ecs.ask("DescribeSpotPriceHistory", query, _prices)

    def price_history(self, instance_type: str, zone: str, since: datetime, until: datetime) -> PriceHistory | None:
        """Return the spot prices of a type in a zone, of at most 30 days; None where the cloud knows none."""
        query: dict[str, object] = {
            "NetworkType": "vpc",
            "InstanceType": instance_type,
            "IoOptimized": "optimized",
            "ZoneId": zone,
            "StartTime": f"{since:%Y-%m-%dT%H:%M:%SZ}",
            "EndTime": f"{until:%Y-%m-%dT%H:%M:%SZ}",
        }
        pages: list[_PricePage] = []
        offset = 0
        while len(pages) < MOST_PAGES:
            page = self._ecs.ask("DescribeSpotPriceHistory", {**query, "Offset": offset}, _price_page)
            pages.append(page)
            if page.next_offset <= offset:
                break
            offset = page.next_offset
        return _history(pages, instance_type, zone)

    def types_from(self, vcpus: int, memory_gib: float) -> tuple[InstanceType, ...]:
        """Return the types with at least this much and at most `LARGEST` times as much."""
        query = {
            "MinimumCpuCoreCount": vcpus,
            "MaximumCpuCoreCount": LARGEST * vcpus,
            "MinimumMemorySize": f"{memory_gib:g}",
            "MaximumMemorySize": f"{LARGEST * memory_gib:g}",
        }
        return self._ecs.ask("DescribeInstanceTypes", query, _types)

    def vswitches(self, vpc_id: str, tag: str) -> dict[str, str]:
        """Return the vSwitches of a VPC with a tag (`key` or `key=value`) by zone, each the one with most room."""
        return self._vpc.vswitches(vpc_id, tag)

    def backends(self, product: Product, servers: Sequence[Server]) -> Answers[tuple[Backend, ...]]:
        """Return by instance the entries in the server groups of a kind of load balancers."""
        return self._balancers[product].backends(servers)

    def our_images(self) -> tuple[Image, ...]:
        """Return all images that recoveries made."""
        return tuple(self._ecs.our_images().values())

    def ready_images(self) -> tuple[Image, ...]:
        """Return all images of system disks that were made ready in calm time."""
        return ready_images(self._ecs)

    def image(self, image_id: str) -> Image | None:
        """Return one image of any owner; None when it is no longer listed."""
        query = {"ImageId": image_id, "Status": "Available,UnAvailable,Deprecated", "PageSize": 10}
        listed = self._ecs.ask("DescribeImages", query, images)
        return next((image for image in listed if image.image_id == image_id), None)

    def refusal(self, spec: LaunchSpec, candidate: Candidate) -> CloudError | None:
        """Return how a launch would be refused; None if it would be accepted, or if its image cannot be checked.

        Raises `CloudError` when there was no answer that says so.
        """
        try:
            self._ecs.check_launch(spec, candidate)
        except CloudError as error:
            if error.kind.repeats or error.kind is ErrorKind.CREDENTIALS:
                raise
            return None if error.kind.looks_first or error.code.startswith(_NO_IMAGE) else error
        return None

    def _rates(self, query: dict[str, object]) -> dict[Pair, str]:
        return self._ecs.ask("DescribeSpotAdvice", query, _rates)


# The old instance's own image may be gone: that does not concern the image that is launched.
_NO_IMAGE = ("MissingParameter.ImageId", "ImageNotSupport")


def _stock(body: dict[str, Any]) -> dict[Pair, Stock]:
    stocks: dict[Pair, Stock] = {}
    for zone in rows("DescribeAvailableResource", body, "AvailableZones", "AvailableZone"):
        for resource in rows_if_any("DescribeAvailableResource", zone, "AvailableResources", "AvailableResource"):
            for offer in rows_if_any("DescribeAvailableResource", resource, "SupportedResources", "SupportedResource"):
                stocks[str(offer["Value"]), str(zone["ZoneId"])] = _stock_of(offer)
    return stocks


def _stock_of(offer: dict[str, Any]) -> Stock:
    if offer.get("Status") == "SoldOut":
        return Stock.NONE
    return _STOCKS.get(str(offer.get("StatusCategory")), Stock.UNKNOWN)


_STOCKS = {
    "WithStock": Stock.GOOD,
    "ClosedWithStock": Stock.LOW,
    "WithoutStock": Stock.NONE,
    "ClosedWithoutStock": Stock.NONE,
}


def _rates(body: dict[str, Any]) -> dict[Pair, str]:
    return {
        (str(offer["InstanceType"]), str(zone["ZoneId"])): str(offer.get("InterruptRateDesc") or "")
        for zone in rows("DescribeSpotAdvice", body, "AvailableSpotZones", "AvailableSpotZone")
        for offer in rows_if_any("DescribeSpotAdvice", zone, "AvailableSpotResources", "AvailableSpotResource")
    }


class _PricePage(msgspec.Struct, frozen=True):
    """Prices at their times, by type and zone; `next_offset` is 0 on the last page."""

    rows: tuple[tuple[Pair, datetime, Price], ...]
    currency: str
    next_offset: int


def _price_page(body: dict[str, Any]) -> _PricePage:
    listed = rows("DescribeSpotPriceHistory", body, "SpotPrices", "SpotPriceType")
    currency = str(body.get("Currency") or "")
    priced = tuple(_priced(row, currency) for row in listed)
    return _PricePage(priced, currency, int(body.get("NextOffset") or 0))


def _priced(row: dict[str, Any], currency: str) -> tuple[Pair, datetime, Price]:
    pair = str(row["InstanceType"]), str(row["ZoneId"])
    at = datetime.fromisoformat(str(row["Timestamp"]))
    return pair, at, Price(float(row["SpotPrice"]), float(row["OriginPrice"]), currency)


def _prices(body: dict[str, Any]) -> dict[Pair, Price]:
    newest = sorted(_price_page(body).rows, key=lambda row: row[1])
    return {pair: price for pair, _, price in newest}


def _history(pages: Sequence[_PricePage], instance_type: str, zone: str) -> PriceHistory | None:
    by_time = {at: price for page in pages for pair, at, price in page.rows if pair == (instance_type, zone)}
    if not by_time:
        return None
    points = tuple((at, by_time[at].spot) for at in sorted(by_time))
    return PriceHistory(instance_type, zone, pages[0].currency, points, by_time[max(by_time)].on_demand)


def _types(body: dict[str, Any]) -> tuple[InstanceType, ...]:
    return tuple(_type(row) for row in rows("DescribeInstanceTypes", body, "InstanceTypes", "InstanceType"))


def _type(row: dict[str, Any]) -> InstanceType:
    gpus = int(row.get("GPUAmount") or 0)
    return InstanceType(
        name=str(row["InstanceTypeId"]),
        vcpus=int(row["CpuCoreCount"]),
        memory_gib=float(row["MemorySize"]),
        architecture=str(row.get("CpuArchitecture") or ""),
        level=str(row.get("InstanceFamilyLevel") or ""),
        category=str(row.get("InstanceCategory") or ""),
        gpu=f"{gpus} x {row.get('GPUSpec')}" if gpus else "",
        local_disks=int(row.get("LocalStorageAmount") or 0),
    )
