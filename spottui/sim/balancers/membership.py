"""Entries of server groups that go with their instance."""

from spottui.sim.balancers.model import CLB
from spottui.sim.model import Instance
from spottui.sim.world import World


def leave(world: World, instance: Instance) -> None:
    """A released instance drops out of CLBs; whether out of ALB and NLB too is a switch."""
    for group in world.server_groups.values():
        if group.product == CLB or not world.settings.dead_servers_stay:
            group.servers = [one for one in group.servers if one.server_id != instance.id]
