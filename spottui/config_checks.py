"""What a value of the configuration must be beside its type, for the tables with rules of their own."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

from spottui.domain.billed_resources import SNAPSHOT_PRICE
from spottui.domain.dates import seconds_of
from spottui.domain.hook import HookEvent, HookPlace, HookSettings
from spottui.domain.probe import IP, ProbeSettings
from spottui.domain.ready import IMAGE_EVERY, MOST_KEPT, SNAPSHOTS_EVERY
from spottui.domain.region_key import DEFAULT_ACCOUNT
from spottui.domain.settings import (
    LIMITS_OF_ACCOUNT,
    AccountSettings,
    DrainSettings,
    EarlyWarningSettings,
    ReadySettings,
    RegionSettings,
    Tolerance,
)

Mistake = tuple[str, str, str]
"""The key, what was found, and what is allowed."""

LONGEST_COMMAND = 16_000
"""Characters; Cloud Assistant takes 24 KiB of Base64."""

FASTEST = 1000
"""Calls a second of one API; no published limit of a region is higher."""


_SECRETS = frozenset(("password", "sslpassword"))


def may_hold_password(address: str) -> bool:
    """Whether the address of a database, after its `postgresql://`, may hold a password; raises `ValueError`.

    A person may not have escaped it, and libpq takes some of what has a meaning elsewhere.
    """
    before_host = (part.rpartition("@")[0] for part in (address.partition("/")[0], address.partition("?")[0]))
    query = parse_qs(urlsplit(f"postgresql://{address}").query, keep_blank_values=True)
    return any(":" in part for part in before_host) or not _SECRETS.isdisjoint(query)


def mistakes_of_regions(
    regions: Sequence[RegionSettings], accounts: Mapping[str, AccountSettings]
) -> Iterator[Mistake]:
    """Yield what is wrong with the `[[region]]` tables; one region of one account is watched once."""
    if not regions:
        yield "region", "none", "at least one [[region]] table with id, queue and mns_endpoint"
    keys, owned = [region.key for region in regions], set[tuple[str, str]]()
    for region in regions:
        if not re.fullmatch(r"[a-z]{2}-[a-z0-9-]{1,40}", region.id):
            yield "region.id", repr(region.id), "a region id such as 'cn-hangzhou'"
        if region.account and region.account not in accounts:
            allowed = ", ".join(sorted(accounts)) or "the NAME of an [account.NAME]"
            yield "region.account", repr(region.account), allowed
        if keys.count(region.key) > 1:
            yield "region.id", f"{region.key!r} twice", "each region once" + (" for each account" if accounts else "")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,119}", region.queue):
            yield "region.queue", repr(region.queue), "a queue name: letters, digits and '-', at most 120"
        yield from _mistakes_of_endpoints(region)
        # Two names for one account would recover each of its instances twice.
        owners = {(owner, region.id) for owner in _owners(region, accounts)}
        if owned & owners:
            owner = min(owned & owners)[0]
            yield "region.account", f"account {owner} twice in {region.id}", "one [account.NAME] for each account"
        owned |= owners


def mistakes_of_accounts(
    accounts: Mapping[str, AccountSettings], limits: Mapping[str, tuple[float, float]]
) -> Iterator[Mistake]:
    """Yield what is wrong with the `[account.NAME]` tables; `limits` are those of the keys of the policy."""
    for name, account in accounts.items():
        key = f"account.{name}"
        if name == DEFAULT_ACCOUNT or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", name):
            allowed = "letters, digits, '-' and '_', at most 32"
            yield key, f"the name {name!r}", f"{allowed}; {DEFAULT_ACCOUNT} is the account of regions that name none"
        if bool(account.profile) == bool(account.role_arn):
            found = "profile and role_arn" if account.profile else "neither profile nor role_arn"
            yield key, found, "one of profile, role_arn"
        if account.role_arn and not _ROLE.fullmatch(account.role_arn):
            yield f"{key}.role_arn", repr(account.role_arn), "acs:ram::ACCOUNT_ID:role/NAME"
        if account.external_id and not account.role_arn:
            yield f"{key}.external_id", "no role_arn beside it", "an external id together with role_arn"
        if account.external_id and not re.fullmatch(r"[\w+=,.@:/-]{2,1224}", account.external_id, re.ASCII):
            found = f"{len(account.external_id)} characters"
            yield f"{key}.external_id", found, "2 to 1224 letters, digits and +=,.@:/-_"
        for limit in LIMITS_OF_ACCOUNT:
            value, (least, most) = getattr(account, limit), limits[limit]
            if value is not None and not least <= value <= most:
                yield f"{key}.{limit}", str(value), f"{least} to {most}"
        if account.calls_per_second and not 1 <= account.calls_per_second <= FASTEST:
            yield f"{key}.calls_per_second", str(account.calls_per_second), f"1 to {FASTEST}, or 0 for the usual"


def mistakes_of_drains(drains: Mapping[str, DrainSettings], chosen: str) -> Iterator[Mistake]:
    """Yield what is wrong with the `[drain.NAME]` tables, and with the one that the policy has `chosen`."""
    if chosen and chosen not in drains:
        yield "policy.drain", repr(chosen), ", ".join(sorted(drains)) or "the NAME of a [drain.NAME]"
    for name, drain in drains.items():
        length = len(drain.command)
        if not drain.command.strip() or length > LONGEST_COMMAND:
            found = f"{length} characters" if drain.command else "none"
            yield f"drain.{name}.command", found, f"1 to {LONGEST_COMMAND} characters"
        if not 1 <= drain.timeout_s <= 240:
            yield f"drain.{name}.timeout_s", str(drain.timeout_s), "1 to 240"


def mistakes_of_probes(probes: Mapping[str, ProbeSettings], chosen: str) -> Iterator[Mistake]:
    """Yield what is wrong with the `[probe.NAME]` tables, and with the one that the policy has `chosen`."""
    if chosen and chosen not in probes:
        yield "policy.probe", repr(chosen), ", ".join(sorted(probes)) or "the NAME of a [probe.NAME]"
    for name, probe in probes.items():
        key = f"probe.{name}"
        ways = [way for way in ("tcp", "http", "command") if getattr(probe, way)]
        if len(ways) != 1:
            yield key, " and ".join(ways) or "no probe", "one of tcp, http, command"
        if probe.tcp and not 1 <= probe.tcp <= 65_535:
            yield f"{key}.tcp", str(probe.tcp), "1 to 65535"
        if probe.http and not _is_url(probe.http):
            yield f"{key}.http", repr(probe.http), f"http://{IP}… or https://{IP}…, with a port and a path or without"
        if not 100 <= probe.status <= 599:
            yield f"{key}.status", str(probe.status), "100 to 599"
        if len(probe.command) > LONGEST_COMMAND:
            yield f"{key}.command", f"{len(probe.command)} characters", f"1 to {LONGEST_COMMAND} characters"
        if probe.tls_name and not _is_host(probe.tls_name):
            yield f"{key}.tls_name", repr(probe.tls_name), "a host name"
        yield from mistakes_of_duration(f"{key}.patience", probe.patience, "1s", "1h")
        yield from mistakes_of_duration(f"{key}.every", probe.every, "1s", "5m")


def mistakes_of_hooks(hooks: Iterable[HookSettings]) -> Iterator[Mistake]:
    """Yield what is wrong with the `[[hook]]` tables."""
    for hook in hooks:
        yield from mistakes_of_duration("hook.timeout", hook.timeout, "1s", "1h")
        words = hook.command if isinstance(hook.command, tuple) else ()
        if hook.where is HookPlace.HERE and (not words or not words[0] or any("\0" in word for word in words)):
            yield "hook.command", repr(hook.command), 'a list, ["PROGRAM", "ARGUMENT", …]: there is no shell'
        if hook.where is HookPlace.HERE:
            continue
        if hook.on is not HookEvent.RECOVERED:
            yield "hook.on", repr(hook.on.value), f'{HookEvent.RECOVERED} with where = "{HookPlace.REPLACEMENT}"'
        if words or not hook.command or len(hook.command) > LONGEST_COMMAND:
            yield "hook.command", repr(hook.command)[:80], f"a shell text of 1 to {LONGEST_COMMAND} characters"


def mistakes_of_ready(tables: Iterable[ReadySettings], *, has_price: bool) -> Iterator[Mistake]:
    """Yield what is wrong with the `[[ready]]` tables; a limit of their cost needs the price of snapshots."""
    for ready in tables:
        if not ready.match or "" in ready.match:
            yield "ready.match", str(ready.match), '{tag = "value"}, with an empty value for any'
        yield from mistakes_of_duration("ready.image_every", ready.image_every, *IMAGE_EVERY)
        if ready.snapshots_every:
            yield from mistakes_of_duration("ready.snapshots_every", ready.snapshots_every, *SNAPSHOTS_EVERY)
        if not 1 <= ready.keep <= MOST_KEPT:
            yield "ready.keep", str(ready.keep), f"1 to {MOST_KEPT}"
        limit = ready.max_cost_per_month
        if not 0 <= limit <= 1e9:
            yield "ready.max_cost_per_month", str(limit), "0 to 1000000000"
        if limit and not has_price:
            yield (
                "ready.max_cost_per_month",
                f"{limit} and no price",
                f"a limit together with storage_price.{SNAPSHOT_PRICE}",
            )


def mistakes_of_early_warning(early_warning: EarlyWarningSettings) -> Iterator[Mistake]:
    """Yield what is wrong with `[early_warning]`."""
    if not 0 <= early_warning.price_within_percent <= 100:
        yield "early_warning.price_within_percent", str(early_warning.price_within_percent), "0 to 100"
    if early_warning.rate_within:
        yield from mistakes_of_duration("early_warning.rate_within", early_warning.rate_within, "10m", "30d")


def mistakes_of_tolerance(tolerance: Tolerance | None) -> Iterator[Mistake]:
    """Yield what is wrong with `policy.tolerance`."""
    if tolerance is None:
        return
    if not 1 <= tolerance.reclaims <= 100:
        yield "policy.tolerance.reclaims", str(tolerance.reclaims), "1 to 100"
    yield from mistakes_of_duration("policy.tolerance.within", tolerance.within, "1m", "30d")


def mistakes_of_duration(key: str, value: str, least: str, most: str) -> Iterator[Mistake]:
    """Yield a duration that is none, or out of its limits, both included."""
    seconds = seconds_of(value)
    if seconds is None or not (seconds_of(least) or 0) <= seconds <= (seconds_of(most) or 0):
        yield key, repr(value), f"{least} to {most}, in seconds (s), minutes (m), hours (h) or days (d)"


def _is_url(text: str) -> bool:
    """Whether it is a URL whose host is the replacement's address and whose characters are all allowed in a request."""
    try:
        url = urlsplit(text)
        has_good_port = url.port is None or url.port > 0
    except ValueError:
        return False
    is_plain = text.isascii() and text.isprintable() and " " not in text
    return (
        url.scheme in ("http", "https") and url.hostname == IP and "@" not in url.netloc and has_good_port and is_plain
    )


def _is_host(text: str) -> bool:
    return len(text) <= 253 and text.isascii() and all(part.replace("-", "").isalnum() for part in text.split("."))


_ROLE = re.compile(r"acs:ram::(\d+):role/[A-Za-z0-9._/-]{1,64}")
_OWNER = re.compile(r"(?:https?://)?(\d+)\.mns")


def _mistakes_of_endpoints(region: RegionSettings) -> Iterator[Mistake]:
    for key in ("mns_endpoint", "ecs_endpoint", "cms_endpoint"):
        value = getattr(region, key)
        is_needed = value or key == "mns_endpoint"
        if is_needed and not re.fullmatch(r"(https?://)?[A-Za-z0-9.-]+(:\d{1,5})?/?", value):
            yield f"region.{key}", repr(value), "a host, or an http:// or https:// URL without a path"


def _owners(region: RegionSettings, accounts: Mapping[str, AccountSettings]) -> set[str]:
    """Return the account ids that the configuration itself gives for the region."""
    account = accounts.get(region.account, AccountSettings())
    named = _ROLE.fullmatch(account.role_arn), _OWNER.match(region.mns_endpoint)
    return {match[1] for match in named if match}
