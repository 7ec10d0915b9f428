"""What all facts of the log have in common."""

from msgspec import Struct


class FactBase(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="kind"):
    """The base of the tagged union; fields with their default value are not stored."""
