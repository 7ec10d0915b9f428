"""Deletes the on-demand instance after a way back to spot: only on a person's command.

Every condition is checked before it is offered, and again before the call.
"""

from collections.abc import Iterable
from functools import partial

from spottui.cloud import eips
from spottui.cloud.balancers import Balancers, Balancing
from spottui.cloud.errors import CloudError
from spottui.cloud.instance_deletion import ACTION, check_deletion, delete_instance
from spottui.domain.balancers import Backend, Product, Server
from spottui.domain.facts import CallAnswered, CallBegun, CallFailed, Fact
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.launch_spec import OUR_TAG, LaunchSpec
from spottui.domain.plan import Plan
from spottui.domain.probe import ProbeAddress
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.text import plain
from spottui.domain.way_back import Deletion
from spottui.journal.transaction import Transaction
from spottui.recovery import probes
from spottui.recovery.context import Shared, failure_of
from spottui.recovery.lineage import terms_before


def to_delete(shared: Shared, region: str, instance_id: str) -> Deletion:
    """Return the deletion of an on-demand instance after its way back; raises `Refused` with the objection.

    The journal must say that it went back to spot and is not being recovered, and the cloud that it is the on-demand
    replacement of that lineage, and that its spot instance runs, serves, and has its traffic and its EIP.
    """
    recovery, plan = _way_back(shared, region, instance_id)
    try:
        ecs = shared.regions[region]
        specs = ecs.launch_specs([instance_id, recovery.new_instance_id])
        for error in specs.refused.values():
            raise error
        if instance_id not in specs:
            raise Refused(f"{instance_id} is not listed in {region}: it is deleted already.")
        old, new = specs[instance_id], specs.get(recovery.new_instance_id)
        spot = _running_spot(recovery, new.instance if new else None)
        _refuse_unless_on_demand(shared, old.instance)
        _refuse_unless_it_serves(shared, plan, spot)
        if new:
            _refuse_while_traffic(shared.balancers[region], old, new)
        return Deletion(recovery, old.instance, spot, ecs.disks(instance_id))
    except CloudError as error:
        raise Refused(f"{instance_id} is not deleted: {error.line}. {error.advice}".strip()) from None


def delete_on_demand(shared: Shared, region: str, instance_id: str, who: str) -> None:
    """Delete an on-demand instance after its way back, by a yes of a person; raises `Refused`.

    The intent is in the journal before the call. After a crash the same again finds it deleted, or deletes it.
    """
    deletion, ecs = to_delete(shared, region, instance_id), shared.regions[region]
    try:
        check_deletion(ecs, instance_id)
    except CloudError as error:
        raise Refused(f"{instance_id} is not deleted: {error.line}. {error.advice}".strip()) from None
    shared.journal.run(partial(_begin, shared, deletion, who))
    try:
        request_id = delete_instance(ecs, instance_id)
    except CloudError as error:
        _record(shared, deletion, CallFailed(ACTION, failure_of(error), target=instance_id))
        unknown = "It is unknown whether it took effect: B again says." if error.kind.effect_unknown else error.advice
        raise Refused(f"{instance_id}: {error.line}. {unknown}".strip()) from None
    _record(shared, deletion, CallAnswered(ACTION, "", request_id, target=instance_id, detail=who))


def _way_back(shared: Shared, region: str, instance_id: str) -> tuple[Recovery, Plan]:
    journal = shared.journal
    recoveries = journal.recoveries.of_instance(region, instance_id)
    recovery = recoveries[-1] if recoveries else None
    plan = journal.recoveries.plan(recovery.recovery_id) if recovery else None
    if region not in shared.regions or recovery is None or plan is None or plan.spec.back_to_spot is None:
        raise Refused(f"{instance_id} has not gone back to spot: B, or recover --to-spot, plans that.")
    _refuse_unless_over(recovery, (*recoveries, *journal.recoveries.of_instance(region, recovery.new_instance_id)))
    return recovery, plan


def _refuse_unless_over(recovery: Recovery, of_both: Iterable[Recovery]) -> None:
    """The way back must be the newest recovery of both instances: a spot instance under reclaim still serves."""
    if recovery.state is not RecoveryState.RECOVERED or recovery.new_instance_id in ("", recovery.instance_id):
        raise Refused(f"{recovery.instance_id} is needed: its way back to spot is {recovery.state}.")
    if any(not other.state.is_final for other in of_both):
        raise Refused(f"{recovery.instance_id} is needed: {recovery.new_instance_id} is being recovered.")


def _running_spot(recovery: Recovery, new: Instance | None) -> Instance:
    if new is None:
        raise Refused(f"{recovery.instance_id} is needed: {recovery.new_instance_id} is not listed any more.")
    is_ours = dict(new.tags).get(OUR_TAG) == recovery.recovery_id
    if new.status is not InstanceStatus.RUNNING or new.recycling or not new.is_spot or not is_ours:
        what = "being reclaimed" if new.recycling else new.status if is_ours and new.is_spot else "another instance"
        raise Refused(f"{recovery.instance_id} is needed: {new.instance_id} is {what}.")
    return new


def _refuse_unless_on_demand(shared: Shared, old: Instance) -> None:
    if old.is_spot or terms_before(shared.journal, old) is None:
        raise Refused(f"{old.instance_id} is not the on-demand replacement that this journal knows: delete it by hand.")
    if old.eip_id:
        raise Refused(f"{old.instance_id} still has EIP {old.eip_id}: move it to the spot instance first.")


def _refuse_unless_it_serves(shared: Shared, plan: Plan, spot: Instance) -> None:
    """Try the plan's probe once more; a command has passed when the way back ended."""
    if plan.probe is None or plan.probe.settings.command:
        return
    address = spot.private_ip
    if plan.probe.settings.address is ProbeAddress.PUBLIC:
        eip = eips.eip(shared.regions[spot.region], spot.eip_id) if spot.eip_id else None
        address = eip.address if eip else spot.public_ip
    if missed := probes.missed(plan.probe.settings, address):
        said = plain(f"{missed.miss} {missed.what}").strip()
        raise Refused(f"{spot.instance_id} does not serve, probe {plan.probe.name}: {said}.")


def _refuse_while_traffic(balancers: Balancers, old: LaunchSpec, new: LaunchSpec) -> None:
    """Every load balancer must have weight 0 for the old instance, and report the new one healthy."""
    for product in Product:
        behind = balancers[product].backends([Server.of(old), Server.of(new)])
        for error in behind.refused.values():
            raise error
        olds, news = behind[old.instance.instance_id], behind[new.instance.instance_id]
        weighted = next((backend for backend in olds if backend.weight), None)
        if weighted:
            raise Refused(
                f"{old.instance.instance_id} has weight {weighted.weight} in {product} {weighted.group}: "
                "set it to 0 first, and delete the instance once its connections have ended."
            )
        for backend in olds:
            heirs = [heir for heir in news if (heir.group, heir.port) == (backend.group, backend.port) and heir.weight]
            if not any(_is_healthy(balancers[product], heir) for heir in heirs):
                raise Refused(
                    f"{new.instance.instance_id} gets no traffic from {product} {backend.group}, or is unhealthy there."
                )


def _is_healthy(balancing: Balancing, backend: Backend) -> bool:
    statuses = balancing.group(backend, with_health=True)
    return any(status.backend.key == backend.key and status.settled and status.healthy for status in statuses)


def _begin(shared: Shared, deletion: Deletion, who: str, transaction: Transaction) -> None:
    """Write the intent, unless a recovery of either instance was opened since the look."""
    recovery = deletion.recovery
    ids = [recovery.instance_id, recovery.new_instance_id]
    of_both = transaction.of_instances(recovery.region, ids).values()
    _refuse_unless_over(recovery, (other for recoveries in of_both for other in recoveries))
    begun = CallBegun(ACTION, target=recovery.instance_id, who=who)
    transaction.record(recovery.recovery_id, begun, shared.clock.now())


def _record(shared: Shared, deletion: Deletion, fact: Fact) -> None:
    now, recovery_id = shared.clock.now(), deletion.recovery.recovery_id

    def write(transaction: Transaction) -> None:
        transaction.record(recovery_id, fact, now)

    shared.journal.run(write)
