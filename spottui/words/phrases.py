"""Phrases within a sentence: a time, a region, what spot saved."""

from datetime import datetime, timedelta

from spottui.domain.region_key import account_of, region_id
from spottui.domain.savings import Savings


def clock(moment: datetime | None) -> str:
    """Return `02:17:04`."""
    return f"{moment:%H:%M:%S}" if moment else "an unknown time"


def clock_utc(moment: datetime | None) -> str:
    """Return `02:17:04 UTC`."""
    return f"{clock(moment)} UTC" if moment else clock(None)


def span(seconds: float | None) -> str:
    """Return `0:10:00`."""
    return str(timedelta(seconds=round(seconds or 0)))


def region(key: str) -> str:
    """Return `cn-hangzhou`, or `cn-hangzhou (account prod)` where the configuration names the account."""
    account = account_of(key)
    return f"{region_id(key)} (account {account})" if account else key


_LEAST_H = 0.05
_WHOLE_FROM_H = 10.0


def saved(savings: Savings) -> str:
    """Return what spot saved as a line, with the instance hours that are priced, or that it is unknown."""
    priced_h, unpriced_h = savings.total.hours, savings.unpriced_h
    if savings.share is None:
        return f"unknown: no price recorded for {_hours(unpriced_h)}" if unpriced_h else "no spot instance seen"
    currency = f" {savings.currency}" if savings.currency else ""
    amount = f"{savings.saved:,.2f} of {savings.total.on_demand:,.2f}{currency} ({savings.share:.0%})"
    unpriced = f"; {_number(unpriced_h)} unpriced" if unpriced_h >= _LEAST_H else ""
    return f"{amount} in {_hours(priced_h)}{unpriced}"


def _hours(hours: float) -> str:
    return f"{_number(hours)} instance hours"


def _number(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= _WHOLE_FROM_H else f"{hours:.2f}"
