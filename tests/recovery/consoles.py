"""Several consoles on one journal, each with its auto-mode, and what they ask of it."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from spottui import words
from spottui.domain.facts import (
    Decided,
    Fact,
    Logged,
    Stop,
    Stopped,
)
from spottui.domain.forecast import Forecast
from spottui.domain.interruption import Evidence
from spottui.domain.plan import Plan
from spottui.domain.reasons import Why
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.domain.settings import AccountSettings, Policy, Settings
from spottui.domain.view import AutoMode
from spottui.journal import Journal
from spottui.recovery.auto_mode import AutoModeControl
from spottui.recovery.auto_mode_rules import Grant, Refusal
from spottui.words import EventKind, stopped
from tests.journal import given as journals
from tests.journal.given import NOON, plan_of, sign

ZONE = "cn-hangzhou-h"
AT_ONCE = Policy(veto_window_s=0, max_at_once=3, max_per_hour=100)
LUNCH = Stopped(Stop.PERSON, "ann")


class Time:
    """The clock of every console of a test, moved by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Place:
    """One journal, and what several consoles on it do, each with the journal opened anew as another process has it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "journal.db"
        self.journal = Journal(self.path, acts=True)
        self.time = Time()
        self.journals: dict[AutoModeControl, Journal] = {}
        self._numbers = iter(range(100_000))

    def console(
        self,
        policy: Policy = AT_ONCE,
        *,
        armed: bool = True,
        read_only: bool = False,
        accounts: dict[str, AccountSettings] | None = None,
    ) -> AutoModeControl:
        journal = Journal(self.path, read_only=read_only, acts=not read_only)
        journal.follow()
        auto_mode = AutoModeControl(journal, Settings("", (), "", policy=policy, accounts=accounts or {}), self.time)
        self.journals[auto_mode] = journal
        if not read_only:
            # It has dropped what the dead said: a console that dies now dies later than its start.
            journal.run(lambda _: None)
        if armed:
            auto_mode.arm("--auto", stopped)
        return auto_mode

    def kill(self, auto_mode: AutoModeControl) -> None:
        """Let the console's lock go, as the end of its process does."""
        self.journals[auto_mode].consoles.close()

    def close(self) -> None:
        for journal in (self.journal, *self.journals.values()):
            journal.close()

    def reclaim(
        self, after_s: float = 0, *, locked: bool = True, plan: Plan | None = None, region: str = journals.REGION
    ) -> str:
        """Open a recovery with a plan, whose notice came `after_s` after now; return its id."""
        source = Evidence.LOCK if locked else Evidence.QUEUE
        return self.notice(f"i-{next(self._numbers)}", source, after_s, plan, region)

    def notice(
        self,
        instance_id: str,
        source: Evidence,
        after_s: float = 0,
        plan: Plan | None = None,
        region: str = journals.REGION,
    ) -> str:
        seen = replace(sign(instance_id, source), region=region, at=self.time.now() + timedelta(seconds=after_s))
        (recovery_id,) = journals.observe(self.journal, seen, now=self.time.now())
        journals.set_plan(self.journal, recovery_id, plan or plan_of(), self.time.now())
        return recovery_id

    def recovery(self, recovery_id: str, auto_mode: AutoModeControl | None = None) -> Recovery:
        """Return a recovery as a console knows it that has read all that is on disk."""
        journal = self.journals[auto_mode] if auto_mode else self.journal
        journal.run(lambda _: None)
        return journals.known(journal, recovery_id)

    def ask(self, auto_mode: AutoModeControl, recovery_id: str, *, slack_s: float = 200) -> Grant | Refusal:
        """Ask a second after whatever was before, as recoveries do that wait."""
        self.time.pass_s(1)
        return asyncio.run(auto_mode.ask(*self.case(auto_mode, recovery_id, slack_s)))

    def confirm(self, auto_mode: AutoModeControl, recovery_id: str, *, slack_s: float = 200) -> bool:
        return asyncio.run(auto_mode.confirm(*self.case(auto_mode, recovery_id, slack_s)))

    def refusal(self, auto_mode: AutoModeControl, recovery_id: str) -> Refusal:
        answer = self.ask(auto_mode, recovery_id)
        assert isinstance(answer, Refusal), answer
        return answer

    def why(self, auto_mode: AutoModeControl, recovery_id: str) -> Why:
        return self.refusal(auto_mode, recovery_id).reason.why

    def goes(self, auto_mode: AutoModeControl, recovery_id: str) -> bool:
        """Ask, and confirm at once where auto-mode may."""
        return isinstance(self.ask(auto_mode, recovery_id), Grant) and self.confirm(auto_mode, recovery_id)

    def state(self, auto_mode: AutoModeControl) -> AutoMode:
        """Return what a console shows that has read all that is on disk, some seconds later."""
        self.time.pass_s(5)
        if not self.journals[auto_mode].store.read_only:
            self.journals[auto_mode].run(lambda _: None)
        return auto_mode.state()

    def person(self, recovery_id: str, decision: Decision = Decision.CONFIRM) -> None:
        self.record(recovery_id, Decided(decision, "ann@bastion"))

    def record(self, recovery_id: str, *facts: Fact) -> None:
        journals.record(self.journal, recovery_id, *facts, now=self.time.now())

    def end(self, recovery_id: str, state: RecoveryState = RecoveryState.RECOVERED) -> None:
        journals.enter(self.journal, recovery_id, state, self.time.now())

    def log(self) -> list[Logged]:
        return list(self.journal.log.after(0, 10_000))

    def lines(self) -> list[str]:
        return [words.text(one) for one in self.log() if words.event_kind(one.fact) is EventKind.AUTO]

    def case(
        self, auto_mode: AutoModeControl, recovery_id: str, slack_s: float = 200
    ) -> tuple[Recovery, Plan, Forecast]:
        recovery, plan = self.recovery(recovery_id, auto_mode), self.journal.recoveries.plan(recovery_id)
        assert plan
        return recovery, plan, Forecast(recovery.deadline - timedelta(seconds=slack_s), recovery.deadline)
