"""The durable store: one log of facts, what is folded from it, and the one hand that writes it."""

from spottui.journal.journal import Journal

__all__ = ["Journal"]
