"""Sends the letters of the outbox through Apprise, again and again until they have gone out."""

import logging
import threading
from datetime import timedelta

import apprise

from spottui.domain.clock import Clock
from spottui.domain.text import plain
from spottui.journal import Journal
from spottui.journal.outbox import Letter

log = logging.getLogger("spottui.notify")

LOOK_S = 2.0
FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 120.0


class Sender(threading.Thread):
    """One thread that empties the outbox; a channel's address holds its secret and is never logged."""

    def __init__(self, journal: Journal, addresses: tuple[str, ...], clock: Clock) -> None:
        super().__init__(name="notify", daemon=True)
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        self._journal = journal
        self._clock = clock
        self._stopped = threading.Event()
        self._channels: list[apprise.Apprise] = []
        self._told: dict[int, set[int]] = {}
        for number, address in enumerate(addresses, 1):
            channel = apprise.Apprise()
            if channel.add(address):
                self._channels.append(channel)
            else:
                log.error("notify: address %d is not one that Apprise knows; the others go on", number)

    def run(self) -> None:
        """Send what is due, every two seconds, until stopped."""
        while not self._stopped.wait(LOOK_S):
            try:
                for letter in self._journal.outbox.due(self._clock.now()):
                    self._send(letter)
            except Exception:
                log.exception("notify: the outbox cannot be read; it is tried again")

    def stop(self) -> None:
        """End; letters that are still there go out at the next start."""
        self._stopped.set()

    def _send(self, letter: Letter) -> None:
        """Tell every channel that was not told yet; one that is dead does not make the others ring again."""
        told = self._told.setdefault(letter.id, set())
        waiting = [number for number in range(len(self._channels)) if number not in told]
        told.update(number for number in waiting if self._tells(number, letter))
        if len(told) == len(self._channels):
            del self._told[letter.id]
            self._journal.outbox.sent(letter, self._clock.now())
            return
        wait_s = min(FIRST_RETRY_S * 2 ** min(letter.attempts, 6), LONGEST_RETRY_S)
        log.warning("notify: letter %d not sent everywhere, next try in %.0f s", letter.id, wait_s)
        self._journal.outbox.failed(letter, self._clock.now() + timedelta(seconds=wait_s))

    def _tells(self, number: int, letter: Letter) -> bool:
        try:
            text, title = plain(letter.text, 1000), plain(letter.title)
            return bool(self._channels[number].notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT))
        except Exception as error:
            # What a channel raises may hold its address, and with it its token.
            log.warning("notify: %s", type(error).__name__)
            return False
