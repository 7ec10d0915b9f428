"""Memory of a process that runs for weeks: freed memory is returned to the system, and collections stay short."""

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
    """Make threads started from now on share two heaps, and trim these four times a minute for ever.

    glibc gives each of our thirty threads its own heap, and memory freed in one is rarely reused: without this the
    console grows by half within a few hundred recoveries (`make bench`, the soak). Each process has only one such
    thread, however many consoles it opens.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, _HEAPS)
        threading.Thread(target=_trim, args=(library.malloc_trim,), name="heaps", daemon=True).start()


def collect_in_small_steps() -> None:
    """Keep garbage collection from delaying the screen: it skips all present objects and runs in small steps."""
    gc.freeze()
    gc.set_threshold(5_000, 5, 50)


def _trim(malloc_trim: Callable[[int], object]) -> None:
    while True:
        time.sleep(_TRIM_S)
        malloc_trim(0)
