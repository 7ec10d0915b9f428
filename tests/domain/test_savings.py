"""Savings count what is known: hours with a price, of instances that were seen; the rest is unpriced, never guessed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spottui.domain.savings import GOOD_FOR, PlacePrice, PricesAt, Run, savings
from spottui.tables.statistics import prices_over_time
from spottui.words import saved

BEGIN = datetime(2026, 8, 1, 6, tzinfo=UTC)
END = BEGIN + timedelta(days=3)
HOURS = st.integers(-40, 120)


def at(hour):
    return BEGIN + timedelta(hours=hour)


def price(spot, on_demand=1.0, kind="g7"):
    return PlacePrice(kind, "h", spot, on_demand)


@given(
    st.lists(st.tuples(HOURS, HOURS), max_size=6),
    st.lists(st.tuples(HOURS, st.integers(0, 9)), max_size=8, unique_by=lambda quote: quote[0]),
)
def test_every_hour_in_the_period_costs_the_newest_price_of_the_day_before_it_or_is_unpriced(spans, quotes):
    runs = [Run("g7", "h", at(began), at(ended)) for began, ended in spans]
    told = savings(runs, [PricesAt(at(hour), (price(spot),)) for hour, spot in quotes], BEGIN, END)
    good_h, spot, priced, unpriced = GOOD_FOR.total_seconds() / 3600, 0, 0, 0
    for began, ended in spans:
        for hour in range(max(began, 0), min(ended, 72)):
            held = max(((since, value) for since, value in quotes if since <= hour < since + good_h), default=None)
            priced, unpriced = (priced, unpriced + 1) if held is None else (priced + 1, unpriced)
            spot += held[1] if held else 0
    assert told.total.spot == pytest.approx(spot)
    assert told.total.on_demand == told.total.hours == pytest.approx(priced)
    assert told.unpriced_h == pytest.approx(unpriced)
    assert [day for day, _ in told.by_day] == [BEGIN.date() + timedelta(days=back) for back in range(4)]


def test_what_is_saved_is_said_with_the_hours_that_it_is_known_of():
    runs = [Run("g7", "h", at(-5), at(10)), Run("c7", "h", at(0), at(4))]
    told = savings(runs, [PricesAt(at(-1), (price(0.25),), "CNY")], BEGIN, END)
    assert saved(told) == "7.50 of 10.00 CNY (75%) in 10 instance hours; 4.00 unpriced"
    assert saved(savings(runs, [], BEGIN, END)) == "unknown: no price recorded for 14 instance hours"
    assert saved(savings([], [], BEGIN, END)) == "no spot instance seen"
    assert prices_over_time(told) == (((BEGIN.replace(hour=0), 0.25),), ((BEGIN.replace(hour=0), 1.0),))


def test_prices_in_another_currency_than_the_newest_are_left_out():
    recorded = [PricesAt(at(0), (price(0.1),), "USD"), PricesAt(at(6), (price(0.5),), "CNY")]
    told = savings([Run("g7", "h", at(0), at(12))], recorded, BEGIN, END)
    assert (told.currency, told.total.hours, told.unpriced_h) == ("CNY", 6, 6)
