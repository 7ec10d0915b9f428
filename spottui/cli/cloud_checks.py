"""The checks of `doctor` that call the cloud; none of the calls changes anything."""

import re
import shlex
from collections.abc import Collection, Generator, Iterator, Sequence
from typing import TYPE_CHECKING

from spottui.cli.check import Check, note, of_account, ok, wrong
from spottui.cli.identity_checks import balancers_check, interfaces_check
from spottui.cli.permissions import CLEAN, READY, RECOVER, WATCH, Permission, missing_permission, statement_for
from spottui.cli.progress import Progress
from spottui.cli.setup import missing_steps
from spottui.cloud.account import caller
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.messages import Reclaim, parse_all
from spottui.domain.balancers import Product
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.region_key import DEFAULT_ACCOUNT
from spottui.domain.settings import AccountSettings, Settings

if TYPE_CHECKING:
    from spottui.cloud.region_tools import RegionTools

SKEW_S = 60.0
"""Requests dated minutes off are refused; deadlines are wrong with much smaller differences."""
SKEW_CODES = ("InvalidTimeStamp", "IllegalTimestamp", "TimeExpired")
NEW_KEY = "create a new access key for the RAM user and export it"
NOT_OURS = "this queue holds reclaims of {}, which are not configured: they are left for another console"
CONFIGURE = "spottui init --force"
TRUST_THE_CLOCK = "sudo timedatectl set-ntp true"


def credential_check(settings: Settings, name: str, credentials: CredentialSource) -> Check:
    """Report the origin and the owner of an account's credentials, without secrets.

    Those of a role exist only after it has been assumed.
    """
    subject, account = of_account(settings, "credentials", name), settings.accounts.get(name, AccountSettings())
    try:
        model = credentials.get_credential()
    except CloudError as error:
        fix = "export ALIBABA_CLOUD_ACCESS_KEY_ID=… ALIBABA_CLOUD_ACCESS_KEY_SECRET=…"
        return wrong(subject, error.line, _fix_of(account) or fix)
    where = str(settings.credentials_file or model.provider_name or "the SDK's default chain")
    if account.role_arn:
        return ok(subject, f"temporary {str(model.access_key_id)[:8]}… of {account.role_arn}, which could be assumed")
    kind = "temporary" if model.security_token else "access key"
    profile = f", profile {account.profile!r}" if account.profile else ""
    return ok(subject, f"{kind} {str(model.access_key_id)[:8]}… from {where}{profile}")


def identity_check(
    settings: Settings, name: str, credentials: CredentialSource, seen: dict[tuple[str, str], str]
) -> Check:
    """Check which identity makes our calls in an account, and whether its queues belong to that account.

    `seen` maps account id and region to the name that they were found under, and is extended: each reclaim of an
    account that is watched under two names would be recovered twice.
    """
    subject, regions = (
        of_account(settings, "identity", name),
        [region for region in settings.regions if region.account == name],
    )
    try:
        identity = caller(settings, regions[0], credentials)
    except CloudError as error:
        if error.kind is ErrorKind.CREDENTIALS and not error.code.startswith(SKEW_CODES):
            return wrong(subject, error.line, NEW_KEY)
        return note(subject, f"unknown: {error.line}")
    said = f"{identity.arn} in account {identity.account_id}"
    twice = [region.id for region in regions if seen.setdefault((identity.account_id, region.id), name) != name]
    if identity.account_id and twice:
        other = seen[identity.account_id, twice[0]] or DEFAULT_ACCOUNT
        said = f"{said}, which is account {other} too: each reclaim in {', '.join(twice)} would be recovered twice"
        return wrong(subject, said, "remove one of the two [[region]] tables")
    owners = {owner[1] for region in regions if (owner := re.search(r"(\d{6,})\.mns", region.mns_endpoint))}
    if identity.account_id and owners - {identity.account_id}:
        said = f"{said}, but a queue belongs to account {', '.join(sorted(owners - {identity.account_id}))}"
        return note(subject, said, "set mns_endpoint in the configuration")
    return ok(subject, said)


def _fix_of(account: AccountSettings) -> str:
    if account.role_arn:
        return "spottui setup --policy accounts"
    return f"aliyun configure --profile {shlex.quote(account.profile)}" if account.profile else ""


def region_checks(
    tools: "RegionTools", progress: Progress, configured: Collection[str], *, watch_only: bool, keeps_ready: bool
) -> Iterator[Check]:
    """Check one region: endpoint and clock, permissions, fleet, queue and rule, each at its endpoint.

    `configured` are the ids of all regions of its account in the configuration.
    """
    endpoint = _endpoint(tools)
    yield endpoint
    spot: Sequence[LaunchSpec] | None = None
    if not endpoint.fix:
        yield from _permissions(tools, progress, watch_only=watch_only, keeps_ready=keeps_ready)
        spot = yield from _fleet(tools)
        if not watch_only:
            yield from (balancers_check(tools, product) for product in Product)
            yield interfaces_check(tools, spot or ())
    yield from _queue(tools)
    yield from _for_others(tools, configured)
    yield from _rule(tools, has_spot=spot is None or bool(spot))


def _endpoint(tools: "RegionTools") -> Check:
    subject = f"ECS {tools.settings.key}"
    try:
        tools.any_ecs.call("DescribeRegions", {})
    except CloudError as error:
        if error.code.startswith(SKEW_CODES):
            return wrong(subject, error.line, TRUST_THE_CLOCK)
        if error.kind is ErrorKind.CREDENTIALS:
            return wrong(subject, error.line, NEW_KEY)
        if error.kind in (ErrorKind.UNREACHABLE, ErrorKind.BROKEN):
            return wrong(subject, error.line, f"curl -sI https://ecs.{tools.settings.id}.aliyuncs.com; {error.advice}")
        return note(subject, f"reachable: {error.line}")
    skew_s = tools.any_ecs.skew_s
    if skew_s is None:
        return ok(subject, "reachable")
    said = f"reachable, this clock is {abs(skew_s):.0f} s {'ahead' if skew_s > 0 else 'behind'}"
    return wrong(subject, said, TRUST_THE_CLOCK) if abs(skew_s) > SKEW_S else ok(subject, said)


def _permissions(tools: "RegionTools", progress: Progress, *, watch_only: bool, keeps_ready: bool) -> Iterator[Check]:
    subject = f"permission {tools.settings.key}"
    wanted = WATCH if watch_only else (*WATCH, *RECOVER, *CLEAN)
    if keeps_ready and not watch_only:
        wanted = (*wanted, *(permission for permission in READY if permission not in wanted))
    tried = [permission for permission in wanted if permission.probe is not None]
    found: list[tuple[Permission, CloudError | None]] = []
    for number, permission in enumerate(tried):
        progress.show(f"{subject}: {permission.action}", number, len(tried))
        found.append((permission, missing_permission(tools.any_ecs, permission)))
    granted = sum(error is None for _, error in found)
    yield ok(subject, f"{granted} of {len(tried)} ECS actions granted")
    for permission, error in found:
        if error is None:
            continue
        if error.kind is not ErrorKind.DENIED:
            yield note(subject, f"unknown: {error.line}")
        elif permission in CLEAN and not (keeps_ready and permission in READY):
            yield note(subject, f"{error.line}; only the janitor needs it", "spottui setup --policy clean")
        else:
            yield wrong(subject, error.line, statement_for("ecs", permission.action))
    untried = [permission.action for permission in wanted if permission.probe is None]
    if untried:
        yield note(subject, f"{', '.join(untried)} cannot be verified without side effects")


def _fleet(tools: "RegionTools") -> Generator[Check, None, Sequence[LaunchSpec] | None]:
    """Report the fleet and return its spot instances, None if unknown.

    An empty answer is an empty fleet only when the account may list instances.
    """
    subject = f"fleet {tools.settings.key}"
    try:
        specs = [spec for page in tools.ecs.fleet() for spec in page]
        if not specs:
            tools.ecs.check_permission()
    except CloudError as error:
        fix = statement_for("ecs", "DescribeInstances") if error.kind is ErrorKind.DENIED else error.advice
        empty = "the list is empty because access is denied: " if error.kind is ErrorKind.DENIED else ""
        yield wrong(subject, f"{empty}{error.line}", fix or "try again")
        return None
    if not specs:
        yield note(subject, "no instances; the permission to list them is granted")
        return ()
    spot = [spec for spec in specs if spec.instance.is_spot]
    yield ok(subject, f"{len(specs)} instances, {len(spot)} of them spot")
    zones = {spec.instance.zone for spec in spot} - set(tools.settings.vswitches)
    if zones:
        said = f"no vSwitch is configured for {', '.join(sorted(zones))}"
        yield note(subject, f"{said}: a replacement can only use the old vSwitch", "spottui init --force")
    return spot


def _queue(tools: "RegionTools") -> Iterator[Check]:
    subject = f"queue {tools.settings.key}"
    name = tools.settings.queue
    setup = f"spottui setup  # creates {name}"
    try:
        backlog = tools.queue.backlog()
        tools.queue.check_permission()
    except CloudError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            yield wrong(subject, f"{name} does not exist", setup)
        elif error.kind is ErrorKind.DENIED:
            yield wrong(subject, error.line, statement_for("mns", error.action))
        else:
            yield wrong(subject, error.line, error.advice or "try again")
        return
    waiting = f", {backlog.waiting} messages waiting" if backlog.waiting >= 0 else ""
    yield ok(subject, f"{name} exists{waiting}; `spottui drill` proves that messages can be received")


def _for_others(tools: "RegionTools", configured: Collection[str]) -> Iterator[Check]:
    """Report other regions whose reclaims wait in the queue: a console leaves them to one with those regions."""
    try:
        said = [event for message in tools.queue.peek() for event in parse_all(message.body)]
    except CloudError:
        # Nothing else needs the permission to peek.
        return
    named = {reclaim.region for reclaim in said if isinstance(reclaim, Reclaim) and reclaim.region} - set(configured)
    if named:
        yield note(f"queue {tools.settings.key}", NOT_OURS.format(", ".join(sorted(named))), CONFIGURE)


def _rule(tools: "RegionTools", *, has_spot: bool) -> Iterator[Check]:
    subject = f"rule {tools.settings.key}"
    try:
        steps = [step for step in missing_steps(tools) if step != "queue"]
    except CloudError as error:
        if error.kind is ErrorKind.DENIED:
            yield wrong(subject, error.line, statement_for("cms", error.action))
        else:
            yield wrong(subject, error.line, error.advice or "try again")
        return
    if not steps:
        yield ok(subject, f"reclaims go to {tools.settings.queue}")
    elif has_spot:
        yield wrong(subject, f"no enabled rule sends reclaims to {tools.settings.queue}", "spottui setup")
    else:
        yield note(subject, "no enabled rule sends reclaims here; there are no spot instances", "spottui setup")
