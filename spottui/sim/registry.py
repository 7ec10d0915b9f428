"""The registry of API actions: one function per action, found by service and name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spottui.sim.errors import dry_run
from spottui.sim.model import Region
from spottui.sim.params import Params
from spottui.sim.world import World

ECS, CLOUD_MONITOR, VPC, STS = "2014-05-26", "2019-01-01", "2016-04-28", "2015-04-01"
SLB, ALB, NLB, PVTZ = "2014-05-15", "2020-06-16", "2022-04-30", "2018-01-01"
"""API versions, which tell the services apart on the one port."""
PRODUCTS = {
    ECS: "ecs", CLOUD_MONITOR: "cms", VPC: "vpc", STS: "sts", SLB: "slb", ALB: "alb", NLB: "nlb", PVTZ: "pvtz",
}  # fmt: skip
"""The name of each service, as in RAM's actions."""

Body = dict[str, Any]
"""A response body, without its RequestId."""


@dataclass(slots=True)
class Call:
    """One call being carried out, of the API of this `version`.

    `blind`: the caller's permissions let it see only empty lists.
    `effect` is what the ledger will say the call did; None for one that changed nothing.
    """

    world: World
    params: Params
    now: float
    version: str
    blind: bool = False
    access_key_id: str = ""
    effect: str | None = None

    @property
    def product(self) -> str:
        """The service."""
        return PRODUCTS[self.version]

    @property
    def region_id(self) -> str:
        """The mandatory RegionId, checked."""
        return self.region.id

    @property
    def region(self) -> Region:
        """The region of the mandatory RegionId."""
        return self.world.region(self.params.required("RegionId"))

    @property
    def any_region(self) -> str:
        """The RegionId where it may be left out: the resource's id decides then."""
        return self.params.text("RegionId")

    def refuse_if_dry_run(self) -> None:
        """End here if the call was only a check, with the error that means it would have worked."""
        if self.params.flag("DryRun"):
            raise dry_run(self.world.settings.dry_run_status)

    def created(self, what: str) -> None:
        """Note what came into being."""
        self.effect = f"created {what}"

    def changed(self, what: str) -> None:
        """Note what is different now."""
        self.effect = f"changed {what}"

    def once(self, name: str, act: Callable[[], tuple[Body, str]], did: str = "created") -> Body:
        """Carry out `act` at most once per ClientToken; `act` gives the body and what it created, or `did`."""
        token = self.params.text("ClientToken")
        if not token:
            body, what = act()
            self.effect = f"{did} {what}"
            return body
        body, what, replayed = self.world.tokens.once(
            (name, self.any_region, token), self.params, act, self.now, self.world.settings
        )
        self.effect = f"{'replayed' if replayed else did} {what}"
        if replayed:
            self.params.accept(*self.params)
        return body


Action = Callable[[Call], Body]

_ACTIONS: dict[str, dict[str, Action]] = {version: {} for version in PRODUCTS}


_REFUSED: dict[tuple[str, str], tuple[str, ...]] = {}


def action(version: str = ECS, *, refuses: tuple[str, ...] = ()) -> Callable[[Action], Action]:
    """Register a function under its name in CamelCase: `describe_user_data` is DescribeUserData.

    `refuses` are documented parameters without which the answer would be another one, and which are not modelled.
    """

    def register(function: Action) -> Action:
        name = _api_name(function.__name__)
        _ACTIONS[version][name] = function
        _REFUSED[version, name] = refuses
        return function

    return register


def canonical(version: str, name: str) -> str:
    """The name of an action as it is documented, for one written in any case; an unknown one stays as it is."""
    known = _ACTIONS.get(version, {})
    return name if name in known else next((other for other in known if other.lower() == name.lower()), name)


def actions(version: str) -> list[str]:
    """All actions of a service, in alphabetical order."""
    return sorted(_ACTIONS[version])


def refused(version: str, name: str) -> tuple[str, ...]:
    """Parameters of an action that are refused rather than ignored."""
    return _REFUSED[version, name]


def find(version: str, name: str) -> Action | None:
    """The action, or None for one this cloud does not have."""
    return _ACTIONS[version].get(name)


def is_known_version(version: str) -> bool:
    """Whether a service has this API version."""
    return version in _ACTIONS


def _api_name(function_name: str) -> str:
    name = "".join(part.capitalize() for part in function_name.split("_"))
    return name.replace("Vswitches", "VSwitches").replace("Vserver", "VServer")
