"""Where credentials come from, and what holds when they change or fail."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spottui.cloud import credentials
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.credentials_file import CredentialsProblem, read_profile
from spottui.cloud.errors import CloudError, ErrorKind
from tests.driving import wait_until


def write(path: Path, secret: str) -> None:
    path.write_text(f"[default]\ntype = access_key\naccess_key_id = AK\naccess_key_secret = {secret}\n")


def config(directory: Path, *profiles: dict[str, object], current: str = "x") -> Path:
    """A `config.json` of the aliyun command line."""
    file = directory / "config.json"
    file.write_text(json.dumps({"current": current, "profiles": profiles}), "utf-8")
    return file


def problem_of(source: CredentialSource) -> str:
    with pytest.raises(CloudError) as error:
        source.get_credential()
    assert error.value.kind is ErrorKind.CREDENTIALS
    return error.value.line


def test_a_changed_file_is_read_again_within_a_second_or_after_a_refusal(tmp_path: Path) -> None:
    file = tmp_path / "c.ini"
    write(file, "one")
    source = CredentialSource(file)
    assert source.get_credential().access_key_secret == "one"
    write(file, "two")
    os.utime(file, ns=(1, 1))
    source.refused()
    assert source.get_credential().access_key_secret == "two"
    write(file, "three")
    os.utime(file, ns=(2, 2))
    wait_until(lambda: source.get_credential().access_key_secret == "three", 5)


def test_mns_gets_a_text_where_there_is_no_token(tmp_path: Path) -> None:
    file = tmp_path / "c.ini"
    write(file, "one")
    assert CredentialSource(file).get_credentials().get_security_token() == ""


def test_a_file_that_is_gone_is_named_without_a_secret(tmp_path: Path) -> None:
    with pytest.raises(CloudError) as error:
        CredentialSource(tmp_path / "gone.ini").get_credential()
    assert error.value.kind is ErrorKind.CREDENTIALS
    assert "gone.ini" in error.value.line


def renewing(tmp_path: Path) -> Path:
    """A profile whose token comes from a command and is stale at once, so that each call renews it."""
    answer = tmp_path / "answer.json"
    token = {"mode": "StsToken", "access_key_id": "AK", "access_key_secret": "SK", "sts_token": "T"}
    answer.write_text(json.dumps(token), "utf-8")
    return config(tmp_path, {"name": "x", "mode": "External", "process_command": f"cat {answer}"})


def test_the_last_good_token_serves_while_a_refresh_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = CredentialSource(renewing(tmp_path))
    assert source.get_credential().security_token == "T"
    (tmp_path / "answer.json").unlink()
    assert source.get_credential().security_token == "T"
    monkeypatch.setattr(credentials, "LAST_GOOD_S", 0)
    assert "mode External" in problem_of(source)


def test_a_token_that_the_sdk_writes_back_is_no_change_of_the_file(tmp_path: Path) -> None:
    file = renewing(tmp_path)
    source = CredentialSource(file)
    source.get_credential()
    assert "sts_expiration" in file.read_text("utf-8"), "it was written back"
    current = source._current
    source.refused()
    source.get_credential()
    assert source._current is current


def test_the_environment_comes_first_in_the_default_chain() -> None:
    code = (
        "from spottui.cloud.credentials import CredentialSource\n"
        "model = CredentialSource(None).get_credential()\n"
        "print(model.access_key_id, model.access_key_secret)"
    )
    environment = {**os.environ, "ALIBABA_CLOUD_ACCESS_KEY_ID": "AK", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "SK"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout == "AK SK\n", done.stderr


AK = {"name": "x", "mode": "AK", "access_key_id": "AK", "access_key_secret": "s3cr3t-of-a-key"}
STS = {**AK, "mode": "StsToken", "sts_token": "T"}
SSO = {
    "name": "x", "mode": "CloudSSO", "cloud_sso_sign_in_url": "https://signin.example/login", "access_token": "t0ken",
    "cloud_sso_account_id": "1", "cloud_sso_access_config": "ac-1", "cloud_sso_access_token_expire": 1,
}  # fmt: skip
CHAIN = {"name": "y", "mode": "ChainableRamRoleArn", "ram_role_arn": "acs:ram::1:role/r", "source_profile": "x"}
EXTERNAL = {"name": "x", "mode": "External"}


@pytest.mark.parametrize(("profile", "token"), [(AK, None), (STS, "T")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_command_lines_file_is_read_with_and_without_a_bom(
    tmp_path: Path, profile: dict[str, object], token: str | None, encoding: str
) -> None:
    other = {"name": "生产", "mode": "RsaKeyPair"}
    file = config(tmp_path, other, profile)
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")), ensure_ascii=False), encoding)
    model = CredentialSource(file).get_credential()
    assert (model.access_key_id, model.access_key_secret, model.security_token) == ("AK", "s3cr3t-of-a-key", token)


def test_an_ini_file_is_read_with_a_bom(tmp_path: Path) -> None:
    file = tmp_path / "c.ini"
    file.write_text(
        "# 生产\n[default]\ntype = access_key\naccess_key_id = AK # ours\naccess_key_secret = 100%\n", "utf-8-sig"
    )
    model = CredentialSource(file).get_credential()
    assert (model.access_key_id, model.access_key_secret) == ("AK", "100%")


@pytest.mark.parametrize(
    ("profiles", "words"),
    [
        ([{**AK, "mode": "RsaKeyPair"}], ["'x'", "'RsaKeyPair' is not supported", "AK, StsToken, RamRoleArn"]),
        ([{**AK, "mode": "CredentialsURI"}], ["'CredentialsURI' is not supported"]),
        ([{**AK, "access_key_secret": ""}], ["'x' (mode AK)", "no access_key_secret"]),
        ([{**AK, "access_key_secret": "s3cr3t-of-a-key\n"}], ["'x' (mode AK)", "access_key_secret holds a line break"]),
        ([{**AK, "access_key_id": " AK"}], ["access_key_id holds a space"]),
        ([{**AK, "access_key_id": "\u0410\u041a"}], ["access_key_id holds odd characters"]),
        ([{**STS, "sts_token": None}], ["mode StsToken", "no sts_token"]),
        ([SSO], ["'x' (mode CloudSSO)", "expired", "aliyun sso login"]),
        ([{**SSO, "access_token": ""}], ["mode CloudSSO", "no access_token"]),
        ([EXTERNAL], ["mode External", "no process_command"]),
        ([{**EXTERNAL, "process_command": "false"}], ["mode External", "exit status 1"]),
        ([{**EXTERNAL, "process_command": "echo s3cr3t-of-a-key"}], ["mode External", "failed to parse"]),
        ([{"name": "x", "mode": "OIDC", "ram_role_arn": "r"}], ["no oidc_provider_arn, no oidc_token_file"]),
        ([{**CHAIN, "name": "x", "source_profile": "x"}], ["source_profile 'x' goes in a circle"]),
        ([{**CHAIN, "name": "x", "source_profile": "gone"}], ["source_profile 'gone' is not there"]),
        ([{**CHAIN, "name": "x", "source_profile": "z"}, {**SSO, "name": "z"}], ["'x' (mode Chain", "expired"]),
        ([{**AK, "name": "prod"}], ["current profile 'x' is not there; there are: prod"]),
        ([], ["no profiles in it", "aliyun configure"]),
    ],
)
def test_what_is_wrong_with_a_profile_is_named_without_its_secrets(
    tmp_path: Path, profiles: list[dict[str, object]], words: list[str]
) -> None:
    file = config(tmp_path, *profiles)
    said = problem_of(CredentialSource(file))
    assert [word for word in ["config.json", *words] if word not in said] == [], said
    assert "s3cr3t" not in said
    assert "t0ken" not in said


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("c.json", b'{"current": "x", "profiles": [{"name": "x", "access_key_secret": "s3cr3t-of', ["line 1", "cut"]),
        ("c.json", b'{"current": "x",\n "profiles": [}', ["line 2", "not JSON"]),
        ("c.json", b"[]", ["no profiles"]),
        ("c.json", b"[" * 100_000, ["not JSON"]),
        ("c.json", b"\xff\xfe", ["not UTF-8 text, in line 1"]),
        ("c.ini", b"access_key_secret = s3cr3t-of-a-key\n", ["line 1", "before the first [profile]"]),
        ("c.ini", b"[default]\ns3cr3t-of-a-key\n", ["line 2", "name = value"]),
        ("c.ini", b"[default]\n[default]\n", ["line 2", "twice"]),
        ("c.ini", b"[prod]\ntype = access_key\n", ["no [default] in it; there are: prod"]),
        ("c.ini", b"[default]\naccess_key_id = AK\n", ["no type", "access_key, ram_role_arn"]),
        ("c.ini", b"[default]\ntype = sso\n", ["'sso' is not supported"]),
        ("c.ini", b"[default]\ntype = access_key\naccess_key_id = AK\naccess_key_secret =\n a\n b\n", ["line break"]),
        ("c.ini", "[default]\n# 生产\n".encode("gbk"), ["not UTF-8 text, in line 2"]),
        ("c.ini", b"", ["no [default] in it; there are: none"]),
    ],
)
def test_what_is_wrong_with_a_file_is_named_without_its_lines(
    tmp_path: Path, name: str, body: bytes, words: list[str]
) -> None:
    file = tmp_path / name
    file.write_bytes(body)
    said = problem_of(CredentialSource(file))
    assert [word for word in [name, *words] if word not in said] == [], said
    assert "s3cr3t" not in said


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert "Is a directory" in problem_of(CredentialSource(tmp_path))


def test_a_file_that_breaks_while_the_program_runs_leaves_it_the_last_good_key(tmp_path: Path) -> None:
    file = tmp_path / "c.ini"
    write(file, "good")
    source = CredentialSource(file)
    source.get_credential()
    file.write_text("[default", "utf-8")
    os.utime(file, ns=(1, 1))
    source.refused()
    assert source.get_credential().access_key_secret == "good"
    write(file, "new")
    os.utime(file, ns=(2, 2))
    assert source.get_credential().access_key_secret == "new"


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300), st.sampled_from(["c.ini", "config.json"]))
def test_any_file_is_read_or_named(tmp_path_factory: pytest.TempPathFactory, body: bytes, name: str) -> None:
    file = tmp_path_factory.mktemp("c") / name
    file.write_bytes(body)
    with contextlib.suppress(CredentialsProblem):
        read_profile(file)


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4)
profiles = st.dictionaries(
    st.sampled_from([*AK, "source_profile", "sts_token"]), json_values | st.just("AK"), max_size=6
)


@settings(deadline=None, max_examples=60)
@given(st.fixed_dictionaries({"current": json_values, "profiles": st.lists(profiles | json_values) | json_values}))
def test_any_json_is_read_or_named(tmp_path_factory: pytest.TempPathFactory, found: dict[str, object]) -> None:
    file = tmp_path_factory.mktemp("c") / "config.json"
    file.write_text(json.dumps(found), "utf-8")
    with contextlib.suppress(CredentialsProblem):
        read_profile(file)


def of_the_default_chain(home: Path, **environment: str) -> str:
    code = (
        "from spottui.cloud.credentials import CredentialSource\n"
        "from spottui.cloud.errors import CloudError\n"
        "try:\n"
        "    model = CredentialSource(None).get_credential()\n"
        "    print(model.access_key_id, model.access_key_secret)\n"
        "except CloudError as error:\n"
        "    print(error.line)"
    )
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ALIBABA_CLOUD")}
    given = {**kept, "HOME": str(home), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", **environment}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=given, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_the_default_chain_reads_a_file_with_a_bom_and_names_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / ".aliyun").mkdir()
    file = config(tmp_path / ".aliyun", AK)
    text = file.read_text("utf-8")
    file.write_text(text, "utf-8-sig")
    assert of_the_default_chain(tmp_path) == "AK s3cr3t-of-a-key\n"
    file.write_text(text[:-20], "utf-8")
    said = of_the_default_chain(tmp_path, ALIBABA_CLOUD_ACCESS_KEY_ID="AK")
    assert str(file) in said
    assert "was it cut?" in said
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID is set and ALIBABA_CLOUD_ACCESS_KEY_SECRET is not" in said
    assert "s3cr3t" not in said


def test_a_key_of_the_environment_with_a_line_break_is_named(tmp_path: Path) -> None:
    key = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "AK", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s3cr3t-of-a-key\n"}
    said = of_the_default_chain(tmp_path, **key)
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID, …_SECRET: the access key secret holds a line break" in said
    assert "s3cr3t" not in said


def test_where_there_is_nothing_it_says_where_it_looked(tmp_path: Path) -> None:
    assert "none found: no ALIBABA_CLOUD_ACCESS_KEY_ID in the environment" in of_the_default_chain(tmp_path)
