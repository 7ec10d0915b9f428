"""The ECS API (version 2014-05-26); importing this package registers its actions."""

from spottui.sim.ecs import (
    advice,
    commands,
    disk_actions,
    disks,
    eips,
    enis,
    history,
    images,
    instances,
    launch,
    launch_templates,
    lifecycle,
    network,
    pricing,
    resources,
    snapshot_groups,
    snapshots,
    tagging,
)

__all__ = [
    "advice", "commands", "disk_actions", "disks", "eips", "enis", "history", "images", "instances", "launch",
    "launch_templates", "lifecycle", "network", "pricing", "resources", "snapshot_groups", "snapshots", "tagging",
]  # fmt: skip
