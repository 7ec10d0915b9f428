"""The settings of a world, changed by a scenario, by options or by `POST /_sim/world`.

Switches for what the documentation leaves open are listed, with both outcomes, in `assumptions`.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Settings:
    """How the world behaves. Times in simulated seconds unless a name says wall."""

    image_base_s: float = 10.0
    """Time of an image before any GiB is copied."""
    image_s_per_gib: float = 0.4
    """Time per GiB of cloud disk in a first image."""
    image_incremental: float = 0.25
    """The share of `image_s_per_gib` for a disk that has a finished snapshot: the GiB that changed since."""
    disk_change_gib_per_h: float | None = None
    """How much of a disk changes in an hour, instead of a fixed share; None: `image_incremental` says it."""
    image_waiting_s: float = 0.0
    """Images are `Waiting`, queued, so long before they are `Creating`."""
    image_usable_s: float | None = None
    """Images become `Usable` so long after their start; None: when Available."""
    image_usable_after_s: float = 0.0
    """Images become `Usable` only so long after they are Available."""
    image_unlisted_s: float = 0.0
    """A new image is not listed for so long."""
    images_that_fail: int = 0
    """So many of the next images end as `CreateFailed` when they should be done."""
    image_quota: int | None = None
    """Custom images of a region; None: no limit."""
    instance_unlisted_s: float = 0.0
    """A launched instance is not listed for so long."""
    boot_s: float = 5.0
    """From RunInstances or StartInstance to Running."""
    stop_s: float = 1.0
    """How long an instance is Stopping that a client stops."""
    reclaim_stop_s: float = 0.0
    """How long an instance in Stop mode is Stopping at the end of a reclaim."""
    instant_access_s: float = 2.0
    """Snapshots of ESSD disks are `Available` so long after their start, whatever their upload still takes."""
    server_group_s: float = 1.0
    """How long a change of a server group of ALB or NLB takes; it takes no other one meanwhile."""
    clb_busy_s: float = 0.0
    """How long after a change a CLB refuses the next one."""
    service_s: float = 0.0
    """From Running until what listens on an instance is up."""
    tls_ports: list[int] = field(default_factory=list)
    """Ports of services and load balancers that speak TLS, in a cloud that is started with it."""
    service_of_new: str = "up"
    """How services of launched instances do: `up`, `down`, `failing` or `hanging`."""
    external_ids: dict[str, str] = field(default_factory=dict)
    """RAM role to the external id without which nobody may assume it."""
    eni_s: float = 0.0
    """How long a secondary interface is Attaching or Detaching."""
    eip_s: float = 0.0
    """How long an EIP is Associating or Unassociating."""
    kept_disk_s: float = 0.0
    """How long a disk that outlives its instance is Detaching before it is Available."""
    agent: str = "running"
    """The Cloud Assistant agent on instances: `running`, `missing`, or `late` by `agent_late_s` after each start."""
    agent_late_s: float = 60.0
    """How long after Running a late agent reports."""
    metadata_of: str = ""
    """The instance whose metadata is served to who names none."""
    role_key_s: float = 21_600.0
    """How long a temporary key of an instance's role is good."""
    ipv6: bool = False
    """vSwitches have IPv6 turned on."""
    uefi_types: list[str] = field(default_factory=list)
    """Instance types, with `*`, that do not boot images in BIOS mode."""
    disk_categories: dict[str, str] = field(default_factory=dict)
    """Zone or instance type, with `*`, to the disk categories it has, comma-separated; others are refused."""
    launches_that_fail: int = 0
    """So many of the next launched instances are removed again, as `SystemFailure.Delete`."""
    launch_fails_after_s: float = 1.0
    """When they are."""
    command_s: float = 1.0
    """How long a Cloud Assistant command runs, unless its own timeout is shorter."""
    command_exit_code: int = 0
    """What every command exits with."""
    limits: dict[str, int] = field(default_factory=dict)
    """Action to calls a minute in each region; `*` for every action that is not named."""
    throttle_says_when: bool = False
    """A throttled answer has `x-acs-retry-after`, in milliseconds."""
    throttle_code: str = "Throttling.User"
    """The code of a throttled answer; `Throttling` and `Throttling.Api` are documented too."""
    throttle_status: int = 400
    """Its HTTP status; 429 and 503 are seen too."""
    token_in_process_s: float = 0.0
    """A repeated ClientToken is `LastTokenProcessing` for so long after the first use."""
    interruption_rates: dict[str, str] = field(default_factory=dict)
    """Zone or instance type, with `*`, to the rate that DescribeSpotAdvice gives, as `5-10%`; others have their own."""
    price_swing: float = 0.0
    """Spot prices move hourly by up to this share of themselves; 0 holds them still."""
    market_check_s: float = 0.0
    """Every so often, instances whose price limit is below the price are reclaimed; 0: never."""
    queue_down: bool = False
    """MNS answers every request with 503."""
    queue_reorder: bool = False
    """Messages are received in any order."""
    skew_wall_s: float = 0.0
    """How far this cloud's idea of wall time is ahead, for signature dates."""
    permissions: dict[str, str] = field(default_factory=dict)
    """Action, or `Action@resource` with `*` in either, to `allow`, `empty` (a list, 200) or `forbidden` (403)."""

    gone: list[str] = field(default_factory=list)
    """Ids and names (security groups, key pairs, roles, resource groups, …) that were deleted by somebody."""

    locked_status: str | None = None
    """The status an instance takes with its Recycling lock; None: it keeps its own."""
    protect_while_locked: bool = True
    """ModifyDiskAttribute is accepted while the instance has a Recycling lock."""
    command_while_locked: bool = True
    """RunCommand is accepted while the instance has a Recycling lock."""
    stop_fails_snapshots: bool = False
    """The stop at the end of a reclaim fails the snapshots that are still being made, as StopInstance does."""
    snapshot_needs_disk: bool = True
    """A snapshot still being made is lost with its disk."""
    convert_while_locked: bool = True
    """ConvertNatPublicIpToEip is accepted while the instance has a Recycling lock."""
    dead_servers_stay: bool = True
    """Entries of ALB and NLB stay when their instance is released; those of CLB always go."""
    eip_survives: bool = True
    """An EIP is unbound, not released, when its instance is reclaimed."""
    snapshot_min_age_s: float = 0.0
    """A disk must be so old before it can have a snapshot."""
    image_not_ready_code: str = "OperationDenied.ImageNotValid"
    """What RunInstances says to an image that is not usable yet."""
    image_id_list: bool = True
    """DescribeImages takes several comma-separated image ids."""
    dry_run_status: int = 400
    """The HTTP status of `DryRunOperation`."""
    token_life_s: float | None = None
    """ClientTokens are forgotten after so long; None: never."""
    end_token_absent: bool = False
    """The last page has no NextToken at all, instead of an empty one."""
    stop_action: str = "stop"
    """`content.action` of a reclaim event about an instance in Stop mode."""
    dead_poll_takes: bool = False
    """A message may go to a long poll whose client has hung up, and hide for its visibility timeout."""
    qps_status: int = 429
    """The HTTP status of MNS's `QpsLimitExceeded`."""
    batch_send_status: int = 500
    """The HTTP status of a BatchSendMessage of which some failed."""
    queue_rest_s: float = 0.0
    """A queue that was deleted cannot be created again for so long."""
    spot_vcpus: int | None = None
    """How many vCPUs spot instances of a region may have together; None: no limit."""
    date_tolerance_s: float = 900.0
    """How far a request's date may be off."""
