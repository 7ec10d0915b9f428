"""Only changed cells are sent to the terminal, and it shows the same picture."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from spottui.console.screen_buffer import REPAINT, ScreenBuffer
from tests.console.emulator import Emulator

WIDTH = 14
STYLES = (
    "",
    "1",
    "2",
    "1;2",
    "1;4",
    "7",
    "31",
    "38;2;1;2;3",
    "1;38;2;1;2;3;48;2;9;8;7",
    "48;2;9;8;7",
    "38;5;7;41",
    "39;48;5;2",
)


@st.composite
def painted(draw):
    """A strip as Textual writes it: the cursor's place, then segments, each with its style, inside of the screen."""
    y, x = draw(st.integers(1, 3)), draw(st.integers(1, WIDTH - 1))
    text = f"\x1b[{y};{x}H"
    for style, said in draw(
        st.lists(st.tuples(st.sampled_from(STYLES), st.text("ab  é─世e\u0301", min_size=1)), max_size=4)
    ):
        said = said.lstrip("\u0301")
        while x + cell_len(said) > WIDTH:
            said = said[:-1]
        x += cell_len(said)
        text += f"\x1b[{style}m{said}\x1b[0m" if style else said
    return text + draw(st.sampled_from(("", "\n")))


PLACE = st.tuples(st.integers(1, 3), st.integers(1, WIDTH)).map(lambda place: "\x1b[{};{}H".format(*place))
FRAME = st.tuples(st.lists(painted(), max_size=5).map("".join), PLACE).map("".join)


@settings(max_examples=60)
@given(st.lists(st.tuples(FRAME, st.sampled_from(("send", "send", "wait", "title", "resized")))))
def test_the_terminal_shows_what_was_painted(frames):
    buffer, plain, compressed = ScreenBuffer(), Emulator(WIDTH), Emulator(WIDTH)
    for frame, then in frames:
        if then == "resized":
            plain.cells.clear()
            compressed.feed(buffer.take())
            compressed.cells.clear()
            buffer.put(REPAINT)
        text = frame + ("\x1b]2;(3!) spottui\x07" if then == "title" else "")
        plain.feed(text)
        buffer.put(text)
        if then != "wait":
            compressed.feed(buffer.take())
            assert (compressed.cells, compressed.at) == (plain.cells, plain.at)
    compressed.feed(buffer.take())
    assert compressed.cells == plain.cells


def test_what_is_painted_again_is_not_sent_again():
    buffer = ScreenBuffer()
    line = "\x1b[?2026h\x1b[2;1H\x1b[1;31m 04:50 web-1 \x1b[0m\x1b[1;1H\x1b[?2026l"
    buffer.put(line)
    assert "04:50 web-1" in buffer.take()
    buffer.put(line)
    assert buffer.take() == ""
    buffer.put(line.replace("04:50", "04:49"))
    sent = buffer.take()
    assert sent.startswith("\x1b[?2026h")
    assert sent.endswith("\x1b[?2026l")
    assert re.findall(r"[\d:]+(?=\x1b|$)", re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "\x1b", sent)) == ["49"]
    buffer.put("\x1b[?1049h" + line)
    assert "04:50 web-1" in buffer.take(), "after another screen nothing is known of this one"


def test_the_same_styles_and_near_cells_take_few_bytes():
    buffer = ScreenBuffer()
    for left in "543":
        for y, style in ((2, "1;31"), (3, "32"), (4, "1;31"), (5, "31"), (6, "32")):
            buffer.put(f"\x1b[{y};5H\x1b[{style}m04:5{left} web\x1b[0m")
        sent = buffer.take()
    assert re.findall(r"\x1b\[([\d;]*)m", sent) == ["32", "31", "1", ""], "a style is changed once for all its rows"
    assert len(re.sub(r"\x1b\[[\d;]*m", "", sent)) < 40, "most moves are steps"
