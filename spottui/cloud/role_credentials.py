"""The temporary credentials of a RAM role in another account: STS AssumeRole, called with the program's own ones."""

import logging
import threading
from datetime import datetime, timedelta
from pathlib import Path

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.rpc import STS, Rpc, service_endpoint
from spottui.cloud.sdk import CredentialModel
from spottui.domain.clock import CloudClock
from spottui.domain.dates import date_from_outside
from spottui.domain.settings import AccountSettings, RegionSettings

log = logging.getLogger("spottui.cloud")

ACTION = "AssumeRole"
SESSION = "spottui"
"""The session name in the account's audit log."""
GOOD_FOR_S = 3600
"""Allowed for every role: `MaxSessionDuration` is 3600 to 43200 (RAM, CreateRole)."""
REFRESH_BEFORE = timedelta(minutes=15)
"""How long before their expiry credentials are renewed; after a refusal the old ones are used until they expire."""
ASK_AGAIN = timedelta(seconds=10)
"""Minimum pause before STS is asked again: after a refusal every call of every source would ask it."""


class RoleCredentials(CredentialSource):
    """The credentials of `account.role_arn`, renewed before they expire. Thread-safe.

    `own` are the credentials that may assume the role; `region` is where STS is asked. Raises `CloudError` of kind
    CREDENTIALS with Code and RequestId of STS, which names the account; one of another kind while STS is away.
    """

    def __init__(
        self,
        name: str,
        account: AccountSettings,
        own: CredentialSource,
        region: RegionSettings,
        ca_file: Path | None,
        clock: CloudClock,
    ) -> None:
        super().__init__(None)
        self._role = f"role {account.role_arn} of account {name}"
        self._query: dict[str, object] = {
            "RoleArn": account.role_arn, "RoleSessionName": SESSION, "DurationSeconds": GOOD_FOR_S,
            **({"ExternalId": account.external_id} if account.external_id else {}),
        }  # fmt: skip
        self._clock = clock
        self._sts = Rpc(STS, region.id, service_endpoint("sts", region.id, region.ecs_endpoint), own, ca_file, clock)
        self._renewing = threading.Lock()
        self._model: CredentialModel | None = None
        self._expires = clock.now()
        self._asked_at = self._expires - ASK_AGAIN
        self._refused: CloudError | None = None

    def get_credential(self) -> CredentialModel:
        """Return the current credentials, new ones if these end soon."""
        now = self._clock.now()
        # Callers during a renewal use the credentials that are still valid.
        if now >= self._expires - REFRESH_BEFORE and self._renewing.acquire(blocking=now >= self._expires):
            try:
                self._renew()
            finally:
                self._renewing.release()
        model, refused = self._model, self._refused
        if model and self._clock.now() < self._expires:
            return model
        raise refused or CloudError(ACTION, ErrorKind.CREDENTIALS, message=f"{self._role}: the cloud refuses its token")

    def refused(self) -> None:
        """Renew at the next call: the machine's clock may have stopped, or somebody has ended the session.

        A call in progress during a renewal says nothing about the new ones.
        """
        if not self._has_just_asked:
            self._expires = self._clock.now()

    def _renew(self) -> None:
        """Ask STS, unless another thread just did, or STS refused a moment ago."""
        if self._clock.now() < self._expires - REFRESH_BEFORE or self._has_just_asked:
            return
        try:
            self._model, self._expires = self._assumed()
            self._refused = None
        except CloudError as error:
            self._refused = self._explained(error)
            log.warning("%s", self._refused.line)
        self._asked_at = self._clock.now()

    @property
    def _has_just_asked(self) -> bool:
        """The clock may jump back once the cloud's time is known, which must not cause waiting."""
        return timedelta(0) <= self._clock.now() - self._asked_at < ASK_AGAIN

    def _assumed(self) -> tuple[CredentialModel, datetime]:
        given = self._sts.call(ACTION, self._query).get("Credentials")
        given = given if isinstance(given, dict) else {}
        expires = date_from_outside(given.get("Expiration"))
        key, secret, token = (
            str(given.get(part) or "") for part in ("AccessKeyId", "AccessKeySecret", "SecurityToken")
        )
        if expires is None or not (key and secret and token):
            raise CloudError(ACTION, ErrorKind.BROKEN, message="an answer without credentials")
        model = CredentialModel(
            access_key_id=key, access_key_secret=secret, security_token=token, provider_name=self._role
        )
        return model, expires

    def _explained(self, error: CloudError) -> CloudError:
        """Without credentials nothing is sent, so no effect is unknown; a definite refusal stops all of the account."""
        said = f"{self._role}: {error.message or error.kind.value}"
        if not error.kind.repeats:
            kind, said = ErrorKind.CREDENTIALS, f"{said}; {_TRUST}"
        else:
            kind = error.kind if error.kind is ErrorKind.THROTTLED else ErrorKind.BUSY
        return CloudError(ACTION, kind, error.code, said, error.request_id, error.retry_after_s)


_TRUST = (
    "the role's trust policy must name the identity of spottui, and that identity needs sts:AssumeRole "
    "(`spottui setup --policy accounts`)"
)
