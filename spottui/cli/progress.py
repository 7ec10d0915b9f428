"""A progress bar on stderr for what takes long; nothing where stderr is no terminal."""

import shutil
import sys
from types import TracebackType
from typing import Self

WIDTH = 20
_CLEAR = "\r\x1b[K"


class Progress:
    """One line below whatever is printed; `clear` it before printing to the same terminal. Ends with its block."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.clear()

    def show(self, label: str, done: float, total: float) -> None:
        """Show that `done` of `total` is done."""
        if not self._on:
            return
        part = min(max(done / total, 0.0), 1.0) if total else 0.0
        full = round(part * WIDTH)
        # One column stays free: a line that fills the terminal would wrap, and could not be cleared.
        text = f"[{'#' * full}{'.' * (WIDTH - full)}] {part:4.0%}  {label}"[: shutil.get_terminal_size().columns - 1]
        self._write(f"{_CLEAR}{text}")
        self._shown = True

    def clear(self) -> None:
        """Remove the line."""
        if self._shown:
            self._write(_CLEAR)
            self._shown = False

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
