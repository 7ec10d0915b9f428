"""The notice of a reclaim as it is for the instance itself: when it is over."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """This instance is taken back at `deadline`, UTC; not so after a drill, which has no time of its own.

    `is_confirmed` is whether the metadata said so, or agreed.
    """

    deadline: datetime
    is_drill: bool = False
    is_confirmed: bool = True
