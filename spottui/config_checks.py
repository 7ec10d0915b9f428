"""What a value of the configuration must be beside its type, for the tables with rules of their own."""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from spottui.domain.billed_resources import SNAPSHOT_PRICE
from spottui.domain.dates import seconds_of
from spottui.domain.hook import HookEvent, HookPlace, HookSettings
from spottui.domain.probe import IP, ProbeSettings
from spottui.domain.ready import IMAGE_EVERY, MOST_KEPT, SNAPSHOTS_EVERY
from spottui.domain.settings import DrainSettings, ReadySettings, Tolerance

Mistake = tuple[str, str, str]
"""The key, what was found, and what is allowed."""

LONGEST_COMMAND = 16_000
"""Characters; Cloud Assistant takes 24 KiB of Base64."""


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
    """Whether it is a URL whose host is the replacement's address, and whose every character may stand in a request."""
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
