"""The notice of a reclaim as it is for the instance itself: when it is over."""

from datetime import datetime

import msgspec


class Notice(msgspec.Struct, frozen=True):
    """This instance is taken back at `deadline`, UTC; not so after a drill, which has no time of its own.

    `is_confirmed` is whether the metadata said so, or agreed.
    """

    deadline: datetime
    is_drill: bool = False
    is_confirmed: bool = True
