"""What every fact of the log is."""

from msgspec import Struct


class FactBase(Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """The base of the tagged union; a fact without a value in a field takes no room for it."""
