"""The durable store: what was seen, what was decided, what was done."""

from spottui.journal.journal import Journal

__all__ = ["Journal"]
