"""What says that an instance may be reclaimed soon, and where an on-demand replacement may run as spot again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spottui.domain.early_warning import EarlySign, RatesSeen, early_warnings, highest_rate, is_near, rates_within
from spottui.domain.launch_spec import SpotTerms
from spottui.domain.places import Price
from spottui.domain.plan import Stock
from spottui.domain.settings import EarlyWarningSettings
from spottui.domain.way_back import SpotMarket, way_back

NOW = datetime(2026, 8, 23, 2, 13, 22, tzinfo=UTC)
PAIR = ("ecs.c7.large", "cn-hangzhou-h")
WORDS = ("0-3%", "3-5%", "5-10%", "10-100%")


@pytest.mark.parametrize(
    ("spot", "limit", "within", "near"),
    [
        (0.19, 0.2, 10, True),
        (0.18, 0.2, 10, True),
        (0.17, 0.2, 10, False),
        (0.25, 0.2, 10, True),
        (0.19, 0.2, 0, False),
        (0.19, 0.0, 10, False),
        # A limit that on-demand never exceeds is never reached.
        (0.39, 0.4, 10, False),
    ],
)
def test_a_price_is_near_its_limit_only_where_it_can_rise_above_it(
    spot: float, limit: float, within: float, near: bool
) -> None:
    assert is_near(Price(spot, 0.4, "CNY"), limit, within) is near


@pytest.mark.parametrize(
    ("stock", "rates", "settings", "signs"),
    [
        (Stock.GOOD, WORDS[:1], EarlyWarningSettings(), []),
        (Stock.UNKNOWN, (), EarlyWarningSettings(), []),
        (Stock.LOW, WORDS[:1], EarlyWarningSettings(), [EarlySign.STOCK]),
        (Stock.NONE, WORDS, EarlyWarningSettings(), [EarlySign.STOCK, EarlySign.RATE]),
        (Stock.GOOD, WORDS[::-1], EarlyWarningSettings(), []),
        (Stock.NONE, WORDS, EarlyWarningSettings(stock=False, rate_within=""), []),
    ],
)
def test_what_is_unknown_or_turned_off_warns_of_nothing(
    stock: Stock, rates: tuple[str, ...], settings: EarlyWarningSettings, signs: list[EarlySign]
) -> None:
    seen = [(NOW, words) for words in rates]
    assert [each.sign for each in early_warnings(0.0, None, stock, seen, settings)] == signs


@given(st.lists(st.tuples(st.integers(1, 900), st.sampled_from((*WORDS, ""))), min_size=1, max_size=30))
def test_a_rate_is_rising_when_it_is_above_the_lowest_that_held_within_the_time(looks: list[tuple[int, str]]) -> None:
    now, model = NOW, list[tuple[datetime, str]]()
    seen: RatesSeen = {}
    for minutes, words in looks:
        now += timedelta(minutes=minutes)
        seen = rates_within(seen, {PAIR: words} if words else {}, now, "24h")
        model += [(now, words)] if words else []
    held = [
        words
        for index, (_, words) in enumerate(model)
        if index + 1 == len(model) or model[index + 1][0] > now - timedelta(hours=24)
    ]
    warnings = early_warnings(0.0, None, Stock.GOOD, seen.get(PAIR, ()), EarlyWarningSettings())
    rises = bool(held) and highest_rate(held[-1]) > min(map(highest_rate, held))
    assert [each.sign for each in warnings] == ([EarlySign.RATE] if rises else [])
    if rises:
        assert (warnings[0].rate, warnings[0].was) == (held[-1], min(held, key=highest_rate))


SPOT = SpotTerms("SpotAsPriceGo")
LIMITED = SpotTerms("SpotWithPriceLimit", 0.2)
CHEAP, DEAR = Price(0.1, 0.4, "CNY"), Price(0.4, 0.4, "CNY")
IN_STOCK = {(PAIR[0], "h"): Stock.GOOD}


@pytest.mark.parametrize(
    ("terms", "prices", "stock", "rates", "zone"),
    [
        (SPOT, "hi", {"h": Stock.GOOD, "i": Stock.GOOD}, WORDS[:1], "h"),
        (SPOT, "hi", {"h": Stock.LOW, "i": Stock.GOOD}, WORDS[:1], "i"),
        (SPOT, "i", {"h": Stock.GOOD, "i": Stock.GOOD}, WORDS[:1], "i"),
        (SPOT, "hi", {}, WORDS[:1], ""),
        (SPOT, "hi", {"h": Stock.GOOD, "i": Stock.NONE}, WORDS[:2], ""),
        (LIMITED, "hi", {"h": Stock.GOOD}, (), "h"),
        (SpotTerms("SpotWithPriceLimit", 0.105), "hi", {"h": Stock.GOOD}, (), ""),
        (SpotTerms("SpotWithPriceLimit", 0.09), "hi", {"h": Stock.GOOD}, (), ""),
    ],
)
def test_the_way_back_is_the_first_zone_in_stock_that_nothing_speaks_against(
    terms: SpotTerms, prices: str, stock: dict[str, Stock], rates: tuple[str, ...], zone: str
) -> None:
    kind = PAIR[0]
    market = SpotMarket(
        {(kind, letter): CHEAP for letter in prices},
        {(kind, letter): found for letter, found in stock.items()},
        {(kind, "h"): tuple((NOW, words) for words in rates)},
    )
    place = way_back(kind, terms, "hi", market, EarlyWarningSettings())
    assert (place.zone if place else "") == zone
    if place:
        assert place.saving_per_month == pytest.approx(730 * 0.3)


def test_there_is_no_way_back_where_spot_saves_nothing_or_is_above_the_limit() -> None:
    off = EarlyWarningSettings(price_within_percent=0, stock=False, rate_within="")
    for terms, price in ((SPOT, DEAR), (LIMITED, Price(0.21, 0.4, "CNY"))):
        assert way_back(PAIR[0], terms, ("h",), SpotMarket({(PAIR[0], "h"): price}, IN_STOCK, {}), off) is None
    assert way_back(PAIR[0], LIMITED, ("h",), SpotMarket({(PAIR[0], "h"): CHEAP}, IN_STOCK, {}), off)
