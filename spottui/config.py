"""The configuration file: TOML in, `Settings` out, and every mistake named with file, line, key, found and allowed."""

import difflib
import hashlib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from msgspec import structs
from platformdirs.unix import Unix

from spottui.config_checks import (
    Mistake,
    may_hold_password,
    mistakes_of_accounts,
    mistakes_of_drains,
    mistakes_of_early_warning,
    mistakes_of_hooks,
    mistakes_of_probes,
    mistakes_of_ready,
    mistakes_of_regions,
    mistakes_of_tolerance,
)
from spottui.domain.billed_resources import EIP_PRICE, SNAPSHOT_PRICE
from spottui.domain.hook import HookEvent, HookPlace, HookSettings
from spottui.domain.probe import ProbeAddress, ProbeSettings
from spottui.domain.settings import (
    AccountSettings,
    ConsoleSettings,
    DrainSettings,
    EarlyWarningSettings,
    LaunchTemplate,
    Policy,
    PrivateIp,
    ReadySettings,
    RegionSettings,
    Settings,
    Tolerance,
)

_DIRS = Unix("spottui")  # XDG on every system, as people who use ssh expect


class ConfigProblem(Exception):
    """What is wrong with the configuration, for people; the command that meets it exits with 2."""


class CredentialsTable(msgspec.Struct, frozen=True):
    """`[credentials]`: the SDK's ini file or aliyun's config.json; without it the SDK's default chain is used."""

    file: str = ""


class ConfigFile(msgspec.Struct, frozen=True):
    """The tables of the file as they are written; `profile` tables override them by name."""

    region: tuple[RegionSettings, ...] = ()
    credentials: CredentialsTable = msgspec.field(default_factory=CredentialsTable)
    policy: Policy = msgspec.field(default_factory=Policy)
    console: ConsoleSettings = msgspec.field(default_factory=ConsoleSettings)
    journal: str = ""
    ca_file: str = ""
    notify: tuple[str, ...] = ()
    template: dict[str, LaunchTemplate] = msgspec.field(default_factory=dict)
    metrics_port: int = 0
    drain: dict[str, DrainSettings] = msgspec.field(default_factory=dict)
    probe: dict[str, ProbeSettings] = msgspec.field(default_factory=dict)
    storage_price: dict[str, float] = msgspec.field(default_factory=dict)
    ready: tuple[ReadySettings, ...] = ()
    hook: tuple[HookSettings, ...] = ()
    account: dict[str, AccountSettings] = msgspec.field(default_factory=dict)
    early_warning: EarlyWarningSettings = msgspec.field(default_factory=EarlyWarningSettings)


def default_path() -> Path:
    """Return where the configuration is looked for: `$XDG_CONFIG_HOME/spottui/config.toml`; raises `ConfigProblem`."""
    return _directory("user_config_path") / "config.toml"


def state_dir() -> Path:
    """Return where journal and log are kept: `$XDG_STATE_HOME/spottui`; raises `ConfigProblem`."""
    return _directory("user_state_path")


def _directory(kind: str) -> Path:
    try:
        path: Path = getattr(_DIRS, kind)
    except RuntimeError:  # Older versions of platformdirs return a relative path instead.
        path = Path()
    if not path.is_absolute():
        raise ConfigProblem(
            f"no home directory: HOME is not set, and uid {os.getuid()} has none. "
            "Set HOME, or XDG_CONFIG_HOME and XDG_STATE_HOME."
        )
    return path


def load(path: Path, profile: str = "") -> Settings:
    """Read a configuration file, with one of its `[profile.NAME]` tables overriding it; raises `ConfigProblem`."""
    return _Reader(path).settings(profile)


class _Reader:
    """One file being read, with its text at hand to name the line of a mistake."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._text = path.read_bytes().decode("utf-8-sig")
        except (OSError, ValueError) as error:
            raise ConfigProblem(f"{path}: {_unreadable(error)}") from None

    def settings(self, profile: str) -> Settings:
        tables = self._tables(profile)
        self._check_keys(tables, ConfigFile, "")
        file = self._convert(tables)
        self._check(mistakes_of_regions(file.region, file.account))
        self._check(mistakes_of_accounts(file.account, _LIMITS))
        self._check_policy(file.policy)
        self._check(mistakes_of_drains(file.drain, file.policy.drain))
        self._check(mistakes_of_probes(file.probe, file.policy.probe))
        self._check(mistakes_of_hooks(file.hook))
        self._check(mistakes_of_tolerance(file.policy.tolerance))
        self._check(mistakes_of_early_warning(file.early_warning))
        self._check_prices(file.storage_price)
        self._check(mistakes_of_ready(file.ready, has_price=SNAPSHOT_PRICE in file.storage_price))
        self._check_rest(file)
        here = self._path.parent.absolute()
        stop_file = self._resolved(here, file.policy.stop_file, "policy.stop_file")
        return Settings(
            profile=profile or self._path.stem,
            regions=file.region,
            journal=self._journal(here, file.journal, profile),
            credentials_file=self._existing(here, file.credentials.file, "credentials.file"),
            ca_file=self._existing(here, file.ca_file, "ca_file"),
            policy=structs.replace(file.policy, stop_file=str(stop_file or "")),
            console=file.console,
            notify=file.notify,
            templates=file.template,
            metrics_port=file.metrics_port,
            drain=file.drain,
            probe={name: self._with_ca_file(here, name, probe) for name, probe in file.probe.items()},
            storage_price=file.storage_price,
            ready=file.ready,
            hooks=file.hook,
            accounts=file.account,
            early_warning=file.early_warning,
        )

    def _tables(self, profile: str) -> dict[str, Any]:
        try:
            tables = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigProblem(_not_toml(self._path, str(error))) from None
        except RecursionError:
            raise ConfigProblem(f"{self._path}: not a configuration: nested too deeply.") from None
        profiles = tables.pop("profile", {})
        if not isinstance(profiles, dict):
            self._fail("profile", repr(profiles), "tables [profile.NAME]")
        if profile and profile not in profiles:
            self._fail("profile", profile, _either(profiles) or "no profile: the file has none")
        if not isinstance(profiles.get(profile, {}), dict):
            self._fail(f"profile.{profile}", repr(profiles[profile]), f"a table [profile.{profile}]")
        return _laid_over(tables, profiles.get(profile, {}))

    def _check_keys(self, table: Mapping[str, Any], kind: type, prefix: str) -> None:
        """Unknown keys are errors: a misspelled limit would otherwise not apply."""
        known = {field_info.name: field_info for field_info in structs.fields(kind)}
        for key, value in table.items():
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self._fail(f"{prefix}{key}", "an unknown key", f"{_either(known)}{hint}")
            inner = _TABLES.get(key) if kind is ConfigFile else _INNER_TABLES.get(key)
            for entry in value if isinstance(value, list) else [value]:
                if inner and isinstance(entry, dict):
                    self._check_keys(entry, inner, f"{prefix}{key}.")
            if kind is ConfigFile and key in _NAMED_TABLES and isinstance(value, dict):
                for name, named in value.items():
                    if isinstance(named, dict):
                        self._check_keys(named, _NAMED_TABLES[key], f"{key}.{name}.")

    def _convert(self, tables: dict[str, Any]) -> ConfigFile:
        try:
            return msgspec.convert(tables, ConfigFile)
        except msgspec.ValidationError as error:
            self._fail(*_said(str(error)))

    def _check_policy(self, policy: Policy) -> None:
        for key, (least, most) in _LIMITS.items():
            value = getattr(policy, key)
            if not least <= value <= most:
                self._fail(f"policy.{key}", str(value), f"{least} to {most}")
        if not re.fullmatch(r"[\w.-]{0,253}", policy.private_zone, re.ASCII):
            self._fail("policy.private_zone", repr(policy.private_zone), "the name or id of a zone: 'corp.internal'")

    def _check_rest(self, file: ConfigFile) -> None:
        if file.metrics_port and not 1024 <= file.metrics_port <= 65535:
            self._fail("metrics_port", str(file.metrics_port), "1024 to 65535, or 0 for none")
        regions = [region.key for region in file.region]
        for name, template in file.template.items():
            if template.region_key not in regions:
                self._fail(f"template.{name}.region", repr(template.region_key), ", ".join(regions))
            for key, allowed in _CHOICES.items():
                if getattr(template, key) not in allowed:
                    self._fail(f"template.{name}.{key}", repr(getattr(template, key)), ", ".join(allowed))

    def _check_prices(self, prices: dict[str, float]) -> None:
        for name, price in prices.items():
            if name not in _PRICED:
                self._fail(f"storage_price.{name}", "an unknown key", _either(dict.fromkeys(_PRICED)))
            if not 0 <= price <= 1000:
                self._fail(f"storage_price.{name}", str(price), "0 to 1000, per GiB and month, or per EIP")

    def _check(self, mistakes: Iterable[Mistake]) -> None:
        for mistake in mistakes:
            self._fail(*mistake)

    def _with_ca_file(self, here: Path, name: str, probe: ProbeSettings) -> ProbeSettings:
        return structs.replace(probe, ca_file=str(self._existing(here, probe.ca_file, f"probe.{name}.ca_file") or ""))

    def _existing(self, here: Path, name: str, key: str) -> Path | None:
        path = self._resolved(here, name, key)
        if path:
            try:
                path.open("rb").close()
            except OSError as error:
                why = "which does not exist" if isinstance(error, FileNotFoundError) else error.strerror
                self._fail(key, f"{path}, {why}", "a readable file")
        return path

    def _resolved(self, here: Path, name: str, key: str) -> Path | None:
        """A path of the configuration is relative to the configuration's directory; `~` is the home directory."""
        if "\0" in name:
            self._fail(key, repr(name), "a path")
        try:
            return here / Path(_file_name(name)).expanduser() if name else None
        except RuntimeError:
            self._fail(key, name, "a path; this home directory is unknown")

    def _journal(self, here: Path, name: str, profile: str) -> str:
        if "://" not in name:
            return str(self._resolved(here, name, "journal") or self._default_journal(profile))
        scheme, _, rest = name.partition("://")
        if scheme not in ("postgresql", "postgres"):
            self._fail("journal", f"{scheme}://…", "the path of a file, or postgresql://USER@HOST/DATABASE")
        try:
            holds_password = may_hold_password(rest)
        except ValueError:
            self._fail("journal", "an invalid address", "postgresql://USER@HOST/DATABASE")
        if holds_password:
            self._fail("journal", "an address with a password", _NO_PASSWORD)
        return f"postgresql://{rest}"

    def _default_journal(self, profile: str) -> Path:
        """Each configuration and profile has its own journal, so that recoveries of different accounts never mix."""
        name = (
            ["journal"] if self._path.resolve() == default_path().resolve() else [self._path.stem, _digest(self._path)]
        )
        return state_dir() / ("-".join([*name, *([_safe(profile)] if profile else [])]) + ".db")

    def _fail(self, key: str, found: str, allowed: str = "") -> NoReturn:
        # A key of an inline table is on the line of its table.
        parts = key.split(".")[1:] or [key]
        line = next((line for part in reversed(parts) if (line := self._line_of(part))), None)
        where = f"{self._path}, line {line}" if line else str(self._path)
        raise ConfigProblem(f"{where}: {key}: found {found}" + (f"; allowed: {allowed}." if allowed else "."))

    def _line_of(self, key: str) -> int | None:
        pattern = re.compile(rf"^\s*\[*\s*(?:[\w.-]+\.)?{re.escape(key)}\s*(?:=|\])")
        lines = enumerate(self._text.splitlines(), 1)
        return next((number for number, line in lines if pattern.match(line)), None)


_NO_PASSWORD = (
    "postgresql://USER@HOST/DATABASE, with the password in PGPASSWORD, in a service file (?service=NAME), in ~/.pgpass "
    "or in the file that ?passfile= names"
)
_TABLES: dict[str, type] = {
    "region": RegionSettings,
    "credentials": CredentialsTable,
    "policy": Policy,
    "console": ConsoleSettings,
    "ready": ReadySettings,
    "hook": HookSettings,
    "early_warning": EarlyWarningSettings,
}
_INNER_TABLES: dict[str, type] = {"tolerance": Tolerance}
_CHOICES = {"spot_strategy": ("SpotAsPriceGo", "SpotWithPriceLimit"), "interruption_behavior": ("Terminate", "Stop")}
_PRICED = (
    SNAPSHOT_PRICE, EIP_PRICE, "cloud", "cloud_efficiency", "cloud_ssd", "cloud_essd", "cloud_essd_entry", "cloud_auto",
)  # fmt: skip
_NAMED_TABLES: dict[str, type] = {
    "account": AccountSettings,
    "drain": DrainSettings,
    "probe": ProbeSettings,
    "template": LaunchTemplate,
}
_ENUMS: dict[str, Mapping[str, object]] = {
    "address": dict.fromkeys(ProbeAddress),
    "on": dict.fromkeys(HookEvent),
    "private_ip": dict.fromkeys(PrivateIp),
    "where": dict.fromkeys(HookPlace),
}
_LIMITS: dict[str, tuple[float, float]] = {
    "veto_window_s": (0, 240),
    "max_at_once": (1, 10_000),
    "max_per_hour": (1, 100_000),
    "lock_poll_s": (0.5, 60),
    "sweep_s": (2, 3600),
    "long_poll_s": (1, 30),
    "max_added_cost_per_hour": (0, 1e9),
    "breaker_failures": (1, 1000),
    "keep_days": (0, 3650),
    "journal_keep_days": (30, 36_500),
    "restart_patience_s": (0, 86_400),
}


_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "a string",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}


def _said(error: str) -> tuple[str, str, str]:
    """Split msgspec's ``Expected `float`, got `str` - at `$.policy.veto_window_s` `` into key, found and allowed."""
    said, _, where = error.partition(" - at `$")
    key = re.sub(r"\[[^\]]*\]", "", where.rstrip("`")).strip(".")
    wrong = re.match(r"Expected `([^`|]+).*`, got `([^`]+)`", said)
    if wrong:
        allowed, found = wrong.groups()
        return key or "the file", _WORDS.get(found, found), _WORDS.get(allowed.strip(), allowed)
    choice = re.match(r"Invalid enum value (.+)", said)
    if choice:
        return key, choice[1], _either(_ENUMS.get(key.rpartition(".")[2], {}))
    missing = re.search(r"missing required field `([^`]+)`", said)
    if missing:
        return key or "the file", f"no {missing[1]}", f"a table with {missing[1]}"
    return key or "the file", said, ""


def _laid_over(tables: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(tables)
    for key, value in over.items():
        old = result.get(key)
        result[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _unreadable(error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        line = error.object.count(b"\n", 0, error.start) + 1
        return f"not UTF-8 text: byte 0x{error.object[error.start]:02x} in line {line}. Save it as UTF-8."
    if isinstance(error, IsADirectoryError):
        return "a directory, not a file. Name a file with --config."
    why = error.strerror if isinstance(error, OSError) else "not a path"
    return f"{why}. Name a file with --config; `spottui init` writes one."


def _not_toml(path: Path, said: str) -> str:
    """Return tomllib's `Cannot declare ('policy',) twice (at line 8, column 8)` with the line in its place."""
    match = re.fullmatch(r"(.*) \(at (line \d+), (column \d+)\)", said, re.DOTALL)
    what, where = (f"{match[1]}, at {match[3]}", f"{path}, {match[2]}") if match else (said, str(path))
    what = re.sub(r"\('(.*?)',?\)", lambda name: "[" + name[1].replace("', '", ".") + "]", what)
    return f"{where}: not TOML: {what}."


def _either(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names))


def _file_name(name: str) -> str:
    """In a locale that cannot encode the name, use its UTF-8 bytes, with which the file was probably created."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return os.fsdecode(name.encode("utf-8", "replace"))
    return name


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:8]


def _safe(name: str) -> str:
    return re.sub(r"[^\w-]", "_", name)
