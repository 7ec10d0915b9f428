"""Tells systemd that a console is ready, alive or stopping. Without systemd nothing is sent.

Each message is one datagram to the socket in NOTIFY_SOCKET (`man 3 sd_notify`).
"""

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"
_LONGER = f"EXTEND_TIMEOUT_USEC={180 * 1_000_000}"
_PATIENCE_S = 1.0


def extend_start() -> None:
    """Ask for more time to become ready, from now."""
    send(_LONGER)


def keep_telling(is_live: Callable[[], bool]) -> Callable[[], None]:
    """Say that the console is ready, and then as often as the watchdog wants that it lives, while `is_live` says so.

    Return what says that it stops. A console that stops being live is silent, so that systemd ends it and starts it
    again (`WatchdogSec`, `Restart`).
    """
    stopped = threading.Event()
    send(READY)
    if interval_s := _watchdog_s():
        threading.Thread(target=_ping, args=(interval_s / 2, is_live, stopped), name="watchdog", daemon=True).start()

    def stop() -> None:
        stopped.set()
        send(STOPPING)

    return stop


def send(state: str) -> None:
    """Send one state; an absent service manager is ignored."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(_PATIENCE_S)
        manager.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        manager.send(state.encode())


def _ping(every_s: float, is_live: Callable[[], bool], stopped: threading.Event) -> None:
    while not stopped.is_set():
        if is_live():
            send(ALIVE)
        stopped.wait(every_s)


def _watchdog_s() -> float:
    """Return within how many seconds the watchdog wants to hear of this process, 0 where there is none."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isascii() and microseconds.isdigit() else 0.0
