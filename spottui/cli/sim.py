"""`spottui sim`: the simulated Alibaba Cloud on this machine; the command is the simulated cloud's own."""

from spottui.sim.command import sim

__all__ = ["sim"]
