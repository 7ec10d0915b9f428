"""People's commands about recoveries as changes of the journal, each checked in the transaction that commits it."""

from collections.abc import Collection
from datetime import datetime

from spottui.domain.commands import Command, Subject
from spottui.domain.refusal import Refused
from spottui.journal.transaction import Transaction


def carry_out(
    transaction: Transaction,
    recovery_id: str,
    command: Command,
    who: str,
    console: str,
    regions: Collection[str],
    now: datetime,
) -> None:
    """Commit a person's command about a recovery; raises `Refused` if it is impossible now.

    `console` is where the command was given, and `regions` are those that it is configured for.
    """
    recovery = transaction.recovery(recovery_id)
    if recovery is None:
        raise Refused(f"The journal has no recovery {recovery_id} any more.")
    of_instance = transaction.of_instances(recovery.region, [recovery.instance_id]).get(recovery.instance_id, [])
    driver = console if recovery.region in regions else ""
    subject = Subject(recovery, transaction.plan(recovery_id), tuple(of_instance), driver)
    effects = command.effects(subject, who)
    if effects.plan:
        transaction.set_plan(recovery_id, effects.plan)
    for fact in effects.facts:
        transaction.record(recovery_id, fact, now)
