"""What the documentation leaves open, as switches: the outcome this cloud has by itself, and the other one.

Sections are of `docs/alibaba-facts.md`, where each is marked UNCONFIRMED (or its sources disagree).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assumption:
    """One open question; `switch` is a setting of `POST /_sim/world` and of a scenario's `[world]`."""

    switch: str
    assumed: object
    other: object
    section: str
    question: str


ASSUMPTIONS = (
    Assumption("end_token_absent", False, True, "1.1", "the last page has an empty NextToken, or none at all"),
    Assumption("locked_status", None, "Stopped", "2.1", "a locked instance keeps its status, or is Stopped"),
    Assumption("protect_while_locked", True, False, "2.3", "ModifyDiskAttribute works on a locked instance, or not"),
    Assumption(
        "snapshot_needs_disk", True, False, "2.3", "a snapshot still being made is lost with a reclaimed disk, or not"
    ),
    Assumption("eip_survives", True, False, "2.2", "an EIP is unbound at the release of its instance, or released too"),
    Assumption(
        "convert_while_locked", True, False, "15",
        "ConvertNatPublicIpToEip works on a locked instance, or not",
    ),
    Assumption(
        "dead_servers_stay", True, False, "14",
        "entries of ALB and NLB stay when their instance is released, or go",
    ),
    Assumption("snapshot_min_age_s", 0.0, 3600.0, "3.1", "a new disk can have a snapshot at once, or after an hour"),
    Assumption("image_quota", None, 100, "3.1", "how many custom images a region may have"),
    Assumption("image_id_list", True, False, "3.2", "DescribeImages takes several comma-separated image ids, or one"),
    Assumption("image_unlisted_s", 0.0, 3.0, "3.2", "a new image is listed at once, or after a moment"),
    Assumption("image_usable_s", None, 5.0, "3.2", "an image is Usable when it is Available, or long before"),
    Assumption("image_usable_after_s", 0.0, 10.0, "3.2", "an Available image is Usable at once, or after a moment"),
    Assumption(
        "stop_fails_snapshots", False, True, "2.3",
        "a reclaim's own stop lets unfinished snapshots go on, or fails them as StopInstance does",
    ),
    Assumption("kept_disk_s", 0.0, 5.0, "2.3", "a kept disk is Available at once, or after a moment"),
    Assumption("instance_unlisted_s", 0.0, 3.0, "4.2", "a new instance is listed at once, or after a moment"),
    Assumption("dry_run_status", 400, 403, "4.3", "the HTTP status of DryRunOperation"),
    Assumption(
        "image_not_ready_code", "OperationDenied.ImageNotValid", "InvalidImageId.NotFound", "4.3",
        "what RunInstances says to an image that is not usable yet",
    ),
    Assumption("token_life_s", None, 3600.0, "4.4", "ClientTokens are remembered for ever, or for some time"),
    Assumption("command_while_locked", True, False, "6.1", "RunCommand works on a locked instance, or not"),
    Assumption("date_tolerance_s", 900.0, 300.0, "7.1, 8.1", "how far the date of a request may be off"),
    Assumption("throttle_says_when", False, True, "7.4", "a throttled answer says in milliseconds when to come again"),
    Assumption("batch_send_status", 500, 201, "8.2", "the HTTP status of a BatchSendMessage of which some failed"),
    Assumption("queue_rest_s", 0.0, 60.0, "8.3", "how long after its deletion a queue is QueueDeletedRecently"),
    Assumption("spot_vcpus", None, 1000, "10", "how many vCPUs spot instances of a region may have together"),
    Assumption("qps_status", 429, 403, "8.3", "the HTTP status of QpsLimitExceeded"),
    Assumption(
        "dead_poll_takes", False, True, "docs/sdk-traps.md 4.2", "a message may go to a poll whose client has hung up"
    ),
    Assumption("stop_action", "stop", "delete", "9.1", "content.action of an event about an instance in Stop mode"),
)  # fmt: skip
