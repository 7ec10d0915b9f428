"""A snapshot of the present: recoveries of the journal, live consoles, and answers of the cloud if it is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from spottui.cli.progress import Progress
from spottui.domain.clock import CloudClock
from spottui.domain.recovery import Recovery
from spottui.domain.settings import Settings
from spottui.domain.view import LiveConsole
from spottui.journal import Journal
from spottui.journal.arming import armings

ROWS = 200


@dataclass(frozen=True, slots=True)
class Source:
    """One source of one region, asked once: what it said, or its error on one line."""

    name: str
    found: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class StatusSnapshot:
    """`mode` is `auto`, `confirm` or `unwatched`; `spot` and `reclaiming` count instances of all regions.

    `consoles` are those that act on the journal, or would if they answered. `at` is when, by the cloud's clock where it
    was asked.
    """

    mode: str
    sources: tuple[Source, ...]
    spot: int
    reclaiming: int
    recoveries: tuple[Recovery, ...]
    at: datetime
    consoles: tuple[LiveConsole, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether a source gave no answer."""
        return any(source.error for source in self.sources)


def take_snapshot(settings: Settings, progress: Progress, *, ask_cloud: bool) -> StatusSnapshot:
    """Take one snapshot; without the cloud, from the journal only."""
    with Journal(settings.journal, read_only=True) as journal:
        recoveries = journal.recoveries.latest(ROWS)
        unread = journal.log.unread_outputs()
        consoles = tuple(replace(console, unread=unread.get(console.id, "")) for console in journal.consoles.living())
        living = {console.id for console in consoles if console.answers}
        with journal.store.read() as connection:
            armed = any(arming.armed and arming.console in living for arming in armings(connection))
    mode = ("auto" if armed else "confirm") if living else "unwatched"
    running = {
        recovery.instance_id
        for recovery in recoveries
        if not (recovery.state.is_final or recovery.interruption.is_manual)
    }
    cloud, clock = _Cloud(), CloudClock()
    if ask_cloud:
        cloud.ask(settings, progress, clock)
    reclaiming = len(running | cloud.locked)
    return StatusSnapshot(mode, tuple(cloud.sources), cloud.spot, reclaiming, recoveries, clock.now(), consoles)


class _Cloud:
    """The answers of all regions."""

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.spot = 0
        self.locked: set[str] = set()

    def ask(self, settings: Settings, progress: Progress, clock: CloudClock) -> None:
        from spottui.cloud.region_tools import RegionTools, credentials_of, region_tools

        def queue(tools: RegionTools) -> str:
            backlog = tools.queue.backlog()
            return f"{backlog.waiting} messages waiting" if backlog.waiting >= 0 else "exists"

        def lock(tools: RegionTools) -> str:
            locked = {instance.instance_id for instance in tools.ecs.locked()}
            self.locked |= locked
            return f"{len(locked)} locked"

        def sweep(tools: RegionTools) -> str:
            instances = [spec.instance for page in tools.ecs.fleet() for spec in page]
            if not instances:
                tools.ecs.check_permission()
            spot = sum(instance.is_spot for instance in instances)
            self.spot += spot
            return f"{len(instances)} instances, {spot} spot"

        asked = [
            (f"{name} {tools.settings.key}", partial(ask, tools))
            for tools in region_tools(settings, credentials_of(settings), clock=clock)
            for name, ask in (("queue", queue), ("lock", lock), ("sweep", sweep))
        ]
        for number, (name, ask) in enumerate(asked):
            progress.show(name, number, len(asked))
            self.sources.append(_asked(name, ask))


def _asked(name: str, ask: Callable[[], str]) -> Source:
    from spottui.cloud.errors import CloudError

    try:
        return Source(name, ask())
    except CloudError as error:
        return Source(name, "", error.line)
