"""The log: one JSON object a line, in files of limited size that only their owner can read."""

import json
import logging
import logging.handlers
import os
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

BYTES = 5_000_000
OLDER_FILES = 3


def log_to(path: Path) -> None:
    """Write what the program logs to a file and nowhere else; said twice it is done once."""
    # A log that cannot be written, on a full disk say, must not write over the screen.
    logging.raiseExceptions = False
    logger = logging.getLogger("spottui")
    if logger.handlers:
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = PrivateFile(path, maxBytes=BYTES, backupCount=OLDER_FILES, encoding="utf-8", delay=True)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


class PrivateFile(logging.handlers.RotatingFileHandler):
    """A rotating file that is 0600 from its first byte on, each time anew."""

    def _open(self) -> TextIOWrapper:
        return TextIOWrapper(
            open(self.baseFilename, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)),
            self.encoding,
            errors="backslashreplace",
        )


class JsonLines(logging.Formatter):
    """`{at, level, logger, thread, message}`, and `error` with the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "thread": record.threadName,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)
