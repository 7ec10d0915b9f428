"""A credentials file: its effective profile, how that one signs in, and what exactly is wrong with it.

The two formats of the SDK: `credentials.ini`, and the `config.json` of the aliyun command line. The SDK reads them in
the locale's encoding, fails on a byte order mark and names neither profile nor cause; so they are read here, and the
SDK makes its provider from the result.
"""

import configparser
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from spottui.cloud.sdk import CLIProfileCredentialsProvider, CredentialsProvider, ProfileCredentialsProvider

PROFILE = "ALIBABA_CLOUD_PROFILE"
_KEY = ("access_key_id", "access_key_secret")
_NEEDS_OF_JSON = {
    "AK": _KEY,
    "StsToken": (*_KEY, "sts_token"),
    "RamRoleArn": (*_KEY, "ram_role_arn"),
    "EcsRamRole": (),
    "OIDC": ("ram_role_arn", "oidc_provider_arn", "oidc_token_file"),
    "ChainableRamRoleArn": ("source_profile", "ram_role_arn"),
    "CloudSSO": ("cloud_sso_sign_in_url", "cloud_sso_account_id", "cloud_sso_access_config", "access_token"),
    "OAuth": ("oauth_refresh_token",),
    "External": ("process_command",),
}
_NEEDS_OF_INI = {
    "access_key": _KEY,
    "ram_role_arn": (*_KEY, "role_arn"),
    "oidc_role_arn": ("role_arn", "oidc_provider_arn", "oidc_token_file_path"),
    "ecs_ram_role": (),
    "rsa_key_pair": ("public_key_id", "private_key_file"),
}
_SIGN_IN_AGAIN = {
    "CloudSSO": "sign in again: aliyun sso login",
    "OAuth": "sign in again: aliyun configure --mode OAuth",
}


class CredentialsProblem(Exception):
    """What is wrong with a credentials file, for people: file, profile, mode, cause; never its values."""


class Profile(msgspec.Struct, frozen=True):
    """One profile of a file that can be signed in with; `str` names file, profile and mode."""

    file: Path
    name: str
    mode: str
    _all: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.file}, profile {self.name!r} (mode {self.mode})"

    @property
    def provider(self) -> CredentialsProvider:
        """The SDK's provider; raises `CredentialsProblem` where the SDK makes none."""
        try:
            if self.file_is_json:
                # It also writes renewed tokens of External and OAuth back into the file.
                sdk = CLIProfileCredentialsProvider(profile_file=str(self.file), profile_name=self.name)
                return sdk._get_credentials_provider(self._all, self.name)
            return ProfileCredentialsProvider(profile_file=str(self.file))._get_credentials_provider(self._all)
        except Exception as error:
            raise self.problem(error) from None

    @property
    def file_is_json(self) -> bool:
        """Whether the file belongs to the aliyun command line."""
        return self.mode in _NEEDS_OF_JSON

    def problem(self, error: Exception) -> CredentialsProblem:
        """Return what the SDK says when it cannot sign in, without answers and outputs, which can hold secrets."""
        said = str(error).partition("\n")[0]
        code = re.search(r'"Code"\s*:\s*"([\w.]{1,80})"', str(error))
        cause = re.split(r",? (?:result|response):", said)[0].partition("{")[0].strip() or type(error).__name__
        advice = _SIGN_IN_AGAIN.get(self.mode)
        parts = [f"{self}: {cause}", f"Code {code[1]}" if code else "", advice or ""]
        return CredentialsProblem("; ".join(part for part in parts if part))


def read_profile(file: Path, name: str = "") -> Profile:
    """Return the profile that counts: `name`, else `ALIBABA_CLOUD_PROFILE`, else what the file says.

    Raises `CredentialsProblem`.
    """
    name = name or os.environ.get(PROFILE, "")
    text = _text(file)
    is_json = file.suffix == ".json" or text.lstrip().startswith("{")
    return _of_json(file, text, name) if is_json else _of_ini(file, text, name)


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CredentialsProblem(f"{file}: not UTF-8 text, in line {line}; save it as UTF-8") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no path"
        raise CredentialsProblem(f"{file}: {why}") from None


def _of_json(file: Path, text: str, name: str) -> Profile:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        ends = error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated")
        cut = "; it ends too early, was it cut?" if ends else ""
        raise CredentialsProblem(f"{file}, line {error.lineno}: not JSON: {error.msg}{cut}") from None
    except (RecursionError, ValueError):
        raise CredentialsProblem(f"{file}: not JSON") from None
    listed = document.get("profiles") if isinstance(document, dict) else None
    profiles = [profile for profile in listed if isinstance(profile, dict)] if isinstance(listed, list) else []
    if not profiles:
        raise CredentialsProblem(f"{file}: no profiles in it; aliyun configure makes one")
    is_asked = bool(name)
    name = name or str(document.get("current") or "")
    names = [str(profile.get("name")) for profile in profiles]
    if name not in names:
        called = f"the {'' if is_asked else 'current '}profile {name!r}"
        which = f"{called} is not there" if name else "no current profile is named"
        raise CredentialsProblem(f"{file}: {which}; there are: {', '.join(names)}")
    by_name = {str(profile.get("name")): profile for profile in reversed(profiles)}
    profile = _checked(file, name, str(by_name[name].get("mode") or "AK"), by_name[name], _NEEDS_OF_JSON, document)
    _check_sources(profile, by_name)
    return profile


def _check_sources(profile: Profile, by_name: Mapping[str, Mapping[str, Any]]) -> None:
    """A role is assumed with the key of another profile, which may be a role again, but not in a circle."""
    passed = [profile.name]
    while (here := by_name[passed[-1]]).get("mode") == "ChainableRamRoleArn":
        source = str(here.get("source_profile"))
        if source not in by_name or source in passed:
            why = "goes in a circle" if source in passed else "is not there"
            raise CredentialsProblem(f"{profile}: its source_profile {source!r} {why}")
        mode = str(by_name[source].get("mode") or "AK")
        _checked(profile.file, source, mode, by_name[source], _NEEDS_OF_JSON, {})
        passed.append(source)


def _of_ini(file: Path, text: str, name: str) -> Profile:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        # The texts of these errors hold the line, which can be the one with the secret.
        raise CredentialsProblem(f"{file}{_line_of(error)}: {_meaning_of(error)}") from None
    name = name or "default"
    if name not in parser:
        raise CredentialsProblem(f"{file}: no [{name}] in it; there are: {', '.join(parser.sections()) or 'none'}")
    # As the SDK reads them: what follows a # is a comment.
    section = {key: value.partition("#")[0].strip() for key, value in parser[name].items()}
    return _checked(file, name, section.get("type", ""), section, _NEEDS_OF_INI, section)


def _line_of(error: configparser.Error) -> str:
    line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), None)
    return f", line {line}" if line else ""


def _meaning_of(error: configparser.Error) -> str:
    match error:
        case configparser.MissingSectionHeaderError():
            return "something stands before the first [profile]"
        case configparser.DuplicateSectionError() | configparser.DuplicateOptionError():
            return "the same name twice"
    return "neither `[profile]` nor `name = value`"


def _checked(
    file: Path, name: str, mode: str, given: Mapping[str, Any], needs: Mapping[str, tuple[str, ...]], all_of_it: Any
) -> Profile:  # fmt: skip
    if mode not in needs:
        said = f"mode {mode!r} is not supported by the SDK" if mode else "no type"
        raise CredentialsProblem(f"{file}, profile {name!r}: {said}; supported: {', '.join(needs)}")
    profile = Profile(file, name, mode, all_of_it)
    missing = [field for field in needs[mode] if not given.get(field)]
    if missing:
        raise CredentialsProblem(f"{profile}: no {', no '.join(missing)}")
    for field in _KEY:
        check_key(str(given.get(field) or "x"), field, str(profile))
    return profile


def check_key(value: str, what: str, where: str) -> None:
    """Raise `CredentialsProblem` for a key that no header can carry; the SDK would send it and be refused."""
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        held = (
            "a line break"
            if re.search(r"[\r\n]", value)
            else "a space"
            if re.search(r"\s", value)
            else "odd characters"
        )
        raise CredentialsProblem(f"{where}: {what} holds {held}; write it without")
