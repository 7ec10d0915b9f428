"""What a person takes out of the console: rows as a file, the screen as files, a text on the clipboard."""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spottui.console.session import Session
from spottui.console.widgets.event_reader import search_words
from spottui.console.widgets.panel import Panel
from spottui.domain.refusal import Refused
from spottui.tables.column import Row
from spottui.tables.events import event_row, ids_by_word

if TYPE_CHECKING:
    from textual.app import App

    from spottui.console.desk import Desk

_PAGE = 1000
_NEWEST = 1 << 62
_CLIPBOARD_BYTES = 75_000
"""The longest text that terminals accept in one OSC 52 sequence, before base64 makes it a third longer."""


def export(session: Session, panel: Panel, form: str, names: Mapping[str, str] | None = None) -> None:
    """Write a panel's marked rows, else all in view, to a file in the working directory; `form` is `csv` or `json`.

    With `names`, the instances' names by id, the rows are events: without marks, every matching one in the journal.
    """
    from spottui.tables.export import as_csv, as_json

    model, columns, now = panel.table.model, panel.table.columns, session.clock.now()
    path, now_s, write_rows = _path(panel.id or "", now, form), now.timestamp(), as_json if form == "json" else as_csv
    if names is not None and not model.marked:
        words, kept = search_words(model.filter_text), model.filter

        def matching(desk: "Desk | None") -> Iterator[Row]:
            return (row for row in _events(desk, words, names) if kept is None or kept.keeps(row, now_s))

        session.worker.write(lambda desk: _write(path, write_rows(model.table, columns, matching(desk), now_s)))
    elif rows := model.meant:
        session.worker.write(lambda _: _write(path, write_rows(model.table, columns, rows, now_s)))
    else:
        session.app.notify("No rows to export.", severity="warning")


def screenshot(session: Session) -> None:
    """Write the screen, with whatever page or dialog is on it, to an SVG file and a text file."""
    app, now = session.app, session.clock.now()
    svg = app.export_screenshot(title="spottui")
    lines = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
    svg_path, text_path = _path("screen", now, "svg"), _path("screen", now, "txt")

    def write(_: "Desk | None") -> str:
        _write(svg_path, (svg,))
        _write(text_path, (f"{line}\n" for line in lines))
        return f"Screen saved to {svg_path} and .txt"

    session.worker.write(write)


def copy(app: "App[Any]", text: str, label: str) -> None:
    """Copy a text through the terminal (OSC 52, which works over SSH), and notify; one that is too long is refused."""
    size = len(text.encode())
    if size > _CLIPBOARD_BYTES:
        limits = f"{size // 1000:,} kB, terminals take {_CLIPBOARD_BYTES // 1000}"
        app.notify(f"{label} is too long for a clipboard: {limits}.", severity="warning", markup=False)
        return
    app.copy_to_clipboard(text)
    hint = " · tmux needs set -g set-clipboard on" if "TMUX" in os.environ else ""
    app.notify(f"Copied {label}{hint}", markup=False)


def _path(what: str, now: datetime, form: str) -> Path:
    return Path.cwd() / f"spottui-{what}-{now:%Y%m%dT%H%M%SZ}.{form}"


def _write(path: Path, texts: Iterable[str]) -> str:
    """Write a new file, whole or not at all; return the text that reports it."""
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
        raise Refused(f"{path} already exists; try again in a second.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}. Start spottui in another directory.") from None
    return f"{max(lines, 0):,} {'row' if lines == 1 else 'rows'} written to {path}"


def _events(desk: "Desk | None", words: tuple[str, ...], names: Mapping[str, str]) -> Iterator[Row]:
    """Yield the row of every event in the journal that contains all words, newest first."""
    if desk is None:
        raise Refused("The console is still starting.")
    below = _NEWEST
    named = ids_by_word(words, names)
    while events := desk.find_events(words, _PAGE, below=below, named=named):
        yield from (event_row(event, names) for event in events)
        below = events[-1].seq
