"""The settings: what the program watches and may do."""

from enum import StrEnum
from pathlib import Path

import msgspec

from spottui.domain.hook import HookSettings
from spottui.domain.probe import ProbeSettings
from spottui.domain.region_key import DEFAULT_ACCOUNT, RegionKey, region_key


class RegionSettings(msgspec.Struct, frozen=True, gc=False):
    """One region: its queue, where its services are and the vSwitch to launch into for each zone.

    An endpoint is a host (https is meant) or an `http://` or `https://` address. `mns_endpoint` has the account's id
    in it; `vswitches` is zone id to vSwitch id in order of preference. `vswitch_tag`, a key or `key=value`, finds the
    vSwitches of the instance's own VPC that have the tag, for the zones that `vswitches` leaves out. `account` is the
    NAME of the `[account.NAME]` whose region it is, empty for the program's own credentials.
    """

    id: str
    queue: str
    mns_endpoint: str
    ecs_endpoint: str = ""
    cms_endpoint: str = ""
    vswitches: dict[str, str] = msgspec.field(default_factory=dict)
    vswitch_tag: str = ""
    account: str = ""

    @property
    def key(self) -> RegionKey:
        """The name of this region of this account in all rooms."""
        return region_key(self.id, self.account)


class AccountSettings(msgspec.Struct, frozen=True, gc=False):
    """`[account.NAME]`: who acts in the regions that name it, and within which limits.

    It signs in with `profile`, one of the credentials file, or as the role `role_arn`, which the program's own
    credentials assume, with `external_id` where the role asks for one. The limits of auto-mode are those of the policy
    where they are None. `calls_per_second` is the rate of each API of a region in the long run, 0 for the usual one.
    """

    profile: str = ""
    role_arn: str = ""
    external_id: str = ""
    max_at_once: int | None = None
    max_per_hour: int | None = None
    max_added_cost_per_hour: float | None = None
    calls_per_second: float = 0.0


class Tolerance(msgspec.Struct, frozen=True, gc=False):
    """After so many `reclaims` of an instance and its predecessors `within` a duration, other pools are preferred."""

    reclaims: int
    within: str


class PrivateIp(StrEnum):
    """Which private IP a replacement has: the next free one of its vSwitch, or the old one, after the release."""

    NEW = "new"
    KEEP = "keep"


class Policy(msgspec.Struct, frozen=True, gc=False):
    """What auto-mode may do, where replacements may run, and how often the sources are asked; all times in seconds.

    `max_added_cost_per_hour` is what auto-mode's replacements of one hour may cost more than the old instances, per
    hour in the account's currency, 0 for no ceiling. `breaker_failures` in a row disarm auto-mode. An instance needs
    one of `allow_tags` (all may, when there are none) and none of `deny_tags`; an empty value matches any. `types`,
    `other_types` and `on_demand` say what else than the old type may be launched. `warm_image` lets auto-mode launch
    from an earlier image where a new one will not make it. `drain` names the `[drain.NAME]` that runs on every
    instance whose tag `spottui:drain` names no other, and `probe` the `[probe.NAME]` that its replacement must pass,
    for the tag `spottui:probe` in the same way. `private_ip` holds for instances without the tag `spottui:private-ip`;
    `keep` waits for the release, since the address is in use until then. `private_zone` names the zone of PrivateZone,
    by its name or id, in which A records that name the old private IP are pointed to the replacement's. Once
    `tolerance` is used up, the pools of an instance's reclaims come after all others and after on-demand. `keep_days`
    is the life written on the image and the kept disks of a recovered instance, `journal_keep_days` how long the
    journal has the facts of a recovery that is over. A stopped instance is started for `restart_patience_s` before an
    image of it is made.
    """

    veto_window_s: float = 20.0
    max_at_once: int = 3
    max_per_hour: int = 10
    stop_file: str = ""
    max_added_cost_per_hour: float = 0.0
    breaker_failures: int = 3
    allow_tags: dict[str, str] = msgspec.field(default_factory=dict)
    deny_tags: dict[str, str] = msgspec.field(default_factory=dict)
    types: tuple[str, ...] = ()
    other_types: bool = True
    on_demand: bool = False
    warm_image: bool = False
    drain: str = ""
    probe: str = ""
    private_ip: PrivateIp = PrivateIp.NEW
    private_zone: str = ""
    tolerance: Tolerance | None = None
    keep_days: float = 7.0
    journal_keep_days: float = 400.0
    restart_patience_s: float = 600.0
    lock_poll_s: float = 2.0
    sweep_s: float = 30.0
    long_poll_s: int = 10


class EarlyWarningSettings(msgspec.Struct, frozen=True, gc=False):
    """`[early_warning]`: when an instance is marked as likely to be reclaimed soon.

    `price_within_percent` is how near its price may come to its price limit, 0 to leave prices out. With `stock` the
    stock of its type in its zone counts. `rate_within` is a duration, empty to leave rates out: an interruption rate
    that is higher than it was within that time is rising.
    """

    price_within_percent: float = 10.0
    stock: bool = True
    rate_within: str = "24h"


class LaunchTemplate(msgspec.Struct, frozen=True, gc=False):
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
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    account: str = ""

    @property
    def region_key(self) -> RegionKey:
        """The region of the account that it launches into."""
        return region_key(self.region, self.account)


class DrainSettings(msgspec.Struct, frozen=True, gc=False):
    """`[drain.NAME]`: a shell command for Cloud Assistant, and how long it may take."""

    command: str
    timeout_s: float = 30.0


class ReadySettings(msgspec.Struct, frozen=True, gc=False):
    """One `[[ready]]`: which instances are kept ready in calm time, and how.

    An instance that has every tag of `match` is meant; an empty value matches any. `image_every` and `snapshots_every`
    are durations such as `6h` (`dates.seconds_of`): how often an image of the system disk and a snapshot group
    of the data disks are made; an empty `snapshots_every` makes no groups. The newest `keep` usable ones of each stay.
    `max_cost_per_month`, in the currency of `storage_price`, is what all instances of this table may cost, 0 for no
    limit. With `fresh_system` a launch waits until the deadline for an image of the system disk of the notice.
    """

    match: dict[str, str]
    image_every: str = "6h"
    keep: int = 2
    snapshots_every: str = ""
    max_cost_per_month: float = 0.0
    fresh_system: bool = False


class ConsoleSettings(msgspec.Struct, frozen=True, gc=False):
    """How the console behaves on this terminal."""

    bell: bool = True
    mouse: bool = True


class Settings(msgspec.Struct, frozen=True, gc=False):
    """One profile of the configuration; `journal` is the path of the SQLite file, or `postgresql://…`.

    `storage_price` is per GiB and month in the account's currency, for `snapshot` and for categories of disks. Of the
    `ready` tables the first that matches an instance holds for it.
    """

    profile: str
    regions: tuple[RegionSettings, ...]
    journal: str
    credentials_file: Path | None = None
    ca_file: Path | None = None
    policy: Policy = msgspec.field(default_factory=Policy)
    console: ConsoleSettings = msgspec.field(default_factory=ConsoleSettings)
    notify: tuple[str, ...] = ()
    templates: dict[str, LaunchTemplate] = msgspec.field(default_factory=dict)
    metrics_port: int = 0
    drain: dict[str, DrainSettings] = msgspec.field(default_factory=dict)
    probe: dict[str, ProbeSettings] = msgspec.field(default_factory=dict)
    hooks: tuple[HookSettings, ...] = ()
    storage_price: dict[str, float] = msgspec.field(default_factory=dict)
    ready: tuple[ReadySettings, ...] = ()
    early_warning: EarlyWarningSettings = msgspec.field(default_factory=EarlyWarningSettings)
    accounts: dict[str, AccountSettings] = msgspec.field(default_factory=dict)

    @property
    def account_names(self) -> tuple[str, ...]:
        """The accounts that have a region, in the order of their first one; empty for the default one."""
        return tuple(dict.fromkeys(region.account for region in self.regions))

    @property
    def shown_accounts(self) -> tuple[str, ...]:
        """The accounts as people read them, none where the configuration names none."""
        return tuple(name or DEFAULT_ACCOUNT for name in self.account_names) if self.accounts else ()

    @property
    def region_keys(self) -> tuple[RegionKey, ...]:
        """The keys of all regions, in the order of the file."""
        return tuple(region.key for region in self.regions)

    def policy_of(self, name: str) -> Policy:
        """Return the policy with the limits of auto-mode in an account, which has those of the policy otherwise."""
        account = self.accounts.get(name, AccountSettings())
        own = {limit: getattr(account, limit) for limit in LIMITS_OF_ACCOUNT}
        return msgspec.structs.replace(
            self.policy, **{limit: value for limit, value in own.items() if value is not None}
        )


LIMITS_OF_ACCOUNT = ("max_at_once", "max_per_hour", "max_added_cost_per_hour")
"""What an account may have of its own instead of the policy's."""
