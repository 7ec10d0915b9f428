"""What spot saved, in words."""

from spottui.domain.savings import Savings

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
