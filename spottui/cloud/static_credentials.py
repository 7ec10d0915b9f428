"""Credentials that a platform hands over with each call, instead of the SDK's chain."""

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.sdk import CredentialModel


class GivenCredentials(CredentialSource):
    """One temporary key; good for as long as the call that brought it."""

    def __init__(self, access_key_id: str, access_key_secret: str, security_token: str) -> None:
        super().__init__(None)
        self._model = CredentialModel(
            access_key_id=access_key_id, access_key_secret=access_key_secret, security_token=security_token
        )

    def get_credential(self) -> CredentialModel:
        """Return the key."""
        return self._model
