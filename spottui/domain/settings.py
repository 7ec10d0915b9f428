"""What the program was configured to watch and allowed to do."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RegionSettings:
    """One region: its queue, where its services are and the vSwitch to launch into for each zone.

    An endpoint is a host (https is meant) or an `http://` or `https://` address. `mns_endpoint` has the account's id
    in it; `vswitches` is zone id to vSwitch id in order of preference.
    """

    id: str
    queue: str
    mns_endpoint: str
    ecs_endpoint: str = ""
    cms_endpoint: str = ""
    vswitches: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """What auto-mode may do, and how often the sources are asked; all times in seconds."""

    veto_window_s: float = 20.0
    max_at_once: int = 3
    max_per_hour: int = 10
    stop_file: str = ""
    lock_poll_s: float = 2.0
    sweep_s: float = 30.0
    long_poll_s: int = 10


@dataclass(frozen=True, slots=True)
class LaunchTemplate:
    """What `spottui launch NAME` launches. There is no password: a key pair, or the one that the image keeps.

    `spot_price_limit` is per hour, for the strategy `SpotWithPriceLimit`; `system_disk_gib` 0 takes the image's size.
    """

    region: str
    image_id: str
    instance_type: str
    vswitch_id: str
    security_group_ids: tuple[str, ...]
    key_pair: str = ""
    ram_role: str = ""
    name: str = ""
    spot_strategy: str = "SpotAsPriceGo"
    spot_price_limit: float = 0.0
    interruption_behavior: str = "Terminate"
    system_disk_category: str = ""
    system_disk_gib: int = 0
    internet_bandwidth_out: int = 0
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """How the console behaves on this terminal."""

    bell: bool = True
    mouse: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """One profile of the configuration; `journal` is the path of the SQLite file."""

    profile: str
    regions: tuple[RegionSettings, ...]
    journal: str
    credentials_file: Path | None = None
    ca_file: Path | None = None
    policy: Policy = field(default_factory=Policy)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    notify: tuple[str, ...] = ()
    templates: dict[str, LaunchTemplate] = field(default_factory=dict)
    metrics_port: int = 0
