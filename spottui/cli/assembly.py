"""Puts the rooms together: the only place that knows them all."""

import gc
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from spottui.cli.heaps import keep_heaps_small
from spottui.cli.logfile import log_to
from spottui.cloud.account import CloudAccount
from spottui.config import state_dir
from spottui.desk import Desk
from spottui.domain.clock import Clock
from spottui.domain.interruption import Interruption
from spottui.domain.refusal import Refused
from spottui.domain.settings import Settings
from spottui.journal import Journal
from spottui.recovery.bulletin import Bulletin
from spottui.recovery.claims import Claim
from spottui.recovery.engine import Engine
from spottui.recovery.guard import Guard
from spottui.recovery.polls import Polls
from spottui.recovery.protect import LifeRafts
from spottui.recovery.survey import Surveys
from spottui.recovery.work import Signals, Work
from spottui.watch.watch import Watch

if TYPE_CHECKING:
    from spottui.exposition import Health


def open_desk(settings: Settings, clock: Clock, *, auto: bool, read_only: bool) -> Desk:
    """Open the journal, start the engine, resume what was left, and begin to watch.

    Takes a second or two: the SDKs are imported here. A read-only desk takes no message from the queue and recovers
    nothing. Raises `JournalProblem`.
    """
    log_to(state_dir() / "spottui.log")
    keep_heaps_small()
    journal_path = Path(settings.journal)
    journal = Journal(journal_path)
    account = CloudAccount(settings)
    polls = Polls(account.regions, account.lanes)
    claim = Claim(journal_path.parent / "spottui-executors")
    guard = Guard(journal, settings.policy, clock, claim, read_only=read_only)
    rafts = LifeRafts(journal, account.regions, account.lanes, clock)
    surveys = Surveys(account.markets, account.lanes, journal, clock, settings)
    work = Work(
        journal,
        account.regions,
        account.lanes,
        clock,
        settings,
        guard,
        polls,
        Signals(),
        rafts,
        surveys,
        Bulletin(journal, clock),
    )
    engine = Engine(work, claim)

    def on_seen(interruption: Interruption) -> None:
        engine.begin(interruption.region, interruption.instance_id, interruption.id)

    watch = Watch(account, settings, journal, clock, on_seen, read_only=read_only)
    stopping = ExitStack()
    if auto:
        # A stop file is no reason not to start: it is said on the screen that auto-mode is not armed, and why.
        with suppress(Refused):
            guard.arm("--auto")
    if not read_only:
        engine.launch()
        stopping.callback(_start_sender(settings, journal, clock))
    gc.collect()
    gc.freeze()
    watch.start()
    if settings.metrics_port:
        from spottui import exposition

        told, healthy = partial(_metrics, journal, watch, guard, clock), partial(_health, watch, clock)
        stopping.callback(exposition.serve(settings.metrics_port, told, healthy))
    return Desk(settings, journal, watch, work, engine, stopping.close, account.budget.state, read_only=read_only)


def _metrics(journal: Journal, watch: Watch, guard: Guard, clock: Clock) -> str:
    from spottui.metrics import render

    return render(journal, watch.health.all(), guard.state(), clock.now())


def _health(watch: Watch, clock: Clock) -> "Health":
    from spottui.exposition import health_of

    return health_of(watch.health.all(), clock.now())


def _start_sender(settings: Settings, journal: Journal, clock: Clock) -> Callable[[], None]:
    """Start the outbox where somebody is to be told, and return what stops it; Apprise is imported only then."""
    if not settings.notify:
        return _no_sender
    from spottui.notify.sender import Sender

    sender = Sender(journal, settings.notify, clock)
    sender.start()
    return sender.stop


def _no_sender() -> None:
    """Nobody is to be told."""
