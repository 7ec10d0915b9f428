"""What a person takes away as files: the rows of a table, all matching events of the disk, a picture of the screen."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from spottui.console.widgets.event_reader import sought
from spottui.domain.refusal import Refused
from spottui.tables.column import Row
from spottui.tables.events import called, event_row

if TYPE_CHECKING:
    from spottui.console.desk import Desk
    from spottui.console.main_screen import MainScreen

_PAGE = 1000
_NEWEST = 1 << 62


def export(main: "MainScreen", form: str) -> None:
    """Write what the focused table shows to a file, `form` being `csv` or `json`; of the events all that match."""
    from spottui.tables.export import as_csv, as_json

    panel, now = main.panel, main.clock.now()
    table, columns, now_s = panel.table.model.table, panel.table.columns, now.timestamp()
    model, lines_of = panel.table.model, as_json if form == "json" else as_csv
    path = _path(panel.id or "", now, form)
    if panel is main.events_panel and not model.marked:
        words, kept, names = sought(model.filter_text), model.filter, main.reader.names

        def rows_of(desk: "Desk | None") -> Iterator[Row]:
            return (row for row in _events(desk, words, names) if kept is None or kept.keeps(row, now_s))

        main.feed.write(lambda desk: _write(path, lines_of(table, columns, rows_of(desk), now_s)))
        return
    rows = model.meant
    if not rows:
        main.notify("There is no row to export.", severity="warning")
        return
    main.feed.write(lambda _: _write(path, lines_of(table, columns, rows, now_s)))


def screenshot(main: "MainScreen") -> None:
    """Write what is on the screen, a page or a dialog over the main one too, to an SVG file and a text file."""
    app, now = main.app, main.clock.now()
    pictured = app.export_screenshot(title="spottui")
    lines = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
    picture, text = _path("screen", now, "svg"), _path("screen", now, "txt")

    def write(_: "Desk | None") -> str:
        _write(picture, (pictured,))
        _write(text, (f"{line}\n" for line in lines))
        return f"The screen is in {picture} and .txt"

    main.feed.write(write)


def _path(what: str, now: datetime, form: str) -> Path:
    return Path.cwd() / f"spottui-{what}-{now:%Y%m%dT%H%M%SZ}.{form}"


def _write(path: Path, texts: Iterable[str]) -> str:
    """Write a new file, whole or not at all; return what to tell the person."""
    lines = -1
    try:
        with path.open("x", encoding="utf-8", errors="replace") as file:
            try:
                for lines, text in enumerate(texts):  # noqa: B007
                    file.write(text)
            except Exception:
                path.unlink()
                raise
    except FileExistsError:
        raise Refused(f"{path} is there already: try again in a second.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}. Start spottui in another directory.") from None
    return f"{max(lines, 0):,} {'row is' if lines == 1 else 'rows are'} in {path}"


def _events(desk: "Desk | None", words: tuple[str, ...], names: Mapping[str, str]) -> Iterator[Row]:
    """Yield the row of every line of the feed on disk that holds all words, newest first."""
    if desk is None:
        raise Refused("The console is still starting.")
    below = _NEWEST
    named = called(words, names)
    while found := desk.find_events(words, _PAGE, below=below, named=named):
        yield from (event_row(event, names) for event in found)
        below = found[-1].seq
