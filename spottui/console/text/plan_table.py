"""The places of a plan as one aligned table, for a wide screen."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from spottui.console.text.cells import cell_text, hanging
from spottui.console.text.places import place_in_short, problem_of, why
from spottui.domain.places import shown_rate
from spottui.domain.plan import Candidate, Plan, Stock
from spottui.domain.text import plain
from spottui.tables.prices import difference, price

_TITLES = ("", "Place", "vSwitch", "Price", "Difference", "Stock", "Interrupted")
_GAP = "  "
_RIGHT = (3, 4)
"""The columns that stand at their right."""

Cells = tuple[str, ...]


def places_table(plan: Plan, room: int) -> list[Content]:
    """Return a line for the old place and each candidate in its order: price, difference, stock, rate and why."""
    rows = [_TITLES, _now(plan), *(_cells(number, each, plan) for number, each in enumerate(plan.candidates, 1))]
    widths = [max(cell_len(row[i]) for row in rows) for i in range(len(_TITLES))]
    indent = sum(widths) + len(_GAP) * len(widths)
    lines = [Content.styled(f"{_padded(_TITLES, widths)}Why", "bold dim")]
    lines.append(Content(_padded(rows[1], widths)))
    said = ""
    for candidate, row in zip(plan.candidates, rows[2:], strict=True):
        text = Content.assemble(*_styled(candidate, row, widths), *_reason(candidate, said))
        lines += hanging(text, room, indent)
        said = candidate.problem
    return lines


def _now(plan: Plan) -> Cells:
    old = plan.spec.instance
    place = place_in_short(old.instance_type, old.zone, old.region)
    return "now", place, plain(plan.spec.vswitch_id, 64), price(plan.price_per_hour, plan.currency), "", "", ""


def _cells(number: int, candidate: Candidate, plan: Plan) -> Cells:
    place = place_in_short(candidate.instance_type, candidate.zone, plan.spec.instance.region)
    return (
        f"{number}.",
        f"{place}{' on-demand' if candidate.on_demand else ''}",
        plain(candidate.vswitch_id, 64),
        price(candidate.price_per_hour, plan.currency) or "unknown",
        difference(candidate.price_per_hour, plan.price_per_hour, plan.currency),
        candidate.stock.value,
        plain(shown_rate(candidate.interruption_rate), 16),
    )


def _padded(row: Cells, widths: Sequence[int]) -> str:
    return "".join(_cell(row, i, widths) for i in range(len(widths)))


def _cell(row: Cells, index: int, widths: Sequence[int]) -> str:
    return cell_text(row[index], widths[index], align_right=index in _RIGHT) + _GAP


def _styled(candidate: Candidate, row: Cells, widths: Sequence[int]) -> list[tuple[str, str]]:
    stock = _TITLES.index("Stock")
    sold_out = candidate.stock is Stock.NONE
    return [(_cell(row, i, widths), "bold $error" if sold_out and i == stock else "") for i in range(len(widths))]


def _reason(candidate: Candidate, said: str) -> list[tuple[str, str]]:
    """Return why it stands where it does, a problem first."""
    return [
        (f"! {problem_of(candidate, said)} · " if candidate.problem else "", "bold $warning"),
        (why(candidate), "dim"),
    ]
