"""The simulated Alibaba Cloud: ECS, MNS, CloudMonitor and metadata on one loopback port.

It knows nothing of the rest of spottui, so that it is an honest judge of it. `spottui.sim.testing.SimServer`
runs it in a thread, `spottui sim` as a program, `spottui.sim.serve.running` in an event loop.
"""
