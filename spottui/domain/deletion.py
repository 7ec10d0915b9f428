"""The deletion of an on-demand instance after its way back to spot."""

import msgspec

from spottui.domain.instance import Disk, Instance
from spottui.domain.recovery import Recovery


class Deletion(msgspec.Struct, frozen=True, gc=False):
    """An on-demand instance that may be deleted, its `disks`, and the spot instance that serves in its place.

    `recovery` is the way back; writes after its `imaging_since` are on the on-demand instance only.
    """

    recovery: Recovery
    on_demand: Instance
    spot: Instance
    disks: tuple[Disk, ...]
