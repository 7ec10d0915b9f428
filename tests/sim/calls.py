"""Any action of any service with the generic client of the SDK, for tests that are about the wire."""

from typing import Any

import pytest
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

from spottui.sim.testing import SimServer

ECS, CMS = "2014-05-26", "2019-01-01"


class Api:
    """Calls by name: `api("DescribeInstances", RegionId="cn-hangzhou")`; a double underscore stands for a dot."""

    def __init__(self, cloud: SimServer, version: str = ECS) -> None:
        at = cloud.endpoint
        self._version = version
        self._client = Client(
            Config(
                access_key_id=at.access_key_id, access_key_secret=at.access_key_secret,
                endpoint=at.url.partition("://")[2], protocol="HTTP",
            )
        )  # fmt: skip

    def __call__(self, action: str, **query: object) -> dict[str, Any]:
        return self._call(action, query)["body"]

    def headers(self, action: str, **query: object) -> dict[str, str]:
        """The headers of an answer."""
        return self._call(action, query)["headers"]

    def _call(self, action: str, query: dict[str, object]) -> dict[str, Any]:
        params = Params(
            action=action, version=self._version, protocol="HTTP", pathname="/", method="POST",
            auth_type="AK", style="RPC", req_body_type="formData", body_type="json",
        )  # fmt: skip
        given = {"RegionId": "cn-hangzhou", **{k.replace("__", "."): str(v) for k, v in query.items()}}
        return self._client.call_api(params, OpenApiRequest(query=given), RuntimeOptions())

    def refused(self, action: str, **query: object) -> tuple[int, str]:
        """HTTP status and Code of a call that must be refused."""
        with pytest.raises((ClientException, ServerException)) as refusal:
            self(action, **query)
        return refusal.value.status_code, refusal.value.code
