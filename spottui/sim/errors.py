"""How the simulated cloud says no."""

from collections.abc import Iterable


class ApiError(Exception):
    """A refusal by ECS or CloudMonitor: HTTP status, code and message as the API gives them.

    `remembered`: a request with the same ClientToken gets this very refusal again, even when
    the reason for it has gone (the rule for stock: help page "How to ensure idempotence").
    """

    def __init__(self, code: str, status: int, message: str, *, remembered: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status
        self.message = message
        self.remembered = remembered
        self.retry_after_ms: int | None = None
        """Milliseconds for the header `x-acs-retry-after`, or None for none."""


class MnsError(Exception):
    """A refusal by MNS: HTTP status, code and message as in its table of error codes."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status
        self.message = message


class ControlError(Exception):
    """Bad input on the control side: the field that is wrong and what is allowed there."""

    def __init__(self, field: str, message: str, allowed: object = None) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
        self.allowed = allowed


def missing(name: str) -> ApiError:
    """The refusal of a request without a mandatory parameter."""
    return ApiError(
        "MissingParameter", 400, f'The input parameter "{name}" that is mandatory for processing this '
        "request is not supplied."
    )  # fmt: skip


def not_found(kind: str, what: str) -> ApiError:
    """`Invalid<kind>.NotFound`, 404."""
    return ApiError(f"Invalid{kind}.NotFound", 404, f"The specified {kind} does not exist: {what}")


def invalid(name: str, why: str = "is not valid") -> ApiError:
    """`InvalidParameter`, 400."""
    return ApiError("InvalidParameter", 400, f"The specified parameter {name} {why}.")


def dry_run(status: int = 400) -> ApiError:
    """The success of a DryRun, which the API reports as an error."""
    return ApiError("DryRunOperation", status, "Request validation has been passed with DryRun flag set.")


def unmodelled(action: str, names: Iterable[str]) -> ApiError:
    """The refusal of what the real cloud has and this one has not, rather than a wrong answer."""
    return ApiError(
        "UnsupportedBySimulator", 400,
        f"The simulated cloud has no {action} by {', '.join(names)}. The real one has; leave it out here.",
    )  # fmt: skip
