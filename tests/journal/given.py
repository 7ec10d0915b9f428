"""Short ways to write into a journal, as the program writes: in one change each."""

from datetime import UTC, datetime, timedelta

from spottui.domain.facts import Decided, Fact, StateEntered
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Candidate, Plan
from spottui.domain.recovery import Decision, Recovery, RecoveryState
from spottui.domain.routes import Route
from spottui.journal import Journal
from spottui.journal.reclaims import Sighting, take_in
from spottui.journal.transaction import Transaction
from spottui.recovery.permission import set_plan_unless_known

REGION = "cn-hangzhou"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANN = "ann@bastion pts/1"


def nameless(_region: str, _instance_id: str) -> str:
    return ""


def sign(instance_id: str = "i-1", source: Evidence = Evidence.QUEUE, after_s: float = 0) -> Observation:
    return Observation(REGION, instance_id, source, NOON + timedelta(seconds=after_s))


def observe(journal: Journal, *observations: Observation, now: datetime = NOON) -> list[str]:
    """Take signs in, as one batch; return the ids of their recoveries."""
    seen, driver = Sighting(list(observations)), journal.consoles.own
    return [one.recovery_id for one in journal.run(lambda t: take_in(t, seen, nameless, driver, now))]


def record(journal: Journal, recovery_id: str, *facts: Fact, now: datetime = NOON) -> Recovery:
    """Write facts of a recovery, as one change."""

    def write(transaction: Transaction) -> Recovery:
        return [transaction.record(recovery_id, fact, now) for fact in facts][-1]

    return journal.run(write)


def enter(journal: Journal, recovery_id: str, state: RecoveryState, now: datetime = NOON) -> Recovery:
    return record(journal, recovery_id, StateEntered(state), now=now)


def confirm(journal: Journal, recovery_id: str, now: datetime = NOON) -> Recovery:
    return record(journal, recovery_id, Decided(Decision.CONFIRM, ANN), now=now)


def set_plan(journal: Journal, recovery_id: str, plan: Plan, now: datetime = NOON) -> None:
    def write(transaction: Transaction) -> None:
        known = transaction.recovery(recovery_id)
        assert known
        set_plan_unless_known(plan, plan.spec, 100.0, now, transaction, known)

    journal.run(write)


def known(journal: Journal, recovery_id: str) -> Recovery:
    found = journal.recoveries.get(recovery_id)
    assert found
    return found


def plan_of(
    *places: Candidate,
    instance_id: str = "i-1",
    tags: dict[str, str] | None = None,
    price: float | None = None,
    new_price: float | None = None,
) -> Plan:
    instance = Instance(
        REGION, instance_id, "web-1", "ecs.c7.large", f"{REGION}-h", InstanceStatus.RUNNING, "SpotAsPriceGo", True,
        tags=tuple((tags or {}).items()),
    )  # fmt: skip
    spec = LaunchSpec(instance, "vsw-h", ("sg-1",), ())
    home = Candidate(instance.instance_type, instance.zone, "vsw-h", "same", price_per_hour=new_price)
    return Plan((Route.IMAGE,), spec, places or (home,), "image", surveyed=True, price_per_hour=price)
