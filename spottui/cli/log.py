"""The program's log: a file of its owner's, rotated, and never the screen."""

import logging
import logging.handlers
import os
from pathlib import Path

LOG_BYTES = 5_000_000
LOG_FILES = 3


def log_to(path: Path) -> None:
    """Write what the program logs to a file from now on."""
    # A log that cannot be written, on a full disk say, must not write over the screen.
    logging.raiseExceptions = False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    logger = logging.getLogger("spottui")
    if logger.handlers:
        return
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
