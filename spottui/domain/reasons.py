"""Reasons and next steps of recoveries as values; `spottui.words` makes sentences of them."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from spottui.domain.probe import Missed
from spottui.domain.routes import Route


class Failure(Struct, frozen=True, omit_defaults=True):
    """A call that failed: the action, the cloud's Code, its redacted message and RequestId.

    `kind` is the value of a `cloud.errors.ErrorKind`; `effect_unknown` says that it may have taken effect.
    """

    action: str
    code: str = ""
    kind: str = ""
    message: str = ""
    request_id: str = ""
    effect_unknown: bool = False


class Why(StrEnum):
    """Every reason, with the fields of `Reason` that each uses."""

    NO_LOCK_YET = "no lock yet"
    NO_PLAN_YET = "no plan yet"  # failure, or resource: an instance that is not listed, detail: its region
    NO_LOCK_AUTO_STAYS_AWAY = "no lock, auto-mode stays away"
    REPLACED_ALREADY = "replaced already"  # resource: the replacement
    HELD = "held"  # detail: by whom
    VETO_WINDOW = "veto window"
    PLAN_READY = "plan ready"
    DENY_TAG = "deny tag"  # detail: the tag
    NO_ALLOW_TAG = "no allow tag"  # resources: the tags of which it needs one
    SCALING_GROUP = "scaling group"  # as an earlier version said it, which knew no other owners
    OWNED = "owned"  # detail: the owner's kind, resource: its id
    PLACES_REST = "places rest"  # count, detail: the first place, at: until when
    COST_NOT_KNOWN = "cost not known"
    COST_CEILING = "cost ceiling"  # amounts: what it would come to, the ceiling; detail: their currency
    AT_ONCE = "limit at once"  # amounts: the limit; count: how many are before it
    PER_HOUR = "limit an hour"  # amounts: the limit; count; at: when the next is free

    CANCELLED_EARLY = "cancelled before anything was launched"
    CANCELLED = "cancelled"  # resources: what is left behind, each as `kind id`
    VETOED = "vetoed"  # detail: by whom
    RELEASED_BEFORE_LOCK = "released before its lock was seen"  # at: the release, deadline
    NOTICE_TOO_LATE = "notice too late"  # deadline
    NO_LOCK_BY_DEADLINE = "no lock by the deadline"  # deadline
    NO_PLAN_BY_DEADLINE = "no plan by the deadline"  # deadline, causes
    NOBODY_CONFIRMED = "nobody confirmed"  # deadline, resources: the kept disks
    CALLED_OFF = "called off"  # resource, detail: its status where it runs on
    RUNS_AGAIN = "runs again"  # resource

    NO_IMAGE = "no image"  # failure, detail: the tag of what may exist all the same
    IMAGE_LOST = "image lost"  # resource, detail: its status, or nothing where it is not listed
    IMAGE_NOT_READY = "image not ready"  # resource, seconds
    NO_EARLIER_IMAGE = "no earlier image"
    NO_ROOM = "no room"  # resource: the image
    NOT_LAUNCHED = "not launched"  # failure, detail: the tag of what may exist all the same
    REMOVED_AGAIN = "removed again"  # resource, detail: how that is known
    NOT_SEEN_RUNNING = "not seen running"  # resource, seconds
    NOT_SERVED = "not served"  # resource, detail: the probe, resources: what it probed, seconds: its patience, missed
    STOPPED_RUNNING = "stopped running"  # resource, detail: its status, or nothing where it is not listed
    SYSTEM_DISK_NOT_KEPT = "system disk not kept"
    DISK_TAKEN = "disk taken"  # resource, detail: the instance that has it
    DISK_GONE = "disk gone"  # resource
    DISKS_NOT_FREE = "disks not free"  # seconds
    PUBLIC_IP_LOST = "public IP lost"  # resource: the address
    PRIVATE_IP_TAKEN = "private IP taken"  # resource: the address, failure
    PRIVATE_IP_IN_USE = "private IP in use"  # resource: the address, detail: the instance that still has it
    PRIVATE_IP_NO_ROOM = "no room where the private IP is"  # resource: the address, detail: its zone, failure
    NO_SNAPSHOT = "no snapshot"  # resource: the disk, failure, detail: the tag of what may exist all the same
    SNAPSHOT_FAILED = "snapshot failed"  # resource
    SNAPSHOT_NOT_READY = "snapshot not ready"  # resource, seconds
    NOT_ATTACHED = "not attached"  # resource: the replacement, causes
    DISK_NOT_ATTACHED = "disk not attached"  # resource, failure, or nothing where it is not listed
    NOT_STOPPED = "not stopped"  # resource, seconds
    NOT_STARTED = "not started"  # failure
    NO_STOCK_TO_START = "no stock to start"  # resource
    ROUTES = "routes"  # causes with their routes: why each was left
    THEN = "one then the other"  # causes
    RUNS = "runs"  # resource, detail: its zone, seconds, at: the data's, causes: what was not moved
    RUNS_WITHOUT = "runs without"  # resource: the part of the launch that was left out, failure
    EIP_GONE = "EIP gone"  # resource
    EIP_TAKEN = "EIP taken"  # resource, detail: the instance that has it
    EIP_NOT_MOVED = "EIP not moved"  # resource, failure, or detail: the instance on which it was not seen
    INTERFACE_ELSEWHERE = "interface of another zone"  # resource, detail: its zone
    INTERFACE_TAKEN = "interface taken"  # resource, detail: the instance that has it
    INTERFACE_GONE = "interface gone"  # resource
    INTERFACE_NOT_MOVED = "interface not moved"  # resource, failure
    INTERFACE_LEFT = "interface outlives the instance"  # resource, failure
    EIP_LEFT = "EIP made of the public IP left"  # resource, detail: the address
    SECONDARY_IPS_LOST = "secondary private IPs lost"  # resources: the addresses, failure
    RECORDS_MOVED = "DNS records moved"  # resource: the zone, detail: the new address, resources: names, seconds: TTL
    RECORDS_UNSURE = "DNS records of either"  # resource: who has the old address, detail: the address, resources: names
    RECORDS_NOT_MOVED = "DNS records not moved"  # resource: the zone, detail: the old address, resources, failure
    BACKEND_NOT_ADDED = "not added to a load balancer"  # resource: the group, detail: the product, failure
    BACKEND_NOT_HEALTHY = "not healthy behind a load balancer"  # resource, detail, seconds or failure
    BACKEND_LEFT = "old entry of a load balancer left"  # resource, detail, failure
    WEIGHT_LEFT = "weight 0 left"  # resource, detail, count: the weight that it had, failure
    BALANCERS_UNKNOWN = "load balancers not looked up"  # detail: the product, failure
    EARLIER_VERSION = "as an earlier version said it"  # detail: its sentence


class Reason(Struct, frozen=True, omit_defaults=True):
    """A reason with its fields; all times aware UTC."""

    why: Why
    resource: str = ""
    detail: str = ""
    at: datetime | None = None
    deadline: datetime | None = None
    seconds: float | None = None
    count: int | None = None
    amounts: tuple[float, ...] = ()
    resources: tuple[str, ...] = ()
    failure: Failure | None = None
    causes: tuple["Reason", ...] = ()
    route: Route | None = None
    missed: Missed | None = None


class Doing(StrEnum):
    """What a recovery does next, with the fields of `NextStep` that each uses."""

    PLANNED = "planned"  # route, instance_type, zone, then_zone
    IMAGE = "image of all cloud disks"
    SNAPSHOT = "snapshot of the kept disks"
    SNAPSHOT_DATA_DISKS = "snapshot of the data disks"  # count
    IMAGE_OF_KEPT_DISKS = "image of the kept disks"
    IMAGE_OF_SYSTEM_DISK = "image of the system disk"
    IMAGE_OF_KEPT_SYSTEM_DISK = "image of the kept system disk"
    IMAGE_READY = "the image is ready"
    DRAIN = "drain"  # resource: its name, seconds
    AWAIT_RELEASE = "await the release"  # at, count: disks that are kept
    AWAIT_STOP = "await the stop"
    START = "start"
    START_AGAIN = "start again"  # resource: the code of the last refusal
    AWAIT_PRIVATE_IP = "await the private IP"  # resource: the address, at: the release
    LAUNCH = "launch"  # instance_type, zone, on_demand
    AWAIT_ROOM = "await room"  # count: places, seconds
    AWAIT_RUNNING = "await running"  # resource
    ATTACH = "attach the kept data disks"  # resource: to which
    MOVE_EIP = "move the EIP"  # resource, to
    MOVE_INTERFACE = "move a network interface"  # resource, to
    MOVE_RECORDS = "move the DNS records"  # resource: the zone, to: the new address, count
    SEE_AGAIN = "see again"  # resource
    AWAIT_HEALTHY = "await healthy"  # resource, count: entries of load balancers
    PROBE = "probe"  # resource: its name, to: what it probes, seconds: its patience
    EARLIER_VERSION = "as an earlier version said it"  # resource: its sentence


class NextStep(Struct, frozen=True, omit_defaults=True):
    """A next step with its fields."""

    doing: Doing
    resource: str = ""
    to: str = ""
    route: Route | None = None
    instance_type: str = ""
    zone: str = ""
    then_zone: str = ""
    on_demand: bool = False
    at: datetime | None = None
    seconds: float | None = None
    count: int | None = None
