"""Dates of outsiders: every form that was seen, and nothing that cannot be true."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spottui.domain.dates import AHEAD, EARLIEST, date_from_outside

NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("20190409T121826.922+0800", datetime(2019, 4, 9, 4, 18, 26, 922000, UTC)),
        ("20190409T121826+0800", datetime(2019, 4, 9, 4, 18, 26, tzinfo=UTC)),
        ("20190409T041826Z", datetime(2019, 4, 9, 4, 18, 26, tzinfo=UTC)),
        ("2026-11-24T12:00:00Z", NOON),
        ("2026-11-24t12:00:00z", NOON),
        ("2026-11-24T20:00:00+08:00", NOON),
        ("2026-11-24T20:00:00+0800", NOON),
        ("2026-11-24 20:00:00.000 +0800", NOON),
        ("2026-11-24T12:00Z", NOON),
        (" 2026-11-24T12:00:00.123456789Z ", NOON + timedelta(microseconds=123456)),
        (1795521600, NOON),
        (1795521600.5, NOON + timedelta(seconds=0.5)),
        (1795521600000, NOON),
        ("1795521600", NOON),
        ("1795521600000", NOON),
    ],
)  # fmt: skip
def test_every_form_is_the_same_moment(written: object, date: datetime) -> None:
    assert date_from_outside(written, NOW) == date


@pytest.mark.parametrize(
    "written",
    [
        None, "", "soon", "2026-11-24T12:00:00", "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00",
        "2014-12-31T23:59:59Z", "2026-11-29T06:00:01Z", 0, -1, -1e300, 1e300, 10**400, float("nan"), float("inf"), True,
        1_000_000_000_000_000_000, {}, [], b"1795521600", "1" * 400, "٢٠٢٦", "20191332T250000Z",
    ],
)  # fmt: skip
def test_what_is_no_date_or_cannot_be_true_is_none(written: object) -> None:
    assert date_from_outside(written, NOW) is None


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.integers())


@given(anything | st.datetimes().map(datetime.isoformat) | st.integers().map(str) | st.floats().map(str))
def test_nothing_raises_and_nothing_out_of_range_comes_through(written: object) -> None:
    found = date_from_outside(written, NOW)
    assert found is None or (EARLIEST <= found <= NOW + AHEAD and found.tzinfo is UTC)


zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


naive = st.datetimes(datetime(2015, 1, 2), datetime(2026, 11, 28))  # noqa: DTZ001


@given(st.builds(lambda date, zone: date.replace(tzinfo=zone), naive, zones))
def test_whatever_is_written_in_iso_8601_is_read_as_it_was(date: datetime) -> None:
    assert date_from_outside(date.isoformat(), NOW) == date
    assert date_from_outside(f"{date:%Y%m%dT%H%M%S.%f%z}", NOW) == date
