"""What the fleet costs and risks, what of it may be reclaimed soon, and what could run as spot again."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from spottui.domain.background import DAYS, FleetBackground
from spottui.domain.early_warning import EarlyWarning, early_warnings, rates_within
from spottui.domain.instance import Instance
from spottui.domain.launch_spec import OUR_TAG, LaunchSpec, SpotTerms
from spottui.domain.plan import Stock
from spottui.domain.recovery import RecoveryState
from spottui.domain.settings import EarlyWarningSettings, Settings
from spottui.domain.way_back import OnDemand, SpotMarket, way_back
from spottui.journal import Journal
from spottui.journal.image_timings import ImageTimings
from spottui.recovery.context import Shared
from spottui.recovery.lineage import terms_before, tired_pools

Key = tuple[str, str]
"""Region and instance id."""


def look_around(shared: Shared, instances: Sequence[Instance], before: FleetBackground | None) -> FleetBackground:
    """Return what is known around these instances now; `before` is what the last look gave. Asks the cloud.

    While anything is reclaimed, the stock is as it was before: the calls are for the recoveries.
    """
    journal, settings, now = shared.journal, shared.settings, shared.clock.now()
    spot = [instance for instance in instances if instance.is_spot]
    on_demand = _on_demand_replacements(journal, instances)
    is_calm = not journal.recoveries.open() and not any(instance.recycling for instance in instances)
    asks_stock = is_calm and (settings.early_warning.stock or bool(on_demand))
    market = asyncio.run(shared.surveys.fleet_market([*spot, *on_demand], asks_stock=asks_stock))
    captured = ((_key(each), journal.fleet.of(each.region).get(each.instance_id)) for each in instances)
    specs = {key: seen.spec for key, seen in captured if seen}
    past = journal.history.since(now - timedelta(days=DAYS))
    within = settings.early_warning.rate_within
    around = FleetBackground(
        at=now,
        prices=market.prices,
        rates=market.rates,
        image_s=_image_s(journal.image_timings, specs.values()),
        reclaims=tuple(
            sorted(
                (each.interruption.first_seen, each.interruption.region)
                for each in past
                if not each.interruption.is_manual
            )
        ),
        histories=market.histories,
        missing=market.missing,
        stock=market.stock if market.stock is not None else before.stock if before else {},
        rates_seen=rates_within(before.rates_seen if before else {}, market.rates, now, within) if within else {},
    )
    warnings = {_key(each): _warnings(each, specs.get(_key(each)), around, settings.early_warning) for each in spot}
    return replace(
        around,
        warnings={key: signs for key, signs in warnings.items() if signs},
        on_demand={
            _key(instance): _on_demand(journal, specs[_key(instance)], terms, around, settings)
            for instance, terms in on_demand.items()
            if _key(instance) in specs
        },
    )


def _key(instance: Instance) -> Key:
    return instance.region, instance.instance_id


def _on_demand_replacements(journal: Journal, instances: Iterable[Instance]) -> dict[Instance, SpotTerms]:
    """Return the on-demand replacements of spot instances, each with the terms of the spot instance before it."""
    tagged = (each for each in instances if not each.is_spot and OUR_TAG in dict(each.tags))
    return {each: terms for each in tagged if (terms := terms_before(journal, each))}


def _image_s(timings: ImageTimings, specs: Iterable[LaunchSpec]) -> dict[Key, float]:
    """Return what an image of each captured instance takes, in seconds."""
    return {
        _key(spec.instance): timings.timing(spec.main_category).estimate_s(spec.image_gib)
        for spec in specs
        if spec.image_gib
    }


def _warnings(
    instance: Instance, spec: LaunchSpec | None, around: FleetBackground, settings: EarlyWarningSettings
) -> tuple[EarlyWarning, ...]:
    pair, terms = (instance.instance_type, instance.zone), spec.spot_terms if spec else None
    stock, rates = around.stock.get(pair, Stock.UNKNOWN), around.rates_seen.get(pair, ())
    return early_warnings(terms.limit if terms else 0.0, around.prices.get(pair), stock, rates, settings)


def _on_demand(
    journal: Journal, spec: LaunchSpec, terms: SpotTerms, around: FleetBackground, settings: Settings
) -> OnDemand:
    """Return what an on-demand replacement is; without a way back while a recovery of it is open."""
    recoveries = journal.recoveries.of_instance(*_key(spec.instance))
    replaced_by = [each.new_instance_id for each in recoveries if each.state is RecoveryState.RECOVERED]
    if replaced_by or any(not each.state.is_final for each in recoveries):
        return OnDemand(replaced_by=replaced_by[-1] if replaced_by else "")
    market = SpotMarket(around.prices, around.stock, around.rates_seen)
    zones = _zones(journal, spec, around.at, settings)
    return OnDemand(way_back(spec.instance.instance_type, terms, zones, market, settings.early_warning))


def _zones(journal: Journal, spec: LaunchSpec, now: datetime, settings: Settings) -> list[str]:
    """Return the zones where it may run as spot, its own first, without those where its lineage was reclaimed a lot."""
    instance = spec.instance
    region = next(region for region in settings.regions if region.key == instance.region)
    tolerance = settings.policy.tolerance
    tired = tired_pools(journal, spec, tolerance, now) if tolerance else ()
    avoided = {pool.zone for pool in tired if pool.instance_type == instance.instance_type}
    return [zone for zone in dict.fromkeys((instance.zone, *region.vswitches)) if zone not in avoided]
