"""Start the simulated cloud on loopback and stop it again."""

import asyncio
import json
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiohttp import web

from spottui.sim import configfile, declared
from spottui.sim.clock import Clock
from spottui.sim.cloud import Cloud
from spottui.sim.doors import Doors
from spottui.sim.errors import ControlError
from spottui.sim.populate import Plan, build
from spottui.sim.saving import load as load_world
from spottui.sim.scenario import Scenario, begin, load, prepare
from spottui.sim.server import LONGEST_LINE, application
from spottui.sim.settings import Settings
from spottui.sim.world import World

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Options:
    """How to start; None leaves the choice to the scenario or the default."""

    port: int = 0
    instances: int | None = None
    regions: tuple[str, ...] | None = None
    seed: int | None = None
    speed: float | None = None
    bare: bool | None = None
    scenario: str = "quiet"
    tls: bool = False
    config: Path | None = None
    start_at: float | None = None
    """Simulated epoch seconds of the start; None: wall time."""
    hold: bool = False
    """The scenario's timeline begins with `POST /_sim/begin`, not at once."""
    world: Path | Mapping[str, Any] | None = None
    """A saved world to go on with, or a declared one: a file, TOML for a declaration, or its tables."""
    accounts: tuple[str, ...] = ()
    """More accounts, by their names in the configuration that is written; the first one may assume a role of each."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the running cloud is and how to get in."""

    url: str
    access_key_id: str
    access_key_secret: str
    account_id: str
    queue: str
    regions: tuple[str, ...]
    config: Path | None
    ca_file: Path | None
    accounts: Mapping[str, str]
    """The ids of more accounts by their names."""

    def as_json(self) -> dict[str, Any]:
        """The ready line of `spottui sim`."""
        return {
            "url": self.url, "endpoint": self.url.partition("://")[2],
            "ecs_endpoint": self.url, "mns_endpoint": self.url, "cms_endpoint": self.url,
            "metadata_url": f"{self.url}/latest/meta-data/", "access_key_id": self.access_key_id,
            "access_key_secret": self.access_key_secret, "account_id": self.account_id,
            "queue": self.queue, "regions": list(self.regions),
            "config": str(self.config) if self.config else None,
            **({"ca_file": str(self.ca_file)} if self.ca_file else {}),
            **({"accounts": dict(self.accounts)} if self.accounts else {}),
        }  # fmt: skip


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[Endpoint]:
    """The cloud, serving until the block ends.

    Raises:
        ControlError: the scenario is unknown or wrong.
        OSError: the port is taken.
    """
    scenario = load(options.scenario)
    options = replace(options, config=options.config and options.config.absolute())
    cloud = Cloud(lambda: _world(options, scenario))
    doors = Doors(cloud)
    runner = web.AppRunner(
        application(cloud, doors, lambda: begin(cloud.world, scenario)), access_log=None, handler_cancellation=True,
        shutdown_timeout=0.2,
        max_line_size=LONGEST_LINE, max_field_size=LONGEST_LINE,
    )  # fmt: skip
    await runner.setup()
    living = [asyncio.create_task(coroutine) for coroutine in (cloud.live(), doors.watch())]
    try:
        ca_file = _ca_file(options)
        context = _context(ca_file) if ca_file else None
        await doors.start(context)
        yield await _open(options, scenario, cloud.world, runner, ca_file, context)
    finally:
        for task in living:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await doors.stop()
        await runner.cleanup()


async def _open(
    options: Options, scenario: Scenario, world: World, runner: web.AppRunner, ca_file: Path | None,
    context: ssl.SSLContext | None,
) -> Endpoint:  # fmt: skip
    await web.TCPSite(runner, _HOST, options.port, ssl_context=context).start()
    url = f"{'https' if context else 'http'}://{_HOST}:{runner.addresses[0][1]}"
    key = next(iter(world.keys.items()))
    regions = tuple(world.regions.values())
    accounts = dict(zip(options.accounts, world.others.values(), strict=True))
    if options.config:
        configfile.write(options.config, url, regions, key, scenario.policy, ca_file, scenario.drains, accounts)
    return Endpoint(
        url, *key, world.account_id, regions[0].queue, tuple(world.regions), options.config, ca_file,
        {name: other.account_id for name, other in accounts.items()},
    )  # fmt: skip


def _context(ca_file: Path) -> ssl.SSLContext:
    # Most clouds are without TLS, and what makes certificates is a tenth of the memory.
    from spottui.sim import tls

    return tls.loopback_context(ca_file)


def _ca_file(options: Options) -> Path | None:
    if not options.tls:
        return None
    if options.config:
        return options.config.with_name(f"{options.config.stem}-ca.pem")
    return Path(tempfile.mkdtemp(prefix="spottui-sim-"), "ca.pem")


def _world(options: Options, scenario: Scenario) -> World:
    if isinstance(options.world, Path) and options.world.suffix != ".toml":
        return _load_world(options.world)
    return _make_world(options, scenario)


def _load_world(path: Path) -> World:
    try:
        saved = json.loads(path.read_text("utf-8-sig"))
    except ValueError:
        saved = None
    if not isinstance(saved, dict):
        raise ControlError("world", f"{path} is no JSON object", "the answer of GET /_sim/world/save")
    return load_world(saved)


def _make_world(options: Options, scenario: Scenario) -> World:
    def chosen(name: str, default: Any) -> Any:
        given = getattr(options, name)
        return scenario.options.get(name, default) if given is None else given

    start_at = options.start_at or time.time() - scenario.options.get("behind_s", 0)
    clock, seed = Clock(chosen("speed", 1.0), start_at), chosen("seed", 7)
    own = scenario.fleet if options.world is None else options.world
    if own and options.accounts:
        raise ControlError("accounts", "a declared or saved world is of one account", "a world of --instances")
    if own:
        world = declared.build(declared.read(own) if isinstance(own, Path) else own, clock, seed)
    else:
        regions = tuple(chosen("regions", ("cn-hangzhou",)))
        bare, more = chosen("bare", False), len(options.accounts)
        world = build(Plan(chosen("instances", 24), regions, seed, bare, more), clock, Settings())
    prepare(world, scenario)
    if not options.hold:
        begin(world, scenario)
    return world
