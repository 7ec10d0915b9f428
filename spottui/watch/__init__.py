"""The sources that observe, and the intake that makes one interruption out of what they see."""
