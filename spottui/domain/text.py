"""Text from outside, made safe to show."""

import re
import unicodedata

_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Me"))
_MARKS = frozenset(("Mn", "Mc"))
_MARKS_IN_A_ROW = 3
"""No writing stacks more on one letter; hundreds of them would cover the lines above and below."""

# What is no control character and yet has no sign of its own, or joins its neighbours into one sign on some terminals
# and not on others: fillers, variation selectors, the two letters of a flag, skin tones.
_TRICKS = re.compile(
    "[\u034f\u115f-\u11ff\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0"
    "\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\U000e0100-\U000e01ef]"
)


def plain(text: str, limit: int = 200) -> str:
    """Return text in which nothing acts on a terminal or hides: what could is shown as `�`; cut at `limit` characters.

    Escape sequences, bidirectional overrides and zero-width joiners need a control or format character, so none
    survives; neither does what takes more or fewer cells than it says, nor a mark that has no letter to stand on.
    """
    if text.isascii() and text.isprintable():
        return text if len(text) <= limit else text[: limit - 1] + "…"
    safe = _safe(text[: limit + 1])
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def _safe(text: str) -> str:
    made: list[str] = []
    marks = _MARKS_IN_A_ROW
    for character in _TRICKS.sub("�", text):
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in _MARKS else 0
        alone = character == " " or kind in _UNSAFE
        made.append("�" if kind in _UNSAFE or marks > _MARKS_IN_A_ROW else character)
        if alone:
            marks = _MARKS_IN_A_ROW
    return "".join(made)
