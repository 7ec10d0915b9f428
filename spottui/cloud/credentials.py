"""The account's credentials: the SDK's default chain, a credentials file, or a key passed with a call."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from spottui.cloud.credentials_file import CredentialsProblem, Profile, check_key, read_profile
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.sdk import CredentialModel, CredentialsClient, MnsCredentials

LAST_GOOD_S = 900.0
"""Seconds for which the last good token is used when a refresh fails: the SDK refreshes about 15 min before expiry."""
LOOK_EVERY_S = 1.0
"""How often to look whether a credentials file has changed."""
_ID, _SECRET = "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
_FILE = "ALIBABA_CLOUD_CREDENTIALS_FILE"


class CredentialSource:
    """Gives the current credentials to both SDKs: `get_credential` for ECS, `get_credentials` for MNS.

    With a `name` they are those of that profile, in `file` or in the first of the SDK's own files that has it. A
    changed file is read again within a second, so that a corrected secret needs no restart. When a refresh fails the
    last good credentials are used for 15 minutes. Thread-safe. Raises `CloudError` of kind CREDENTIALS.
    """

    def __init__(self, file: Path | None, name: str = "") -> None:
        self._file = file if file or not name else _file_with(name)
        self._name = name
        self._lock = threading.Lock()
        self._current: tuple[CredentialsClient, Profile | None] | None = None
        self._stamp = 0
        self._look_at = 0.0
        self._last_good: tuple[float, CredentialModel] | None = None

    def get_credential(self) -> CredentialModel:
        """Return the SDK's credential model, as the ECS client asks for it before every request."""
        try:
            model = self._checked(self._asked())
        except CredentialsProblem as problem:
            return self._last_good_or_raise(problem)
        self._last_good = (time.monotonic(), model)
        return model

    def get_credentials(self) -> MnsCredentials:
        """Return the credentials in the shape of the MNS SDK, which breaks on a token of None."""
        model = self.get_credential()
        return MnsCredentials(model.access_key_id, model.access_key_secret, model.security_token or "")

    def refused(self) -> None:
        """Note that the cloud rejects the token: the file is looked at before the next call."""
        self._look_at = 0.0

    def _asked(self) -> CredentialModel:
        # Only a check takes the lock: in a storm every call would wait for the previous one's check.
        looks, current = time.monotonic() >= self._look_at, self._current
        if looks or current is None:
            with self._lock:
                current = self._looked()
        client, profile = current
        before = self._stamp_now() if looks else None
        try:
            model = client.get_credential()
        except Exception as error:
            if profile:
                raise profile.problem(error) from None
            return self._of_a_default_file()
        if before == self._stamp:
            # The SDK writes renewed tokens into the file: that does not count as a change.
            self._stamp = self._stamp_now()
        return model

    def _looked(self) -> tuple[CredentialsClient, Profile | None]:
        """Read the file if it has changed since the last look, which is not repeated within `LOOK_EVERY_S`."""
        if self._current and time.monotonic() < self._look_at:
            return self._current
        stamp = self._stamp_now()
        if self._current is None or stamp != self._stamp:
            profile = read_profile(self._file, self._name) if self._file else None
            client = CredentialsClient(provider=profile.provider if profile else None)
            self._current, self._stamp, self._last_good = (client, profile), stamp, None
        self._look_at = time.monotonic() + LOOK_EVERY_S
        return self._current

    def _stamp_now(self) -> int:
        try:
            return self._file.stat().st_mtime_ns if self._file else 0
        except OSError as error:
            raise CredentialsProblem(f"{self._file}: {error.strerror}") from None

    def _of_a_default_file(self) -> CredentialModel:
        """The SDK's chain gave nothing: read its files here, or report what is wrong with each."""
        problems = []
        for file in _default_files():
            try:
                profile = read_profile(file)
                client = CredentialsClient(provider=profile.provider)
                model = _signed_in(client, profile)
            except CredentialsProblem as problem:
                problems.append(str(problem))
                continue
            with self._lock:
                self._current = client, profile
            return model
        with self._lock:
            # A file corrected meanwhile is read by the next call.
            self._current = None
        raise CredentialsProblem("; ".join([*_half_an_environment(), *problems]) or _NOTHING)

    def _checked(self, model: CredentialModel) -> CredentialModel:
        profile = self._current[1] if self._current else None
        where = str(profile or (f"{_ID}, …_SECRET" if "env" in str(model.provider_name) else model.provider_name))
        check_key(model.access_key_id or "x", "the access key id", where)
        check_key(model.access_key_secret or "x", "the access key secret", where)
        check_key(model.security_token or "x", "the security token", where)
        return model

    def _last_good_or_raise(self, problem: CredentialsProblem) -> CredentialModel:
        if self._last_good and time.monotonic() - self._last_good[0] < LAST_GOOD_S:
            return self._last_good[1]
        raise CloudError("", ErrorKind.CREDENTIALS, message=str(problem)) from None


_NOTHING = (
    f"none found: no {_ID} in the environment, no ~/.aliyun/config.json, no ~/.alibabacloud/credentials.ini, no OIDC, "
    "no RAM role of an instance"
)


def _signed_in(client: CredentialsClient, profile: Profile) -> CredentialModel:
    try:
        return client.get_credential()
    except Exception as error:
        raise profile.problem(error) from None


def _default_files() -> Iterator[Path]:
    """The files that the SDK's chain looks at, as far as they are there."""
    home = Path(os.environ.get("HOME") or os.path.expanduser("~"))
    named = os.environ.get(_FILE)
    files = home / ".aliyun" / "config.json", Path(named) if named else home / ".alibabacloud" / "credentials.ini"
    yield from (file for file in files if os.path.lexists(file))


def _file_with(name: str) -> Path:
    """Return the first of the SDK's files that has a profile, else the file to name in the error."""
    files = list(_default_files()) or [Path("~/.aliyun/config.json").expanduser()]
    for file in files:
        with suppress(CredentialsProblem):
            return read_profile(file, name).file
    return files[0]


def _half_an_environment() -> list[str]:
    present = [name for name in (_ID, _SECRET) if os.environ.get(name)]
    missing = [name for name in (_ID, _SECRET) if name not in present]
    return [f"{present[0]} is set and {missing[0]} is not"] if len(present) == 1 else []


class GivenCredentials(CredentialSource):
    """One temporary key, valid for the call that brought it."""

    def __init__(self, access_key_id: str, access_key_secret: str, security_token: str) -> None:
        super().__init__(None)
        self._model = CredentialModel(
            access_key_id=access_key_id, access_key_secret=access_key_secret, security_token=security_token
        )

    def get_credential(self) -> CredentialModel:
        """Return the key."""
        return self._model
