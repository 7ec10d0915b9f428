"""Prices and images of one instance, for a person who looks at it; the recoveries of its region share the calls."""

import asyncio
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from spottui.cloud.ecs import OUR_TAG
from spottui.cloud.ecs_shapes import Image
from spottui.cloud.market import Market
from spottui.cloud.ready import system_as_of
from spottui.domain.background import Background, Found
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import WarmImage
from spottui.domain.ready import READY_TAG
from spottui.domain.tokens import slot_of
from spottui.recovery.lookups import Inquiry, Lookups

T = TypeVar("T")

PATIENCE_S = 10.0
"""What has not been answered by then is unknown."""
SPAN = timedelta(days=7)
IMAGES_S = 10.0
PRICES_S = 300.0
SOURCE_S = 3600.0


async def background(market: Market, lookups: Lookups, spec: LaunchSpec, now: datetime) -> Background:
    """Ask for the prices of the last `SPAN` and for the images; a failed part holds its problem, nothing raises."""
    old = spec.instance
    prices = partial(market.price_history, old.instance_type, old.zone, now - SPAN, now)
    source = partial(_source, market, spec.image_id)
    prices_key, source_key = (
        ("price history", old.region, old.instance_type, old.zone),
        ("image", old.region, spec.image_id),
    )
    history, ours, made_of = await asyncio.gather(
        _found(lookups, "price history", prices_key, PRICES_S, prices),
        _found(lookups, "earlier images", images_key(old.region), IMAGES_S, market.our_images),
        _found(lookups, "source image", source_key, SOURCE_S, source),
    )
    return Background(history, Found(newest_warm_image(spec, ours.value or ()), ours.problem), made_of)


def images_key(region: str) -> Hashable:
    """Return the key of the look-up of all images that recoveries made in a region."""
    return "images", region


def newest_warm_image(spec: LaunchSpec, images: Iterable[Image]) -> WarmImage | None:
    """Return the newest finished image of all disks of this instance, or the one of ours that it was launched from.

    The tag of ours on an image is the id of an interruption: `region.instance.epoch`.
    """
    of_this = f"{spec.instance.region}.{spec.instance.instance_id}."
    warm_images = [
        WarmImage(image.image_id, image.made)
        for image in images
        if image.status == "Available" and image.made and len(image.snapshots) >= len(spec.cloud_disks)
        if image.image_id == spec.image_id or dict(image.tags).get(OUR_TAG, "").startswith(of_this)
    ]
    return max(warm_images, key=lambda warm_image: warm_image.made, default=None)


def ready_images_key(region: str) -> Hashable:
    """Return the key of the look-up of all images of a region that were made by `[[ready]]`."""
    return "ready images", region


def newest_system_image(spec: LaunchSpec, images: Iterable[Image]) -> WarmImage | None:
    """Return the newest usable image of only the system disk, made by `[[ready]]` or by a recovery.

    For an instance without data disks any image will do. `made` is the time of its data: for an image of `[[ready]]`,
    when the snapshot was started.
    """
    of_this, instance_id = f"{spec.instance.region}.{spec.instance.instance_id}.", spec.instance.instance_id
    disks = 1 if spec.data_disks else len(spec.cloud_disks)
    found = []
    for image in images:
        is_ready = dict(image.tags).get(READY_TAG) == instance_id and slot_of(image.name, instance_id) is not None
        is_ours = is_ready or dict(image.tags).get(OUR_TAG, "").startswith(of_this)
        made = system_as_of(image)
        if is_ours and image.complete and made and len(image.snapshots) == disks:
            found.append(WarmImage(image.image_id, made))
    return max(found, key=lambda warm_image: warm_image.made, default=None)


async def _found(lookups: Lookups, what: str, key: Hashable, keep_s: float, call: Callable[[], T | None]) -> Found[T]:
    inquiry = Inquiry(lookups, PATIENCE_S)
    value = await inquiry.ask(what, key, keep_s, call, None)
    return Found(value, "; ".join(inquiry.missing))


def _source(market: Market, image_id: str) -> WarmImage | None:
    image = market.image(image_id) if image_id else None
    return WarmImage(image.image_id, image.made) if image and image.made else None
