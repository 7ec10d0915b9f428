"""How the official SDK is told where a service is and what a call is."""

from pathlib import Path

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.sdk import Config, Params

CONNECT_TIMEOUT_MS = 5_000
READ_TIMEOUT_MS = 10_000


def sdk_config(region: str, endpoint: str, credentials: CredentialSource, ca_file: Path | None) -> Config:
    """Make the SDK's configuration: `endpoint` is empty for the region's own, a host, or an address with a scheme."""
    scheme, _, host = endpoint.rpartition("://")
    return Config(
        credential=credentials,
        region_id=region,
        endpoint=host or None,
        protocol=(scheme or "https").upper(),
        ca=str(ca_file) if ca_file else None,
    )


def rpc_params(action: str, version: str) -> Params:
    """Return what the generic call needs to know of an RPC action of an API version."""
    return Params(
        action=action,
        version=version,
        protocol="HTTPS",
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )
