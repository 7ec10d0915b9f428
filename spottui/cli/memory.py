"""Memory of a process that runs for weeks: what is freed goes back to the machine, and no collection is long."""

import ctypes
import gc
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache

_M_ARENA_MAX = -8
_HEAPS = 2
_TRIM_S = 15.0


@cache
def keep_heaps_small() -> None:
    """Let the threads that are started from now on share two heaps, and trim these four times a minute, for ever.

    glibc gives each of our thirty threads a heap of its own, and what is freed in one is seldom used again: without
    this the console grows by half within a few hundred recoveries (`make bench`, the soak).
    A process has one thread that does so, however many consoles it opens.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, _HEAPS)
        threading.Thread(target=_trim, args=(library.malloc_trim,), name="heaps", daemon=True).start()


def collect_in_small_steps() -> None:
    """Keep the collector from delaying the screen: it skips all present objects, and looks at few new ones at once."""
    gc.freeze()
    gc.set_threshold(5_000, 5, 50)


def _trim(malloc_trim: Callable[[int], object]) -> None:
    while True:
        time.sleep(_TRIM_S)
        malloc_trim(0)
