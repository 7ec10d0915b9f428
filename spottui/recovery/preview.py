"""The plan that a recovery would have now, for a person who asks."""

import asyncio
import threading

from msgspec.structs import replace

from spottui.cloud.errors import CloudError
from spottui.domain.instance import InstanceStatus
from spottui.domain.plan import Plan
from spottui.domain.refusal import Refused
from spottui.domain.routes import Route
from spottui.recovery.context import Shared
from spottui.recovery.lineage import back_to_spot, tired_pools
from spottui.recovery.planner import capture, make_plan

PATIENCE_S = 5.0
"""A person sees the plan after this time with what is known by then."""


class Previews:
    """Plans as they were shown, until one of them runs: prices and stock may change, a shown plan does not.

    Thread-safe; called where no event loop runs.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._lock = threading.Lock()
        self._shown: dict[tuple[str, str], Plan] = {}

    def show(self, region: str, instance_id: str, *, to_spot: bool = False) -> Plan:
        """Return the plan that a recovery of an instance would have if it began now; raises `Refused`.

        With `to_spot` it is that of an on-demand replacement which goes back to spot.
        """
        plan = self._plan_now(region, instance_id, to_spot=to_spot)
        surveyed = asyncio.run(self._shared.surveys.survey(plan, PATIENCE_S))
        surveyed = replace(surveyed, first_digest=plan.digest)
        with self._lock:
            self._shown[region, instance_id] = surveyed
        return surveyed

    def shown(self, region: str, instance_id: str) -> Plan:
        """Return the plan that was shown last; raises `Refused` when the instance has changed since."""
        with self._lock:
            plan = self._shown.get((region, instance_id))
        to_spot = plan is not None and plan.spec.back_to_spot is not None
        if plan is None or self._plan_now(region, instance_id, to_spot=to_spot).digest != plan.first_digest:
            raise Refused(f"{instance_id} has changed since its plan was shown. Open it again.")
        return plan

    def _plan_now(self, region: str, instance_id: str, *, to_spot: bool) -> Plan:
        shared = self._shared
        ecs = shared.regions.get(region)
        if ecs is None:
            raise Refused(f"{region} is not a configured region.")
        try:
            spec = capture(ecs, shared.journal, shared.clock, instance_id)
        except CloudError as error:
            raise Refused(f"{instance_id}: no plan can be made: {error.line}. Fix the cause, then try again.") from None
        if spec is None:
            raise Refused(f"{instance_id} is not listed in {region}.")
        if to_spot:
            spec = back_to_spot(shared.journal, spec)
        tolerance = shared.settings.policy.tolerance
        tired = tired_pools(shared.journal, spec, tolerance, shared.clock.now()) if tolerance else ()
        plan = make_plan(spec, shared.settings, tired)
        if spec.instance.status is not InstanceStatus.RUNNING or spec.instance.recycling:
            return plan
        # The instance is not being stopped: a recovery now means a second machine, and the old one keeps its address.
        routes = plan.routes if plan.route.traits.launches else (Route.IMAGE,)
        return replace(plan, routes=routes, keeps_private_ip=False)
