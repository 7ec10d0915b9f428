"""Printing that never blocks the program: the reader of its output may be slow, stalled or gone."""

import contextlib
import io
import logging
import queue
import sys
import threading
from types import TracebackType
from typing import Self, TextIO

log = logging.getLogger("spottui.printing")

QUEUED = 10_000
"""At most this many texts wait for a reader; further ones are dropped until it reads again."""
_LAST_S = 0.3


class Printing:
    """Redirects standard output and error, while its block runs, to one thread that writes both in order.

    Printing neither blocks nor fails. What does not fit into the queue of a stalled reader is dropped, and so is
    everything after a reader is gone; each is logged once, and `unread` names the stream meanwhile.
    """

    unread: str = ""

    def __enter__(self) -> Self:
        self._queue: queue.Queue[tuple[_Queued, str] | None] = queue.Queue(QUEUED)
        self._dropped = 0
        self._thread = threading.Thread(target=self._print, name="printing", daemon=True)
        self._thread.start()
        self._redirected = contextlib.ExitStack()
        self._redirected.enter_context(contextlib.redirect_stdout(_Queued(self, sys.stdout, "standard output")))
        self._redirected.enter_context(contextlib.redirect_stderr(_Queued(self, sys.stderr, "standard error")))
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _t: TracebackType | None
    ) -> None:
        self._redirected.close()
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=_LAST_S)
        self._thread.join(_LAST_S)

    def put(self, stream: "_Queued", text: str) -> None:
        """Queue a text for a stream."""
        try:
            self._queue.put_nowait((stream, text))
        except queue.Full:
            self._dropped += 1
            if self._dropped == 1:
                log.warning("nobody reads %s: output is dropped, the work continues", stream.title)
                self.unread = stream.title
            return
        if self._dropped:
            log.warning("%s is read again; %d lines were dropped", stream.title, self._dropped)
            self._dropped, self.unread = 0, ""

    def _print(self) -> None:
        while item := self._queue.get():
            stream, text = item
            stream.print(text)


class _Queued(io.TextIOBase):
    """A text stream that queues its texts for the thread of a `Printing`."""

    def __init__(self, printing: Printing, stream: TextIO, title: str) -> None:
        self.title = title
        self._printing, self._stream, self._gone = printing, stream, False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._stream.errors

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, text: str) -> int:
        if not isinstance(text, str):  # click recognizes a text stream by this error.
            raise TypeError(f"a text is written here, not {type(text).__name__}")
        self._printing.put(self, text)
        return len(text)

    def print(self, text: str) -> None:
        """Write to the real stream; once that fails, never again."""
        if self._gone:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._gone, self._printing.unread = True, self.title
            log.warning("%s cannot be written (%s): output is dropped, the work continues", self.title, error)
