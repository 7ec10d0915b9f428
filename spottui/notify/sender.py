"""Tells people what the log says, again and again until each channel has taken it: a thread for each channel."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from spottui.domain.clock import Clock
from spottui.domain.facts import Logged
from spottui.domain.fold import fold
from spottui.domain.text import plain
from spottui.journal import Journal, deliveries
from spottui.journal.deliveries import Delivery
from spottui.journal.writer import Urgency
from spottui.notify.channels import Channel, channels_of
from spottui.words import TOLD_OF, letter, region

log = logging.getLogger("spottui.notify")

POLL_S = 2.0
LAST_S = 5.0
FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 60.0
AT_ONCE = 500
TOLD_PER_ROUND = 20
"""So few letters are told before the order is looked at again: a nearer deadline does not wait for a storm to end."""


class Sender:
    """Tells every channel, in a thread of its own, the nearest deadline first, under one subject an incident.

    The letters of an incident keep the order in which it happened. A channel that is dead or slow keeps no other
    waiting, and is asked once a try, however many letters wait for it. What was told is in the journal before the next
    fact: a process that dies tells twice at most what it was telling just then. Of several consoles the first that
    claims a fact tells it, so that one whose configuration names nobody silences no other.
    """

    def __init__(self, journal: Journal, addresses: tuple[str, ...], clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._stopped = threading.Event()
        self._channels = channels_of(addresses)
        self._back_offs: dict[str, _BackOff] = {}
        for channel in self._channels:
            journal.run(lambda t, name=channel.name: deliveries.introduce(t, name))  # type: ignore[misc]
        self._threads = [
            threading.Thread(target=self._run, args=(channel,), name=f"notify {channel.name}", daemon=True)
            for channel in self._channels
        ]

    def start(self) -> None:
        """Begin to tell."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End within a few seconds; what is still to be told is told at the next start."""
        self._stopped.set()
        until = time.monotonic() + LAST_S
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(until - time.monotonic(), 0.0))

    def waiting(self) -> int:
        """Return how much the channels have not taken yet."""
        with self._journal.store.read() as connection:
            return deliveries.waiting(connection, [channel.name for channel in self._channels])

    def poll(self, channel: Channel) -> None:
        """Tell a channel everything that is due now, until it does not accept a letter.

        What another console of this journal is telling is left to that one.
        """
        while letters := self._next_round(channel):
            for delivery in letters:
                if self._claim(channel, delivery) and not self._send(channel, delivery):
                    return

    def _run(self, channel: Channel) -> None:
        while not self._stopped.wait(POLL_S):
            self._try(lambda: self.poll(channel))
        self._try(lambda: self.poll(channel))

    def _try(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception:
            log.exception("notify: the journal cannot be read; retrying")

    def _queue_up(self, channel: Channel) -> None:
        """Write down what of the log deserves to be told since the channel was last looked after."""
        with self._journal.store.read() as connection:
            since = deliveries.queued_up_to(connection, channel.name)
        while new := self._journal.log.after(since, AT_ONCE, TOLD_OF):
            worth = [logged for logged in new if self._is_worth_it(logged)]
            since, now = new[-1].seq, self._clock.now()
            self._journal.run(
                lambda t, worth=worth, since=since, now=now: deliveries.queue_up(t, channel.name, worth, since, now)  # type: ignore[misc]
            )

    def _next_round(self, channel: Channel) -> list[Delivery]:
        """Return what to tell next, in its order; nothing while the channel is backed off."""
        self._queue_up(channel)
        now, back_off = self._clock.now(), self._back_offs.get(channel.name)
        if back_off and now < back_off.next_try:
            return []
        with self._journal.store.read() as connection:
            due = deliveries.due(connection, channel.name, now)
        return _least_refused_first(sorted(due, key=self._urgency))[:TOLD_PER_ROUND]

    def _urgency(self, delivery: Delivery) -> tuple[bool, float, int]:
        """Locked and not over first, by deadline; the rest as it happened."""
        recovery = self._journal.recoveries.known(delivery.logged.recovery_id)
        if recovery and recovery.interruption.locked and not recovery.state.is_final:
            return False, recovery.deadline.timestamp(), delivery.logged.seq
        return True, 0.0, delivery.logged.seq

    def _claim(self, channel: Channel, delivery: Delivery) -> bool:
        now = self._clock.now()
        return self._journal.run(lambda t: deliveries.claim(t, channel.name, delivery, now), Urgency.EYES)

    def _is_worth_it(self, logged: Logged) -> bool:
        recovery = self._journal.recoveries.get(logged.recovery_id) if logged.recovery_id else None
        return recovery is not None and letter(logged, recovery) is not None

    def _letter(self, logged: Logged) -> tuple[str, str] | None:
        """Of the recovery as the fact left it, whatever has happened since."""
        until_then = (earlier for earlier in self._journal.log.of(logged.recovery_id) if earlier.seq <= logged.seq)
        recovery = fold(until_then)
        return letter(logged, recovery) if recovery else None

    def _send(self, channel: Channel, delivery: Delivery) -> bool:
        """Tell a letter and write down what became of it; False where the channel did not accept it."""
        said = self._letter(delivery.logged)
        if said is None or channel.send(self._subject(delivery), _body(said, delivery)):
            self._back_offs.pop(channel.name, None)
            self._journal.run(lambda t: deliveries.taken(t, channel.name, delivery))
            return True
        # After the try: a channel that is silent for longer than its back-off would be asked again at once.
        now = self._clock.now()
        back_off = _longer(self._back_offs.get(channel.name), now)
        self._back_offs[channel.name] = back_off
        wait_s = (back_off.next_try - now).total_seconds()
        log.warning(
            "notify: %s did not accept fact %d, its next try in %.0f s", channel.name, delivery.logged.seq, wait_s
        )
        self._journal.run(lambda t: deliveries.failed(t, channel.name, delivery, now + _wait(delivery.attempts)))
        return False

    def _subject(self, delivery: Delivery) -> str:
        """The same for all of an incident: mail programs and people put them together by it."""
        recovery = self._journal.recoveries.get(delivery.logged.recovery_id)
        if recovery is None:
            return f"spottui: {plain(delivery.logged.recovery_id)}"
        where = f"{plain(recovery.instance_id)} in {plain(region(recovery.region))}"
        return f"spottui: {where}, {recovery.started:%d %b %H:%M:%S} UTC"


class _BackOff(msgspec.Struct, frozen=True):
    """How many tries in a row a channel has not accepted, and when the next one is."""

    failures: int
    next_try: datetime


def _longer(back_off: _BackOff | None, now: datetime) -> _BackOff:
    """Return the back-off after one more failure."""
    failures = back_off.failures if back_off else 0
    return _BackOff(failures + 1, now + _wait(failures))


def _wait(failures: int) -> timedelta:
    return timedelta(seconds=min(FIRST_RETRY_S * 2 ** min(failures, 6), LONGEST_RETRY_S))


def _least_refused_first(letters: list[Delivery]) -> list[Delivery]:
    """Let one letter that was refused less go before the others.

    A channel can refuse one letter for what it says. Were that one tried first each time, no other would ever be told.
    """
    if not letters:
        return []
    first = min(letters, key=lambda delivery: delivery.attempts)
    return [first, *(delivery for delivery in letters if delivery is not first)]


def _body(said: tuple[str, str], delivery: Delivery) -> str:
    title, text = said
    return f"{plain(title)}\n{plain(text, 1000)}\n{delivery.logged.at:%H:%M:%S} UTC"
