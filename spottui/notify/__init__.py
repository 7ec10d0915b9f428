"""Tells people who do not look at the console."""
