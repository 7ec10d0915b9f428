"""What a person can say about one recovery: a struct for each command, which a desk carries out or refuses."""

from msgspec import Struct

from spottui.domain.routes import Route


class Confirm(Struct, frozen=True):
    """Yes to exactly the plan that had this digest when it was read, with `route`, if given, put first in it.

    Yes and route are committed as one: who only looks at another route has changed nothing.
    """

    digest: str
    route: Route | None = None


class Retry(Struct, frozen=True):
    """Another run of a failed, cancelled or skipped recovery, with the plan of this digest.

    With `route`, if given, put first in it, else the one of `retrying.retried_route`. What was created is reused, what
    failed is repeated; one that never had a plan waits for a confirmation again.
    """

    digest: str
    route: Route | None = None


class Veto(Struct, frozen=True):
    """No to a recovery that nobody has confirmed yet."""


class Hold(Struct, frozen=True):
    """Auto-mode leaves the recovery alone; a person may still confirm it."""


class Cancel(Struct, frozen=True):
    """A running recovery ends at its next safe point.

    Refused once a replacement was launched, and for a recovery that has ended.
    """


Command = Confirm | Retry | Veto | Hold | Cancel
