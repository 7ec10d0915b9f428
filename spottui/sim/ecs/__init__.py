"""The ECS API (version 2014-05-26); importing this package registers its actions."""

from spottui.sim.ecs import disks, eips, images, instances, launch, network, resources, snapshots, tagging

__all__ = [
    "disks", "eips", "images", "instances", "launch", "network", "resources", "snapshots", "tagging"
]  # fmt: skip
