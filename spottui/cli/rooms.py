"""Puts the rooms together: the only place that knows them all."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from spottui.cli.memory import collect_in_small_steps
from spottui.cli.records import recovery_record
from spottui.cli.sd_notify import keep_telling
from spottui.cloud.accounts import CloudAccounts
from spottui.desk import Desk
from spottui.domain.clock import Clock, CloudClock
from spottui.domain.facts import Logged, SignSeen
from spottui.domain.interruption import Evidence
from spottui.domain.refusal import Refused
from spottui.domain.settings import Settings
from spottui.journal import Journal
from spottui.journal.retention import Retention
from spottui.journal.store import JournalAway
from spottui.recovery.auto_mode import AutoModeControl
from spottui.recovery.context import Shared
from spottui.recovery.engine import Engine
from spottui.recovery.polls import Polls
from spottui.recovery.protect import DiskProtection
from spottui.recovery.ready import READY_S, Ready
from spottui.recovery.survey import Surveys
from spottui.watch.watch import Watch
from spottui.words import stopped

if TYPE_CHECKING:
    from spottui.exposition import Health
    from spottui.metrics import Tally

READY = "ready"
"""The source's name under which its health is shown."""
TIME_TO_MEET_S = 1.0
"""A cloud that does not answer keeps nobody from what the journal has."""


def put_together(
    journal: Journal, auto_mode: AutoModeControl, settings: Settings, clock: CloudClock, *, auto: bool, read_only: bool
) -> Desk:
    """Start the engine over an open journal, resume what was left, and begin to watch."""
    accounts = CloudAccounts(settings, clock)
    accounts.meet(within_s=TIME_TO_MEET_S)
    shared = _shared(journal, auto_mode, accounts, clock, settings)
    engine = Engine(shared)
    watch = Watch(accounts, settings, journal, clock, shared.protection.send, read_only=read_only)
    stopping = ExitStack()
    if auto:
        # A stop file is no reason not to start: it is said on the screen that auto-mode is not armed, and why.
        with suppress(Refused):
            auto_mode.arm("--auto", stopped)
    if read_only:
        journal.follow()
    else:
        engine.start()
        _start_retention(settings, journal, clock, stopping)
        if settings.ready:
            _keep_ready(accounts, settings, journal, clock, watch)
    letters = _nothing if read_only else _start_sender(settings, journal, clock, stopping)
    collect_in_small_steps()
    watch.start()
    if settings.metrics_port:
        from spottui import exposition
        from spottui.metrics import Tally

        tally = Tally(journal, settings.region_keys)
        told = partial(_metrics, tally, letters, watch, auto_mode, clock)
        stopping.callback(exposition.serve(settings.metrics_port, told, partial(_health, journal, watch, clock)))
    # The last is the first to end: nothing that takes a moment comes before systemd has heard of it.
    stopping.callback(keep_telling(partial(_is_live, journal, watch)))
    return Desk(settings, shared, watch, engine, stopping.close, accounts.budgets, read_only=read_only)


def _shared(
    journal: Journal, auto_mode: AutoModeControl, accounts: CloudAccounts, clock: Clock, settings: Settings
) -> Shared:
    return Shared(
        journal=journal,
        regions=accounts.regions,
        thread_pools=accounts.thread_pools,
        clock=clock,
        settings=settings,
        auto_mode=auto_mode,
        polls=Polls(accounts.regions, accounts.thread_pools),
        protection=DiskProtection(journal, accounts.regions, clock),
        surveys=Surveys(accounts.markets, accounts.thread_pools, journal, clock, settings),
        balancers=accounts.balancers,
        private_zones=accounts.private_zones,
        incident=recovery_record,
    )


def _start_retention(settings: Settings, journal: Journal, clock: Clock, stopping: ExitStack) -> None:
    retention = Retention(journal, clock, timedelta(days=settings.policy.journal_keep_days))
    retention.start()
    stopping.callback(retention.stop)


def _keep_ready(accounts: CloudAccounts, settings: Settings, journal: Journal, clock: Clock, watch: Watch) -> None:
    """In calm time instances are made ready; a lock is given way to at once."""
    loops = []
    for region, ecs in accounts.regions.items():
        ready = Ready(ecs, journal, settings, clock, lambda: watch.unswept)
        loops.append(watch.add(READY, region, READY_S, ready.poll, is_urgent=ready.is_urgent))

    def hear(logged: Sequence[Logged]) -> None:
        if any(isinstance(entry.fact, SignSeen) and entry.fact.source is Evidence.LOCK for entry in logged):
            for loop in loops:
                loop.nudge()

    journal.follow(hear)


def _is_live(journal: Journal, watch: Watch) -> bool:
    """Whether the writer and the polls work. A poll waits for a database that is away: a restart would not help."""
    return journal.writer.is_live and (bool(journal.writer.problem) or watch.is_live)


def _metrics(tally: "Tally", letters: Callable[[], int], watch: Watch, auto_mode: AutoModeControl, clock: Clock) -> str:
    from spottui.metrics import render

    try:
        waiting = letters()
    except JournalAway:
        waiting = None
    return render(tally, waiting, watch.health.all(), auto_mode.state(), clock.now())


def _health(journal: Journal, watch: Watch, clock: Clock) -> "Health":
    from spottui.exposition import health_of

    return health_of(watch.health.all(), clock.now(), journal.writer.problem)


def _start_sender(settings: Settings, journal: Journal, clock: Clock, stopping: ExitStack) -> Callable[[], int]:
    """Start the notifications, if any channel is configured; return what counts the deliveries that wait.

    Apprise is imported only then.
    """
    if not settings.notify:
        return _nothing
    from spottui.notify.sender import Sender

    sender = Sender(journal, settings.notify, clock)
    sender.start()
    stopping.callback(sender.stop)
    return sender.waiting


def _nothing() -> int:
    """Without a channel nothing waits."""
    return 0
