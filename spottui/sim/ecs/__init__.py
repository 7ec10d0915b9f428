"""The ECS API (version 2014-05-26); importing this package registers its actions."""

from spottui.sim.ecs import (
    advice,
    commands,
    disk_actions,
    disks,
    eips,
    images,
    instances,
    launch,
    lifecycle,
    network,
    resources,
    snapshots,
    tagging,
)

__all__ = [
    "advice", "commands", "disk_actions", "disks", "eips", "images", "instances", "launch", "lifecycle",
    "network", "resources", "snapshots", "tagging",
]  # fmt: skip
