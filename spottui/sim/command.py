"""`spottui sim`, or `python -m spottui.sim`: the simulated Alibaba Cloud on this machine, as a command."""

from datetime import UTC, datetime
from pathlib import Path

import click
from click.shell_completion import CompletionItem

_EXAMPLES = """\b
Examples:
  spottui sim --port 8080 --instances 100
  spottui sim --scenario no-stock-anywhere --write-config c.toml
  spottui --headless --auto --config c.toml
  spottui sim --world fleet.toml --scenario night.toml   (docs/simulator.md)
\b
A client needs from the ready line `endpoint` or `url` and the key:
  Config(endpoint='127.0.0.1:8080', protocol='HTTP', region_id=...)    ECS
  Account('http://127.0.0.1:8080', access_key_id, access_key_secret)   MNS
\b
Control, loopback only, JSON; an error names the wrong field:
  GET  /_sim/state       everything that exists
  GET  /_sim/calls?action=A   every request received and what it did
  POST /_sim/interrupt   {"instance_ids": ["i-..."], "notice_s": 300,
                          "copies": 2, "format": "drill"}
  POST /_sim/faults      [{"action": "RunInstances", "kind": "drop_reply"}]
  POST /_sim/stock       {"zone": "cn-hangzhou-h", "stock": 0}; price, demand
  POST /_sim/send        {"body": "..."} or {"poison": "all"}
  POST /_sim/world       {"image_base_s": 3, "limits": {"*": 100}}
                         --assumptions lists more switches
  POST /_sim/sts, rule   a temporary key; an event rule
  POST /_sim/gone, instance   parts of a launch spec deleted; other details
  GET  /_sim/coverage    calls by action, and what is not modelled
  POST /_sim/clock       {"speed": 60} or {"advance_s": 300}
  GET  /_sim/world/save, POST load   the whole world as JSON
  POST /_sim/reset       a fresh world
"""


def _scenarios(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    from spottui.sim.scenario import names

    return [CompletionItem(name) for name in names() if name.startswith(begun)]


@click.command(epilog=_EXAMPLES)
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port to listen on; 0 picks a free one.")
@click.option(
    "--instances", type=click.IntRange(0, 100_000), help="Number of instances over all regions.  [default: 24]"
)
@click.option("--regions", help="Comma-separated.  [default: cn-hangzhou]")
@click.option("--seed", type=int, help="Same seed and start, same events.  [default: 7]")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]),
    metavar="UTC",
    help="Simulated time of the start, 2026-11-22T02:13:00Z.  [default: now]",
)
@click.option("--speed", type=click.FloatRange(0, 600), help="Simulated seconds per second.  [default: 1]")
@click.option("--bare", is_flag=True, default=None, help="Start without queue and event rule, to try `setup`.")
@click.option("--tls", is_flag=True, help="Serve HTTPS with a CA made for this run.")
@click.option(
    "--scenario", default="quiet", shell_complete=_scenarios, help="A name from --list-scenarios, or a .toml file."
)
@click.option(
    "--world",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A saved world to resume, or a declared one (TOML).",
)
@click.option(
    "--account", "accounts", multiple=True, metavar="NAME",
    help="One more account with a fleet of its own, whose role the first one can assume; repeatable.",
)  # fmt: skip
@click.option("--list-scenarios", is_flag=True, help="List the scenarios and exit.")
@click.option("--assumptions", is_flag=True, help="List undocumented behaviour as switches, and exit.")
@click.option(
    "--write-config", type=click.Path(dir_okay=False, path_type=Path), help="Write a configuration for `--config`."
)
def sim(
    port: int,
    instances: int | None,
    regions: str | None,
    seed: int | None,
    start: datetime | None,
    speed: float | None,
    bare: bool | None,
    tls: bool,
    scenario: str,
    world: Path | None,
    accounts: tuple[str, ...],
    list_scenarios: bool,
    assumptions: bool,
    write_config: Path | None,
) -> None:
    """Serve a simulated Alibaba Cloud on loopback.

    ECS (spot instances, images, disks), VPC, MNS/SMQ queues and topics, CloudMonitor, STS and instance metadata on
    one port, for any official SDK in any language. Prints one JSON line when it is ready and serves until SIGINT or
    SIGTERM.
    """
    from spottui.sim import main
    from spottui.sim.serve import Options

    if list_scenarios:
        main.show_scenarios()
        return
    if assumptions:
        main.show_assumptions()
        return
    chosen = tuple(part.strip() for part in regions.split(",") if part.strip()) if regions else None
    start_at = start.replace(tzinfo=UTC).timestamp() if start else None
    main.start(
        Options(
            port,
            instances,
            chosen,
            seed,
            speed,
            bare,
            scenario,
            tls,
            write_config,
            start_at=start_at,
            world=world,
            accounts=accounts,
        )
    )
