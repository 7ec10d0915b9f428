"""The places of a plan as text: each in one line, and each in full."""

from spottui.console.text.cells import cell_text
from spottui.console.text.plan_lines import Line
from spottui.domain.places import shown_rate
from spottui.domain.plan import Candidate, Plan, Stock
from spottui.domain.region_key import region_id
from spottui.domain.text import plain
from spottui.tables.instances import short_id
from spottui.tables.prices import price

_SHOWN = 5
_PRICE_CELLS = 9


def places_in_short(plan: Plan) -> list[Line]:
    """Return a line for each of the first places: where, price, stock, interruption rate, and why there.

    Without its vSwitch, which stands with the place in full, a line fits into 80 columns.
    """
    region, shown = plan.spec.instance.region, plan.candidates[:_SHOWN]
    names = [place_in_short(candidate.instance_type, candidate.zone, region) for candidate in shown]
    widest = max((len(name) for name in names), default=0)
    said = ["", *(candidate.problem for candidate in shown)]
    lines = [
        _in_short(number, cell_text(name, widest), candidate, plan.currency, before)
        for number, (name, candidate, before) in enumerate(zip(names, shown, said, strict=False), 1)
    ]
    more = len(plan.candidates) - len(shown)
    return [*lines, [(f"  and {more} more, below", "dim")]] if more > 0 else lines


def place_in_short(instance_type: str, zone: str, region: str, vswitch_id: str = "") -> str:
    """Return a place in short: `g7.xlarge in h, vsw-bp…aqge`."""
    kind, where = plain(instance_type, 64).removeprefix("ecs."), plain(zone, 64).removeprefix(f"{region_id(region)}-")
    return f"{kind} in {where}{f', {short_id(plain(vswitch_id, 64))}' if vswitch_id else ''}"


def places_in_full(plan: Plan) -> list[Line]:
    """Return every place with its vSwitch, price, reason and problem."""
    return [
        line
        for number, candidate in enumerate(plan.candidates, 1)
        for line in _in_full(number, candidate, plan.currency)
    ]


def problem_of(candidate: Candidate, before: str) -> str:
    """Return what is wrong with a place, shortened if it is the same as for the place before it."""
    return "the same" if candidate.problem == before else plain(candidate.problem, 300)


def _in_short(number: int, place: str, candidate: Candidate, currency: str, before: str) -> Line:
    if candidate.problem:
        return [(f"{number:>3}. {place}", ""), (f"  ! {problem_of(candidate, before)}", "bold $warning")]
    costs = cell_text(price(candidate.price_per_hour, currency), _PRICE_CELLS)
    likely = ", ".join(
        part for part in (candidate.stock.value, plain(shown_rate(candidate.interruption_rate), 16)) if part
    )
    return [
        (f"{number:>3}. {place}  {costs} ", ""),
        (likely, "bold $error" if candidate.stock is Stock.NONE else ""),
        (f"{'  ' if likely else ''}{why(candidate)}", "dim"),
    ]


def why(candidate: Candidate) -> str:
    """Return a place's reason without the parts that have fields of their own."""
    parts = plain(candidate.reason, 300).split("; ")
    return "; ".join(part for part in parts if not part.startswith((*_STOCKS, "interrupted ")))


def _in_full(number: int, candidate: Candidate, currency: str) -> list[Line]:
    place = f"{plain(candidate.instance_type, 64)} in {plain(candidate.zone, 64)} ({plain(candidate.vswitch_id, 64)})"
    why = " · ".join(part for part in (price(candidate.price_per_hour, currency), plain(candidate.reason)) if part)
    lines: list[Line] = [[(f"{number:>3}. {place}", ""), (f"  {why}", "dim")]]
    if candidate.problem:
        lines.append([(f"     ! {plain(candidate.problem, 300)}", "bold $warning")])
    return lines


_STOCKS = tuple(stock.value for stock in Stock if stock.value)
