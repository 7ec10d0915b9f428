"""Of a line that changes each second, only the cells that differ are written to the terminal."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from spottui.console.widgets.lines import changed_cells

TEXT = st.text(st.sampled_from("ab0 é世"), max_size=12)


@given(TEXT, TEXT)
def test_outside_of_the_changed_cells_nothing_differs(old: str, new: str) -> None:
    region = changed_cells(Content(old), Content(new))
    if region is None:
        return
    was, now = (list(_cells(text)) for text in (old, new))
    assert len(was) == len(now)
    inside = range(region.x, region.x + region.width)
    assert all(before == after for at, (before, after) in enumerate(zip(was, now, strict=True)) if at not in inside)


def test_a_countdown_is_all_that_is_drawn_and_another_style_draws_the_line() -> None:
    old, new = (Content.assemble(("first web-1 ", "bold"), text) for text in ("04:50", "04:49"))
    region = changed_cells(old, new)
    assert region
    assert (region.x, region.width) == (15, 2)
    assert changed_cells(Content.styled("04:50", "red"), Content("04:49")) is None
    assert changed_cells(Content("9"), Content("10")) is None


def _cells(text: str) -> list[str]:
    return [character for character in text for _ in range(cell_len(character))]
