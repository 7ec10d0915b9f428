"""Sends the letters of the outbox, again and again until each channel has taken them."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from spottui.domain.clock import Clock
from spottui.domain.text import plain
from spottui.journal import Journal
from spottui.journal.outbox import Letter
from spottui.notify.channels import Channel, channels_of
from spottui.notify.only_one import OnlyOne

log = logging.getLogger("spottui.notify")

LOOK_S = 2.0
LAST_S = 5.0
FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 120.0


class Sender(threading.Thread):
    """One thread that empties the outbox.

    A channel hears of an incident in the order in which it happened, under one subject; one that is dead keeps no
    other waiting. What was told is in the journal before the next letter: a process that dies tells twice at most
    what it was telling just then.
    """

    def __init__(self, journal: Journal, addresses: tuple[str, ...], clock: Clock) -> None:
        super().__init__(name="notify", daemon=True)
        self._journal = journal
        self._clock = clock
        self._stopped = threading.Event()
        self._only_one = OnlyOne(journal.database.path)
        self._channels = channels_of(addresses)
        for channel in self._channels:
            journal.outbox.introduce(channel.name, clock.now())

    def run(self) -> None:
        """Send what is due, every two seconds and once more when stopped."""
        self._try(self._settle)
        while not self._stopped.wait(LOOK_S):
            self._try(self.look)
        self._try(self.look)

    def look(self) -> None:
        """Send everything that is due now, unless another console of this journal does."""
        if not self._only_one.is_mine():
            return
        told = [self._tell_all(channel) for channel in self._channels]
        if any(told):
            self._settle()

    def stop(self) -> None:
        """End within a few seconds; letters that are still there go out at the next start."""
        self._stopped.set()
        if self.is_alive():
            self.join(LAST_S)
        self._only_one.release()

    def _try(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception:
            log.exception("notify: the outbox cannot be read; it is tried again")

    def _settle(self) -> None:
        given_up = self._journal.outbox.settle([one.name for one in self._channels], self._clock.now())
        if given_up:
            log.error("notify: %d letters could not be sent for three days and are dropped", given_up)

    def _tell_all(self, channel: Channel) -> int:
        """Tell a channel until nothing is due or it fails; return how many letters were tried."""
        tried = 0
        while due := self._journal.outbox.due(channel.name, self._clock.now()):
            tried += len(due)
            for letter in due:
                self._tell(channel, letter)
        return tried

    def _tell(self, channel: Channel, letter: Letter) -> None:
        outbox, now = self._journal.outbox, self._clock.now()
        body = f"{plain(letter.title)}\n{plain(letter.text, 1000)}\n{letter.at:%H:%M:%S} UTC"
        if channel.tell(self._subject(letter), body):
            outbox.told(channel.name, letter, now)
            return
        wait_s = min(FIRST_RETRY_S * 2 ** min(letter.attempts, 6), LONGEST_RETRY_S)
        log.warning("notify: %s took letter %d not, next try in %.0f s", channel.name, letter.id, wait_s)
        outbox.failed(channel.name, letter, now + timedelta(seconds=wait_s))

    def _subject(self, letter: Letter) -> str:
        """The same for every letter of an incident: mail programs and people put them together by it."""
        known = self._journal.interruptions.get(letter.recovery_id)
        if known is None:
            return f"spottui: {plain(letter.recovery_id)}"
        return f"spottui: {plain(known.instance_id)} in {plain(known.region)}, {known.first_seen:%d %b %H:%M:%S} UTC"
