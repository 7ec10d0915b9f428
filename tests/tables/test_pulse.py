from collections import Counter
from datetime import timedelta

from msgspec.structs import replace

from spottui.domain.background import FleetBackground, PriceHistory
from spottui.domain.forecast import Verdict
from spottui.domain.instance import InterruptionBehavior
from spottui.domain.places import Price
from spottui.domain.recovery import RecoveryState
from spottui.domain.view import narrowed
from spottui.tables.column import FIRST_CELL
from spottui.tables.instances import INSTANCES, InstanceRows
from spottui.tables.prices import difference
from spottui.tables.pulse import Risk, pulse
from spottui.tables.recoveries import RECOVERIES, recovery_rows
from tests.console.scripted import NOW, REGION, healthy, instance, planned, reclaim, recovery, view


def fleet_background(instances):
    kind, (h, i) = "ecs.c7.large", (f"{REGION}-h", f"{REGION}-i")
    hours = [NOW - timedelta(hours=back) for back in range(48, -1, -1)]
    return FleetBackground(
        at=NOW,
        prices={(kind, h): Price(0.1, 0.4, "CNY"), (kind, i): Price(0.2, 0.4, "CNY")},
        rates={(kind, h): "0-3%", (kind, i): "10-100%"},
        image_s={(REGION, one.instance_id): seconds for one, seconds in zip(instances, (60, 280, 400), strict=False)},
        reclaims=((NOW - timedelta(days=3), REGION),),
        histories=(PriceHistory(kind, h, "CNY", tuple((at, 0.1 + n % 2) for n, at in enumerate(hours)), 0.4),),
    )


def test_the_pulse_counts_what_the_fleet_costs_what_would_become_of_it_and_how_risky_its_zones_are():
    fleet = (instance(3), instance(6), instance(1), instance(2))
    stops = replace(instance(9), behavior=InterruptionBehavior.STOP)
    known = pulse(view(instances=(*fleet, stops)), fleet_background(fleet))
    assert (known.total, known.priced, known.currency) == (5, 4, "CNY")
    assert round(known.per_hour, 3) == 0.5
    assert round(known.share, 5) == round(0.5 / 1.6, 5)
    assert known.verdicts == Counter(
        {Verdict.WILL_MAKE_IT: 1, Verdict.TIGHT: 1, Verdict.WILL_NOT: 1, Verdict.DATA_KEPT: 1}
    )
    assert known.risks == (Risk("h", "▂", "0-3%"), Risk("i", "█", "10%+"))
    assert known.last_reclaim == NOW - timedelta(days=3)
    assert [30 - day for day, block in enumerate(known.reclaims, 1) if block != " "] == [3]
    nothing = pulse(view(instances=fleet), FleetBackground(at=NOW))
    assert (nothing.priced, nothing.share, nothing.risks, nothing.prices, nothing.reclaims) == (0, None, (), "", "")


def test_the_pulse_of_one_account_counts_what_is_shown():
    own, theirs = f"{REGION}@prod", REGION
    fleet = (replace(instance(1), region=own), instance(2), instance(3))
    reclaims = ((NOW - timedelta(days=3), theirs), (NOW - timedelta(days=9), own))
    known = replace(fleet_background(()), reclaims=reclaims)
    whole = view(instances=fleet, regions=(own, theirs), accounts=("default", "prod"), fleet_background=known)
    of_all = pulse(whole, known)
    assert (of_all.total, of_all.last_reclaim) == (3, NOW - timedelta(days=3))
    assert of_all.prices
    of_prod = pulse(narrowed(whole, "prod"), known)
    assert (of_prod.total, of_prod.last_reclaim) == (1, NOW - timedelta(days=9))
    assert of_prod.reclaims.count(" ") == 29
    assert not of_prod.prices, "nothing of it runs where the prices are known"


def test_a_difference_that_no_price_shows_is_left_out():
    assert [difference(new, 0.4, "CNY") for new in (0.4, 0.4004, 0.3996, 0.407, None)] == ["", "", "", "+¥0.007/h", ""]


def test_the_columns_of_the_market_are_filled_sorted_and_filtered_and_zones_name_their_region_where_there_are_several():
    fleet = (instance(3), instance(1), instance(2))
    both = (REGION, "cn-beijing")
    shown = view(instances=fleet, regions=both, sources=healthy(regions=both), fleet_background=fleet_background(fleet))
    rows = list(InstanceRows().rows(shown).values())
    texts = [
        [INSTANCES.columns[i].text(row[FIRST_CELL + i], 0, 8) for i in range(len(INSTANCES.columns))] for row in rows
    ]
    places = [INSTANCES.place(column) - FIRST_CELL for column in ("zone", "price", "share", "rate", "forecast")]
    assert [[text[place] for place in places] for text in texts] == [
        ["hz-h", "¥0.100", "25 %", "0-3%", "WILL MAKE IT"],
        ["hz-i", "¥0.200", "50 %", "10%+", "TIGHT"],
        ["hz-j", "", "", "", "WILL NOT"],
    ]
    price = INSTANCES.columns[places[1]]
    assert [price.amount(row[INSTANCES.place("price")], 0) for row in rows] == [0.1, 0.2, None]
    waits = recovery(
        fleet[0], reclaim(fleet[0]), RecoveryState.NEEDS_YOU, next_step=planned("ecs.c7.large", f"{REGION}-h")
    )
    (row,) = recovery_rows(replace(shown, recoveries=(waits,))).values()
    assert row[RECOVERIES.place("next")].startswith("→ zone hz-h")
