"""Texts from values: no widget, no desk, no state."""
