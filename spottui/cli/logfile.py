"""The log: one JSON object a line, in files of limited size that only their owner can read."""

import json
import logging
import logging.handlers
import os
import sys
import threading
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from spottui.cloud.redaction import redact

if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from threading import ExceptHookArgs

log = logging.getLogger("spottui")

BYTES = 5_000_000
OLDER_FILES = 3


def log_to(path: Path) -> None:
    """Write the program's log to a file and nowhere else; idempotent.

    That includes what Python itself would write over the screen: messages of asyncio, warnings and dying threads. If
    the file cannot be written nothing is logged, and the program continues.
    """
    # A log that cannot be written, on a full disk say, must not write over the screen.
    logging.raiseExceptions = False
    if log.handlers:
        return
    handler = _file(path)
    for name in ("spottui", "asyncio", "py.warnings"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.propagate = False
    log.setLevel(logging.INFO)
    # Without any handler at the root, what a library logs goes to standard error.
    logging.getLogger().addHandler(logging.NullHandler())
    logging.captureWarnings(True)
    threading.excepthook, sys.unraisablehook = _log_dead_thread, _log_unraisable


def _file(path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return logging.NullHandler()
    handler = PrivateFile(path, maxBytes=BYTES, backupCount=OLDER_FILES, encoding="utf-8", delay=True)
    handler.setFormatter(JsonLines())
    return handler


def _log_dead_thread(died: "ExceptHookArgs") -> None:
    if died.exc_value is not None and not isinstance(died.exc_value, SystemExit):
        name = died.thread.name if died.thread else "unknown"
        log.error("thread %s died", name, exc_info=died.exc_value)


def _log_unraisable(failed: "UnraisableHookArgs") -> None:
    log.error("an unraisable exception", exc_info=failed.exc_value)


class PrivateFile(logging.handlers.RotatingFileHandler):
    """A rotating file; each new file is 0600 from its first byte on."""

    def _open(self) -> TextIOWrapper:
        return TextIOWrapper(
            open(self.baseFilename, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)),
            self.encoding,
            errors="backslashreplace",
        )


class JsonLines(logging.Formatter):
    """`{at, level, logger, thread, message}`, and `error` with the traceback where there is one.

    Messages of libraries and exceptions may contain parts of a request: secrets are removed.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "thread": record.threadName,
            "message": record.getMessage() if record.name.startswith("spottui") else redact(record.getMessage()),
        }
        if record.exc_info:
            said["error"] = "\n".join(map(redact, self.formatException(record.exc_info).splitlines()))
        return json.dumps(said, ensure_ascii=False)
