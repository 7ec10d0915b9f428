"""The sum of several plans: how many make it, what they cost, and the warnings by kind."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import msgspec

from spottui.domain.forecast import Verdict
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.domain.verdicts import as_planned, verdict_of
from spottui.tables.prices import difference

_NO_FORECAST = "no forecast"
_SAID = {
    Verdict.WILL_MAKE_IT: "make it",
    Verdict.IMAGE_READY: "make it",
    Verdict.TIGHT: "tight",
    Verdict.WILL_NOT: "will not make it",
    Verdict.NO_ROOM: "no room",
    Verdict.DATA_KEPT: "data kept",
    Verdict.NOT_KNOWN: _NO_FORECAST,
}


class PlanSum(msgspec.Struct, frozen=True):
    """Counts over plans: `verdicts` in words, `warnings` by their kind.

    `old_per_hour` and `new_per_hour` are of those `priced` plans of which both prices are known; `missing` counts the
    recoveries without a plan.
    """

    total: int
    missing: int
    verdicts: Counter[str]
    warnings: Counter[str]
    priced: int
    old_per_hour: float
    new_per_hour: float
    currency: str

    @property
    def line(self) -> str:
        """The sum as `100 plans: 71 make it · 2 tight · 27 data kept · +¥3.1/h`."""
        ranks = list(dict.fromkeys((*_SAID.values(), _NO_FORECAST)))
        counts = sorted(self.verdicts.items(), key=lambda count: ranks.index(count[0]))
        parts = [f"{count} {word}" for word, count in counts]
        parts += [cost] if self.total and (cost := self._cost) else []
        parts += [f"{self.missing} without a plan, left out"] if self.missing else []
        return f"{self.total} plan{'' if self.total == 1 else 's'}: {' · '.join(parts)}"

    @property
    def _cost(self) -> str:
        """What the replacements cost more in all, empty for nothing more."""
        if not self.priced:
            return "price unknown"
        unpriced = f"({self.total - self.priced} unpriced)" if self.priced < self.total else ""
        return f"{difference(self.new_per_hour, self.old_per_hour, self.currency)} {unpriced}".strip()

    @property
    def warning_line(self) -> str:
        """What the warnings are about, as `private IP 100, one zone 27`; empty for none."""
        return " · ".join(f"{kind} {count}" for kind, count in self.warnings.most_common())


def plan_sum(plans: Iterable[tuple[Recovery, Plan | None]], now: datetime) -> PlanSum:
    """Return the sum of the plans of recoveries as of now; each counts with the place that is tried first."""
    pairs = list(plans)
    planned = [(recovery, plan) for recovery, plan in pairs if plan]
    verdicts = (verdict_of(as_planned(recovery, plan), now) for recovery, plan in planned)
    prices = [(plan.price_per_hour, plan.candidates[0].price_per_hour) for _, plan in planned if plan.candidates]
    priced = [(old, new) for old, new in prices if old is not None and new is not None]
    return PlanSum(
        total=len(planned),
        missing=len(pairs) - len(planned),
        verdicts=Counter(_SAID[verdict] if verdict else _NO_FORECAST for verdict in verdicts),
        warnings=Counter(kind for _, plan in planned for kind in _warnings(plan)),
        priced=len(priced),
        old_per_hour=sum(old for old, _ in priced),
        new_per_hour=sum(new for _, new in priced),
        currency=next((plan.currency for _, plan in planned if plan.currency), ""),
    )


def _warnings(plan: Plan) -> list[str]:
    return [*(str(loss.kind) for loss in plan.losses), *(str(caution.kind) for caution in plan.cautions)]
