"""Runs on the spot instance itself: a workload that is told in time, and goes on at the next boot."""
