"""Durations as the configuration has them."""

import re

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def seconds_of(duration: str) -> float | None:
    """Return the seconds of a duration such as `30s`, `2m`, `6h` or `1d`; None for anything else, zero included."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([smhd])", duration)
    return float(found[1]) * _SECONDS[found[2]] if found else None
