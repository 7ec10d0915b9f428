"""Translates exceptions of the Tea SDKs to our taxonomy, keeping no text that could hold a secret."""

from spottui.cloud.codes import kind_of
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError, ErrorKind, meaning_of
from spottui.cloud.sdk import AlibabaCloudException, ThrottlingException


def translate(action: str, error: Exception, credentials: CredentialSource | None = None) -> CloudError:
    """Turn an exception of an ECS or CloudMonitor call into a `CloudError`; `credentials` learn of a refused token.

    Two families come out of the SDK (docs/sdk-traps.md 5): answered errors with Code, status and RequestId, and
    everything else as `UnretryableException`, of which only the cause's nature is kept, never its text.
    """
    if isinstance(error, CloudError):
        return error
    inner = getattr(error, "inner_exception", None)
    if isinstance(inner, CloudError):
        return CloudError(action, inner.kind, inner.code, inner.message, inner.request_id)
    if isinstance(error, AlibabaCloudException):
        if credentials and str(error.code or "").startswith("InvalidSecurityToken"):
            credentials.refused()
        return _answered(action, error)
    return _unanswered(action, inner or error)


def _answered(action: str, error: AlibabaCloudException) -> CloudError:
    code = str(error.code or "")
    message = _message(error)
    request_id = str(getattr(error, "request_id", "") or "")
    retry_after_ms = getattr(error, "retry_after", None) if isinstance(error, ThrottlingException) else None
    return CloudError(
        action,
        ErrorKind.THROTTLED if retry_after_ms else kind_of(code, error.status_code, action, message),
        code,
        message,
        "" if request_id == "None" else request_id,
        retry_after_ms / 1000 if retry_after_ms else None,
    )


def _message(error: AlibabaCloudException) -> str:
    """The service's own message without the SDK's `code: 400, … request id: …` around it."""
    text = str(error.message or "")
    if text.startswith("code:"):
        text = text.partition(", ")[2]
    return text.partition(" request id:")[0]


def _unanswered(action: str, cause: BaseException) -> CloudError:
    name = type(cause).__name__
    said = str(cause)
    if name in ("RuntimeError", "AttributeError", "UnicodeDecodeError", "JSONDecodeError"):
        return CloudError(action, ErrorKind.BROKEN, message="an answer that is no JSON; the HTTP status is lost")
    return CloudError(action, ErrorKind.UNREACHABLE, message=meaning_of(said) or name)
