"""Durable execution behind one door: DBOS runs the recoveries, and nothing else of ours knows that."""

import asyncio
import itertools
import logging
import threading
import time
import typing
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from spottui.domain.recovery import Recovery
from spottui.on_use import imported_on_use
from spottui.recovery.claims import Claim
from spottui.recovery.work import Work
from spottui.recovery.workflow import recover

# What DBOS needs for PostgreSQL, and for transactions of its users' own.
with imported_on_use("psycopg", "sqlalchemy.ext.asyncio", "sqlalchemy.orm"):
    from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, WorkflowStatus

T = TypeVar("T")

log = logging.getLogger("spottui.recovery")

APPLICATION_VERSION = "flow-2"
"""Bumped by hand when a workflow that was interrupted before could not go on under the new code."""
RETRIES_S = (1, 2, 5, 10, 30)
TEND_S = 1.0
ENDED = ("ERROR", "SUCCESS", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class Engine:
    """Starts recoveries and resumes those whose process died. One per process.

    There is no way to close it but to end the process: `DBOS.destroy` writes workflows under way down as failed, so
    a clean end leaves them as kill -9 does, and the next start goes on with them.
    """

    def __init__(self, work: Work, claim: Claim) -> None:
        self._work = work
        self._claim = claim
        self._dbos_config: DBOSConfig = {
            "name": "spottui",
            "system_database_url": f"sqlite:///{work.journal.database.path}",
            "system_database_engine": work.journal.database.engine_for_dbos(),
            "executor_id": self._claim.executor_id,
            "application_version": APPLICATION_VERSION,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
        }
        self._workflow: Callable[[str], Any] | None = None
        self._begun: set[str] = set()

    def launch(self) -> None:
        """Start DBOS, take over what dead processes left, and start what was journaled but never begun."""
        _quiet_log()
        DBOS(config=self._dbos_config)

        async def recovery(recovery_id: str) -> str:
            return await recover(recovery_id, self._stage)

        self._workflow = DBOS.workflow(name="recovery", max_recovery_attempts=1000)(recovery)
        DBOS.launch()
        self._take_over_the_dead({str(one.executor_id) for one in _workflows(["PENDING"])})
        self._begin_unfinished()
        self._claim.take_over()
        threading.Thread(target=self._tend, name="take over", daemon=True).start()

    def begin(self, region: str, instance_id: str, recovery_id: str) -> None:
        """Send the life-raft and start the recovery of an interruption, or wake it; begun twice it is begun once."""
        if self._workflow is None:
            return
        if recovery_id not in self._begun:
            self._work.life_rafts.send(region, instance_id, recovery_id)
            self._start(recovery_id, 0)
        self._work.signals.wake(recovery_id)

    def successors(self) -> int:
        """Return how many other consoles of this journal go on within seconds with what this one leaves."""
        return self._claim.successors()

    def begin_again(self, recovery: Recovery) -> None:
        """Start the next run of a recovery that was reopened."""
        if self._workflow is not None:
            self._start(recovery.recovery_id, recovery.run)

    def _start(self, recovery_id: str, run: int) -> None:
        assert self._workflow is not None
        with SetWorkflowID(_workflow_id(recovery_id, run)):
            DBOS.start_workflow(self._workflow, recovery_id)
        self._begun.add(recovery_id)

    async def _stage(self, step: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        async def run() -> Any:
            return msgspec.to_builtins(await self._persist(step, *args, **kwargs))

        kept = await DBOS.run_step_async({"name": step.__name__}, run)
        result: T = msgspec.convert(kept, typing.get_type_hints(step)["return"])
        return result

    async def _persist(self, step: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        """Run a step until it comes to an end.

        What a step raises is a bug or a broken disk, and would end the workflow for ever: steps are made to be
        repeated, so it is said in the log and tried again.
        """
        for failures in itertools.count():
            try:
                return await step(self._work, *args, **kwargs)
            except Exception:
                wait_s = RETRIES_S[min(failures, len(RETRIES_S) - 1)]
                log.exception("%s of %s failed, next try in %d s", step.__name__, args[0], wait_s)
                await asyncio.sleep(wait_s)
        raise AssertionError("unreachable")

    def _tend(self) -> None:
        """Each second, take over what another console of this journal left when it died."""
        while True:
            time.sleep(TEND_S)
            try:
                if self._take_over_the_dead(set()):
                    self._begin_unfinished()
            except Exception:
                log.exception("taking over from dead consoles failed; it is tried again")

    def _take_over_the_dead(self, known: set[str]) -> bool:
        """Resume the pending workflows of every executor that holds its claim no more; say whether there was one."""
        found = False
        for executor_id in (self._claim.others() | known) - {self._claim.executor_id}:
            with self._claim.of_dead(executor_id) as dead:
                if not dead:
                    continue
                found = True
                left = [one.workflow_id for one in _workflows(["PENDING"], executor_id)]
                if left:
                    DBOS.resume_workflows(left)
        return found

    def _begin_unfinished(self) -> None:
        """Start what was journaled and never begun, and go on with what ended too early."""
        for unfinished in self._work.journal.recoveries.unfinished():
            self._mend(unfinished)
            carried = self._carried_over(unfinished)
            self._start(carried.recovery_id, carried.run)

    def _carried_over(self, recovery: Recovery) -> Recovery:
        """Give a recovery whose workflow an earlier version began another run: its steps are not those of this one."""
        workflow_id = _workflow_id(recovery.recovery_id, recovery.run)
        status = DBOS.get_workflow_status(workflow_id)
        if status is None or status.app_version in (None, APPLICATION_VERSION):
            return recovery
        DBOS.cancel_workflow(workflow_id)
        change = self._work.journal.recoveries.change
        return change(recovery.recovery_id, self._work.now(), lambda known: replace(known, run=known.run + 1))

    def _mend(self, recovery: Recovery) -> None:
        """Go on with a workflow that ended before its recovery did, from the step after the last good one."""
        workflow_id = _workflow_id(recovery.recovery_id, recovery.run)
        status = DBOS.get_workflow_status(workflow_id)
        if status is None or status.status not in ENDED:
            return
        # A recovery ends before its workflow does: one that has not ended now is ended by no other console.
        known = self._work.journal.recoveries.get(recovery.recovery_id)
        if known and not known.state.is_final and known.run == recovery.run:
            steps = DBOS.list_workflow_steps(workflow_id)
            good = list(itertools.takewhile(lambda one: one["error"] is None, steps))
            DBOS.rewind_workflow(workflow_id, start_step=len(good) + 1)


def _workflow_id(recovery_id: str, run: int) -> str:
    """The interruption's id; a retry is a workflow of its own, which finds what the earlier ones made."""
    return f"{recovery_id}~{run}" if run else recovery_id


def _workflows(status: list[str], executor_id: str | None = None) -> list[WorkflowStatus]:
    return DBOS.list_workflows(status=status, executor_id=executor_id, load_input=False, load_output=False)


def _quiet_log() -> None:
    """DBOS adds a stderr handler of its own unless there is one: it would write over the screen."""
    logger = logging.getLogger("dbos")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    for handler in logging.getLogger("spottui").handlers:
        logger.addHandler(handler)
