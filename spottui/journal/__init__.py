"""The durable store: one log of facts, what is folded from it, and its single writer."""

from spottui.journal.journal import Journal

__all__ = ["Journal"]
