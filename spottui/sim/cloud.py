"""The running cloud: a world that can be replaced by a fresh one, and the task that lets time pass in it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from spottui.sim.world import World


class Cloud:
    """Holds the current world; everything that serves requests reads it from here each time."""

    def __init__(self, make_world: Callable[[], World]) -> None:
        self._make_world = make_world
        self._wake = asyncio.Event()
        self._happened = asyncio.Event()
        self.world = self._alive(make_world())

    def reset(self) -> None:
        """Replace the world by a fresh one; waiting polls continue in it."""
        self.replace(self._make_world())

    def replace(self, world: World) -> None:
        """Replace the world by another; waiting polls continue in it."""
        old = self.world
        self.world = self._alive(world)
        for each in old.every:
            each.queues.ring_all()
        self.time_moved()

    def time_moved(self) -> None:
        """Wake all waiters after the clock was set or advanced."""
        self.world.settle()
        for world in self.world.every:
            world.queues.ring_all()
        self._wake.set()

    async def live(self) -> None:
        """Run planned events at their time, until cancelled."""
        while True:
            self._wake.clear()
            self.world.settle()
            self._happened.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._nap_s())

    async def something_happened(self) -> None:
        """Wait until planned events were run, or the clock was moved."""
        await self._happened.wait()
        self._happened.clear()

    def _nap_s(self) -> float | None:
        planned = [at for world in self.world.every if (at := world.schedule.next_at()) is not None]
        return self.world.clock.wall_seconds_until(min(planned)) if planned else None

    def _alive(self, world: World) -> World:
        for each in world.every:
            each.schedule.on_plan = self._wake.set
        return world
