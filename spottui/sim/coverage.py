"""What clients asked of this cloud and what it did not understand, so that nobody is lied to in silence."""

import logging
from collections import Counter
from collections.abc import Iterable
from typing import Any

LOG = logging.getLogger("spottui.sim")
LOG.addHandler(logging.NullHandler())

HEADER = "X-Sim-Unsupported"
"""The header of an answer that names what the call asked for and this cloud does not model."""


class Coverage:
    """Counts of calls by action, and of what was asked for in vain."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._unsupported: Counter[str] = Counter()

    def called(self, action: str) -> None:
        """A call of an action that this cloud has."""
        self._calls[action] += 1

    def unsupported(self, what: Iterable[str]) -> None:
        """An action (`DescribeX`) or parameters (`DescribeX.Name`) that are not modelled; the first time is logged."""
        for name in what:
            if not self._unsupported[name]:
                LOG.warning("not modelled by this simulated cloud: %s", name)
            self._unsupported[name] += 1

    def as_json(self) -> dict[str, Any]:
        """Both counts, most frequent first."""
        return {"calls": dict(self._calls.most_common()), "unsupported": dict(self._unsupported.most_common())}
