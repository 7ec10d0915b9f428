"""Where credentials come from, and what holds when they change or fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spottui.cloud import credentials
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError, ErrorKind


def write(path: Path, secret: str) -> None:
    path.write_text(f"[default]\ntype = access_key\naccess_key_id = AK\naccess_key_secret = {secret}\n")


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "c.ini"
    write(file, "one")
    source = CredentialSource(file)
    assert source.get_credential().access_key_secret == "one"
    write(file, "two")
    os.utime(file, ns=(1, 1))
    assert source.get_credential().access_key_secret == "two"


def test_mns_gets_a_text_where_there_is_no_token(tmp_path: Path) -> None:
    file = tmp_path / "c.ini"
    write(file, "one")
    assert CredentialSource(file).get_credentials().get_security_token() == ""


def test_a_file_that_is_gone_is_named_without_a_secret(tmp_path: Path) -> None:
    with pytest.raises(CloudError) as error:
        CredentialSource(tmp_path / "gone.ini").get_credential()
    assert error.value.kind is ErrorKind.CREDENTIALS
    assert "gone.ini" in error.value.line


def test_the_last_good_token_serves_while_a_refresh_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "c.ini"
    write(file, "good")
    stamp = file.stat().st_mtime_ns
    source = CredentialSource(file)
    source.get_credential()
    source._client.cloud_credential.provider._ProfileCredentialsProvider__innerProvider = None
    file.write_text("[other]\n")
    os.utime(file, ns=(stamp, stamp))
    assert source.get_credential().access_key_secret == "good"
    monkeypatch.setattr(credentials, "LAST_GOOD_S", 0)
    with pytest.raises(CloudError):
        source.get_credential()


def test_the_environment_comes_first_in_the_default_chain() -> None:
    code = (
        "from spottui.cloud.credentials import CredentialSource\n"
        "model = CredentialSource(None).get_credential()\n"
        "print(model.access_key_id, model.access_key_secret)"
    )
    environment = {**os.environ, "ALIBABA_CLOUD_ACCESS_KEY_ID": "AK", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "SK"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout == "AK SK\n", done.stderr
