"""`spottui sim`: the simulated Alibaba Cloud on this machine."""

from pathlib import Path

import click


@click.command()
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="0 chooses a free one.")
@click.option("--instances", type=click.IntRange(0, 20_000), help="Over all regions.  [default: 24]")
@click.option("--regions", help="Comma-separated.  [default: cn-hangzhou]")
@click.option("--seed", type=int, help="The same seed gives the same world.  [default: 7]")
@click.option("--speed", type=click.FloatRange(0, 600), help="Simulated seconds per second.  [default: 1]")
@click.option("--bare", is_flag=True, default=None, help="No queue and no event rule yet, for trying `setup`.")
@click.option("--tls", is_flag=True, help="HTTPS, with an authority made for this run.")
@click.option("--scenario", default="quiet", help="What happens; see --list-scenarios.")
@click.option("--list-scenarios", is_flag=True, help="Name the scenarios and end.")
@click.option("--write-config", type=click.Path(dir_okay=False, path_type=Path), help="For `--config`.")
def sim(
    port: int,
    instances: int | None,
    regions: str | None,
    seed: int | None,
    speed: float | None,
    bare: bool | None,
    tls: bool,
    scenario: str,
    list_scenarios: bool,
    write_config: Path | None,
) -> None:
    """Serve a simulated Alibaba Cloud on loopback.

    ECS, MNS, CloudMonitor and instance metadata on one port. Prints one JSON line when ready.
    """
    from spottui.sim.main import show_scenarios, start
    from spottui.sim.serve import Options

    if list_scenarios:
        show_scenarios()
        return
    chosen = tuple(part.strip() for part in regions.split(",") if part.strip()) if regions else None
    start(Options(port, instances, chosen, seed, speed, bare, scenario, tls, write_config))
