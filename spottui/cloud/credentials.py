"""The account's credentials: the SDK's default chain, or a credentials file that the configuration names."""

import threading
import time
from pathlib import Path

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.sdk import CredentialModel, CredentialsClient, MnsCredentials, ProfileCredentialsProvider

LAST_GOOD_S = 900.0
"""Seconds for which the last good token is used when a refresh fails: the SDK refreshes about 15 min before expiry."""


class CredentialSource:
    """Gives the current credentials to both SDKs: `get_credential` for ECS, `get_credentials` for MNS.

    A file is read again when it changes, so that a mended secret needs no restart. When a refresh fails the last
    good credentials are used for 15 minutes. Thread-safe. Raises `CloudError` of kind CREDENTIALS.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._client: CredentialsClient | None = None
        self._stamp = 0
        self._last_good: tuple[float, CredentialModel] | None = None

    def get_credential(self) -> CredentialModel:
        """Return the SDK's credential model, as the ECS client asks for it before every request."""
        with self._lock:
            client = self._current_client()
        try:
            model = client.get_credential()
        except Exception as error:
            return self._last_good_or_raise(error)
        self._last_good = (time.monotonic(), model)
        return model

    def get_credentials(self) -> MnsCredentials:
        """Return the credentials in the shape of the MNS SDK, which breaks on a token of None."""
        model = self.get_credential()
        return MnsCredentials(model.access_key_id, model.access_key_secret, model.security_token or "")

    def _current_client(self) -> CredentialsClient:
        stamp = self._file_stamp()
        if self._client is None or stamp != self._stamp:
            provider = ProfileCredentialsProvider(profile_file=str(self._file)) if self._file else None
            self._client, self._stamp, self._last_good = CredentialsClient(provider=provider), stamp, None
        return self._client

    def _file_stamp(self) -> int:
        try:
            return self._file.stat().st_mtime_ns if self._file else 0
        except OSError as error:
            raise CloudError("credentials", ErrorKind.CREDENTIALS, message=f"{self._file}: {error.strerror}") from None

    def _last_good_or_raise(self, error: Exception) -> CredentialModel:
        if self._last_good and time.monotonic() - self._last_good[0] < LAST_GOOD_S:
            return self._last_good[1]
        where = self._file or "environment, ~/.aliyun/config.json, ~/.alibabacloud/credentials.ini, RAM role, OIDC"
        raise CloudError(
            "credentials", ErrorKind.CREDENTIALS, message=f"none found in {where} ({type(error).__name__})"
        ) from None
