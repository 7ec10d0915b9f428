"""No secret leaves through an error's text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.redaction import redact

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"HTTPConnectionPool(host='127.0.0.1'): url: /?Password={SECRET}&UserData={SECRET}&RegionId=cn (Caused by x)",
        f"Authorization: {SECRET}",
        f"{{'UserData': '{SECRET}'}}",
        f"AccessKeySecret={SECRET}",
        f"x-acs-security-token: {SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"Authorization: MNS AK:{SECRET}",
        f'{{"sts_token": "{SECRET}", "expiration": ""}}',
        f'{{"oauth_access_token":"{SECRET}"}}',
        f"refresh-token={SECRET}",
        f'{{"SecurityToken": "{SECRET}"}}',
    ],
)
def test_secrets_are_cut(text: str) -> None:
    assert SECRET not in redact(text)


def test_access_key_ids_are_cut() -> None:
    assert "LTAI5tujOeHwdFcAefAZhnM6" not in redact("The key LTAI5tujOeHwdFcAefAZhnM6 is not known")


@given(st.text())
def test_a_redacted_text_is_one_short_line(text: str) -> None:
    line = redact(text)
    assert len(line) <= 300
    assert len(line.splitlines()) <= 1


def test_an_error_says_code_message_and_request_id_on_one_line() -> None:
    error = CloudError("RunInstances", ErrorKind.NO_STOCK, "OperationDenied.NoStock", "sold\nout", "R-1")
    assert error.line == "RunInstances: OperationDenied.NoStock: sold out [RequestId R-1]"
