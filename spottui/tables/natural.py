"""The order in which people read names: web-2 before web-10."""

import re

_DIGITS = re.compile(r"[0-9]+")
_AS_WIDE = 12


def natural(text: str) -> str:
    """Return what sorts as people read: letter case does not count, and a number counts by its value."""
    return _DIGITS.sub(_padded, text.casefold())


def _padded(digits: re.Match[str]) -> str:
    return digits.group().lstrip("0").rjust(_AS_WIDE, "0")
