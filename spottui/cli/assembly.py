"""Opens a desk in two steps: the journal, whose rows can be shown at once, and then all that needs the SDKs."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from spottui.cli.logfile import log_to
from spottui.cli.memory import keep_heaps_small
from spottui.cli.renamed_account import refuse_renamed_account
from spottui.cli.sd_notify import extend_start
from spottui.config import state_dir
from spottui.domain.clock import Clock, CloudClock
from spottui.domain.refusal import Unavailable
from spottui.domain.settings import Settings
from spottui.domain.view import ROWS_SHOWN, DeskView, interruptions_of
from spottui.journal import Journal
from spottui.recovery.auto_mode import AutoModeControl

if TYPE_CHECKING:
    from spottui.desk import Desk

SWITCH_S = 0.001


def open_desk(
    settings: Settings,
    clock: Clock,
    *,
    auto: bool,
    read_only: bool,
    show: Callable[[DeskView], None] | None = None,
) -> "Desk":
    """Open the journal, `show` what it says, start the engine, resume what was left, and begin to watch.

    Takes a second or two: the SDKs are imported here. A read-only desk takes no message from the queue and recovers
    nothing. Raises `JournalProblem` and `Misconfigured`, and `Unavailable` if the same may succeed later.
    """
    log_to(state_dir() / "spottui.log")
    keep_heaps_small()
    # A thread that waits for the interpreter gets it after this: calls of a storm, and the screen, wait less.
    sys.setswitchinterval(SWITCH_S)
    journal = _journal(settings, read_only=read_only)
    try:
        if not read_only:
            refuse_renamed_account(settings, journal)
        # The cloud dates what is compared with this clock; the machine's own may be wrong, and may be set meanwhile.
        clock = clock if isinstance(clock, CloudClock) else CloudClock(clock)
        auto_mode = AutoModeControl(journal, settings, clock)
        if show:
            show(_starting_view(journal, auto_mode, settings, clock, read_only=read_only))
        # Its imports take a third of a second, in which there is already something to read.
        from spottui.cli.rooms import put_together

        return put_together(journal, auto_mode, settings, clock, auto=auto, read_only=read_only)
    except Exception:
        journal.close()
        raise


def _journal(settings: Settings, *, read_only: bool) -> Journal:
    try:
        return Journal(settings.journal, read_only=read_only, acts=not read_only)
    except Unavailable:
        extend_start()
        raise


def _starting_view(
    journal: Journal, auto_mode: AutoModeControl, settings: Settings, clock: Clock, *, read_only: bool
) -> DeskView:
    """Return what the journal alone says: instances and recoveries as they were last written."""
    regions, now = settings.region_keys, clock.now()
    recoveries = journal.recoveries.latest(ROWS_SHOWN)
    open_ids = {recovery.instance_id for recovery in recoveries if not recovery.state.is_final}
    seen = [captured.spec.instance for region in regions for captured in journal.fleet.load(region).values()]
    return DeskView(
        version=-1,
        at=now,
        profile=settings.profile,
        regions=regions,
        accounts=settings.shown_accounts,
        auto=auto_mode.state(),
        read_only=read_only,
        starting=True,
        sources=(),
        instances=tuple(instance for instance in seen if instance.is_spot or instance.instance_id in open_ids),
        unswept=tuple({instance.region: None for instance in seen}),
        interruptions=interruptions_of(recoveries, (), now),
        recoveries=recoveries,
        events=tuple(journal.recoveries.feed),
        consoles=journal.consoles.living(),
        own=journal.consoles.own,
        plans=journal.recoveries.known_plans(recoveries),
    )
