"""Scenarios: a world's parameters and a timeline of control calls, written in TOML."""

import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from spottui.sim import control
from spottui.sim.control_request import Given
from spottui.sim.errors import ControlError
from spottui.sim.model import Instance
from spottui.sim.schedule import happening
from spottui.sim.world import World

_OPTIONS = ("instances", "regions", "seed", "speed", "bare", "behind_s")
_CONSOLE = ("auto", "after_s", "kill_when", "within_s")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the timeline: `at_s` simulated seconds after the start, a control call and its input."""

    at_s: float
    what: str
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named scenario. `options` are defaults for the size and speed of the world, `policy` is the console's.

    `behind_s` among the options starts the cloud's clock so far in the past: deadlines pass sooner.
    """

    name: str
    why: str
    options: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)
    timeline: tuple[Entry, ...] = ()
    console: dict[str, Any] = field(default_factory=dict)
    """How a console is run against it: `auto`, `after_s`, `kill_when`, `within_s`; read by `tests/scenarios.py`."""
    expect: dict[str, Any] = field(default_factory=dict)
    """What it must end with then."""
    fleet: dict[str, Any] = field(default_factory=dict)
    """A declared world (`spottui.sim.declared`) that it is played in; empty for the mixed fleet."""
    drains: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Drains of the console's configuration, by the name that `policy` may give."""


def names() -> list[str]:
    """The scenarios that come with the package."""
    files = resources.files(f"{__package__}.scenarios").iterdir()
    return sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))


def load(name: str) -> Scenario:
    """A scenario of the package, or of a file whose name ends with `.toml`.

    Raises:
        ControlError: no such scenario, or an entry of it is wrong.
    """
    if name.endswith(".toml"):
        return _of_file(Path(name))
    if name not in names():
        raise ControlError("scenario", f"{name!r} is not known", [*names(), "the path of a .toml file"])
    text = resources.files(f"{__package__}.scenarios").joinpath(f"{name}.toml").read_text("utf-8")
    return parse(name, text)


def _of_file(path: Path) -> Scenario:
    try:
        text = path.read_text("utf-8")
    except OSError as problem:
        raise ControlError("scenario", f"{path}: {problem.strerror}", "a scenario's TOML file") from None
    return parse(path.stem, text)


def parse(name: str, text: str) -> Scenario:
    """A scenario from its TOML text.

    Raises:
        ControlError: an entry of it is wrong.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ControlError("scenario", f"{name} is no TOML: {problem}", "a scenario's TOML file") from None
    timeline = tuple(_entry(entry) for entry in table.pop("at", []))
    scenario = Scenario(
        name, table.pop("why", ""), settings=table.pop("world", {}), policy=table.pop("policy", {}),
        console=table.pop("console", {}), expect=table.pop("expect", {}),
        drains=table.pop("drain", {}), fleet=table.pop("fleet", {}),
        options=table, timeline=timeline,
    )  # fmt: skip
    _check_keys(scenario.options, _OPTIONS)
    _check_keys(scenario.console, _CONSOLE)
    return scenario


def prepare(world: World, scenario: Scenario) -> None:
    """Apply the scenario's settings for the time until `begin`."""
    if scenario.settings:
        control.change_settings(world, Given(scenario.settings), world.clock.now())


def begin(world: World, scenario: Scenario) -> None:
    """Plan the scenario's timeline from now.

    Raises:
        ControlError: it names an instance that is not in this world.
    """
    now = world.settle()
    for entry in scenario.timeline:
        _plan(world, entry, now + entry.at_s)


@happening
def act(world: World, at: float, what: str, args: dict[str, Any]) -> None:
    """Carry out one entry of the timeline."""
    given = dict(args)
    if "newest" in given:
        given["instance_ids"] = [_newest(world, name).id for name in given.pop("newest")]
    if "instance_ids" in given and given.get("lock", True):
        # Somebody may have released one of them before its turn came.
        given["instance_ids"] = [i for i in given["instance_ids"] if i in world.instances]
    if given.get("instance_ids") != []:
        control.CALLS[what](world, Given(given), at)


def _check_keys(table: dict[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise ControlError(unknown[0], "is not a key of a scenario", list(known))


def _entry(entry: dict[str, Any]) -> Entry:
    args = dict(entry)
    if "first_spot" in args:
        args["instances"] = list(range(args.pop("first_spot")))
    at_s, what = args.pop("at_s", None), args.pop("what", None)
    if not isinstance(at_s, int | float):
        raise ControlError("at_s", "is missing or no number", "seconds after the start")
    if what not in control.CALLS:
        raise ControlError("what", f"{what!r} is not known", list(control.CALLS))
    return Entry(float(at_s), what, args)


def _plan(world: World, entry: Entry, at: float) -> None:
    world.schedule.plan(at, act, entry.what, _resolved(world, entry))


def _resolved(world: World, entry: Entry) -> dict[str, Any]:
    """The input with instances named in the scenario replaced by what the control call takes."""
    args = dict(entry.args)
    if entry.what == "interrupt" and "instances" in args:
        whom = args.pop("instances")
        # A replacement has the name of the old one, and is there only when its turn comes.
        if args.pop("replacements", False):
            args["newest"] = [_named(world, who).name for who in whom]
        else:
            args["instance_ids"] = [who if _is_stranger(args, who) else _named(world, who).id for who in whom]
    if entry.what in ("stock", "demand", "price") and "instance" in args:
        like = _named(world, args.pop("instance"))
        args |= {"instance_type": like.type, "zone": like.zone}
    if entry.what in ("gone", "instance", "image"):
        args["instance_id"] = _named(world, args.pop("instance")).id
    if entry.what == "faults" and "instance" in args:
        args["match"] = {**args.get("match", {}), "InstanceId": _named(world, args.pop("instance")).id}
    return args


def _is_stranger(args: dict[str, Any], who: str | int) -> bool:
    """Whether an event without a lock is about an id that nobody here has."""
    return not args.get("lock", True) and isinstance(who, str) and who.startswith("i-")


def _newest(world: World, name: str) -> Instance:
    """The youngest instance of that name: a replacement, once there is one."""
    instances = [row for row in world.instances.values() if row.name == name]
    if not instances:
        raise ControlError("newest", f"{name!r} is not in this world any more")
    return instances[-1]


def _named(world: World, who: str | int) -> Instance:
    """An instance by name or id, or the n-th spot instance, counted from 0."""
    spot = [row for row in world.instances.values() if row.is_spot]
    if isinstance(who, int) and who < len(spot):
        return spot[who]
    instances = [row for row in world.instances.values() if who in (row.name, row.id)]
    if not instances:
        raise ControlError("instances", f"{who!r} is not in this world", [row.name for row in spot])
    return instances[0]
