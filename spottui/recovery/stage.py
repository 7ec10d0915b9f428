"""How the workflow runs a step: once, and after a restart only what it came to is used again."""

from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from spottui.recovery.work import Work

P = ParamSpec("P")
T = TypeVar("T")


class Stage(Protocol):
    """Runs a step and keeps its result durably; the result is JSON of the step's return type."""

    async def __call__(
        self, step: Callable[Concatenate[Work, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return the step's result, now or from before."""
        ...
