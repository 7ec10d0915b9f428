"""What the Alibaba SDKs do to a process when they are imported, undone.

They install stderr handlers that write over the screen, and `DEBUG=sdk` in the environment makes them print
signatures and tokens (docs/sdk-traps.md 5). Call `quiet_sdks` once, after the imports and before the first call.
"""

import logging
import os

_NOISY = ("alibabacloud-tea", "darabonba-core", "credentials", "urllib3.connectionpool")


def quiet_sdks() -> None:
    """Drop `DEBUG`, every handler that the SDKs installed and everything that they would say below ERROR."""
    os.environ.pop("DEBUG", None)
    for name in _NOISY:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
