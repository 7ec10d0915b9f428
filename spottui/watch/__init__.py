"""The sources that observe, and the intake that makes one interruption of their observations."""
