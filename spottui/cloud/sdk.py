"""The only module that imports the Alibaba SDKs, without the packages that they import and we never use.

They install stderr handlers that write over the screen, and `DEBUG=sdk` in the environment makes them print
signatures and tokens (docs/sdk-traps.md 5). Call `quiet_sdks` once, after the imports and before the first call.
"""

import logging
import os

from spottui.cloud.late_imports import imported_on_use
from spottui.cloud.sdk_models import import_models_on_use

import_models_on_use()

# The asynchronous half of the SDKs, RSA key pairs, web sockets, the scheduler of the RAM role's refresh, and the guess
# at the encoding of an answer that names none.
with imported_on_use(
    "aiofiles",
    "aiohttp",
    "alibabacloud_tea_openapi.websocket_utils",
    "apscheduler",
    "charset_normalizer",
    "cryptography",
    "darabonba.websocket",
    "websocket",
):
    from alibabacloud_credentials.client import Client as CredentialsClient
    from alibabacloud_credentials.models import CredentialModel
    from alibabacloud_credentials.provider import CLIProfileCredentialsProvider, ProfileCredentialsProvider
    from alibabacloud_credentials_api import ICredentialsProvider as CredentialsProvider
    from alibabacloud_ecs20140526 import models
    from alibabacloud_tea_openapi.client import Client as RpcClient
    from alibabacloud_tea_openapi.exceptions import AlibabaCloudException, ThrottlingException
    from alibabacloud_tea_openapi.utils import Utils as OpenApiUtils
    from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
    from darabonba.model import DaraModel
    from darabonba.runtime import RuntimeOptions
    from mns.account import Account as MnsAccount
    from mns.auth import Credentials as MnsCredentials
    from mns.mns_exception import MNSClientNetworkException, MNSExceptionBase, MNSServerException
    from mns.mns_http import ResponseInternal
    from mns.queue import Message as MnsMessage
    from mns.queue import QueueMeta

__all__ = [
    "AlibabaCloudException",
    "CLIProfileCredentialsProvider",
    "Config",
    "CredentialModel",
    "CredentialsClient",
    "CredentialsProvider",
    "DaraModel",
    "MNSClientNetworkException",
    "MNSExceptionBase",
    "MNSServerException",
    "MnsAccount",
    "MnsCredentials",
    "MnsMessage",
    "OpenApiRequest",
    "OpenApiUtils",
    "Params",
    "ProfileCredentialsProvider",
    "QueueMeta",
    "ResponseInternal",
    "RpcClient",
    "RuntimeOptions",
    "ThrottlingException",
    "models",
]


_NOISY = ("alibabacloud-tea", "darabonba-core", "credentials", "urllib3.connectionpool")


def quiet_sdks() -> None:
    """Drop `DEBUG`, every handler that the SDKs installed, and all their messages below ERROR."""
    os.environ.pop("DEBUG", None)
    for name in _NOISY:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
