"""Text from outside, made safe to show."""

import unicodedata

_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def plain(text: str, limit: int = 200) -> str:
    """Return text with every control, format and unassigned character shown as `�`, cut at `limit` characters.

    Escape sequences, bidirectional overrides and zero-width joiners all need such a character, so none survives.
    """
    if len(text) <= limit and text.isprintable():
        return text
    safe = "".join("�" if unicodedata.category(c) in _UNSAFE else c for c in text[: limit + 1])
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"
