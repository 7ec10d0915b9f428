"""`spottui setup`: creates the queue, the CloudMonitor rule and its target in every region; prints RAM policies."""

import json
from typing import TYPE_CHECKING

import click

from spottui.cli.common import Wrong, agree, failed, known_account, refuse_if_read_only, with_settings
from spottui.cli.permissions import policy_document
from spottui.cli.printing import Printing

if TYPE_CHECKING:
    from spottui.cloud.region_tools import RegionTools
    from spottui.domain.settings import Settings

RULE = "spottui-reclaim"

_EXAMPLES = """\b
Examples:
  spottui setup --dry-run          show what would be created
  spottui setup --yes              create it; safe to repeat
  spottui setup --policy recover   the RAM policy for spottui
  spottui setup --policy balancers what load balancers need, one part each
  spottui setup --policy identity  what interfaces and DNS records need
  spottui setup --policy ready     what [[ready]] needs in addition
  spottui setup --policy clean     the RAM policy for the janitor
  spottui setup --policy delete-on-demand   for the end of a way back to spot
  spottui setup --policy accounts  what the own identity needs to assume the
                                   role_arn of each [account.NAME]
  spottui setup --account prod --policy recover   for the role of one account
"""


@click.command(epilog=_EXAMPLES)
@with_settings
@click.option("--dry-run", is_flag=True, help="Show the plan and exit.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--policy",
    type=click.Choice(
        ["watch", "recover", "balancers", "identity", "ready", "clean", "delete-on-demand", "setup", "accounts"]
    ),
    metavar="PART",
    help="Print this RAM policy; PART is one of: watch, recover, balancers, identity, ready, clean, "
    "delete-on-demand, setup, accounts.",
)
@click.option("--account", default="", help="Only this account of the configuration.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan and the result as JSON.")
def setup(settings: "Settings", dry_run: bool, yes: bool, policy: str | None, account: str, as_json: bool) -> None:
    """Create what is missing between CloudMonitor and spottui in every configured region.

    That is the queue, a rule for reclaim events, and the rule's target. Existing resources, whatever their names, are
    left alone. The plan is shown first.
    """
    settings = _of_account(settings, known_account(settings, account))
    if policy:
        _refuse_if_mixed(policy, settings)
        click.echo(json.dumps(policy_document(policy, settings), indent=2))
        return
    from spottui.cloud.region_tools import credentials_of, region_tools

    tools = region_tools(settings, credentials_of(settings))
    plans: dict[str, list[str]] = {tool.settings.key: missing_steps(tool) for tool in tools}
    if not as_json:
        _show(plans, settings)
    if not dry_run and any(plans.values()):
        refuse_if_read_only()
        agree("Create all this?", yes=yes)
        with Printing():
            for region in tools:
                _make(plans[region.settings.key], region, as_json=as_json)
    if as_json:
        click.echo(json.dumps({"done": not dry_run, "regions": plans}))


def _of_account(settings: "Settings", account: str) -> "Settings":
    from msgspec.structs import replace

    from spottui.domain.region_key import shown_account

    regions = tuple(region for region in settings.regions if account in ("", shown_account(region.key)))
    return replace(settings, regions=regions)


def _refuse_if_mixed(policy: str, settings: "Settings") -> None:
    """A policy is attached in one account and names its queues; only AssumeRole is granted outside of the role's."""
    names = settings.shown_accounts
    if policy != "accounts" and len(names) > 1:
        raise Wrong(f"a policy is for one account: pass --account {'|'.join(names)}.")
    if policy == "accounts" and not any(account_settings.role_arn for account_settings in settings.accounts.values()):
        raise Wrong("no [account.NAME] of the configuration has a role_arn, so there is no role to assume.")


def missing_steps(tools: "RegionTools") -> list[str]:
    """Return what is missing in a region, of `queue`, `rule` and `target`, in the order in which it is made."""
    steps = [] if _has_queue(tools) else ["queue"]
    rules = [rule for rule in tools.rules.all() if rule.enabled and rule.covers_reclaims]
    if any(_sends_here(tools, rule.name) for rule in rules):
        return steps
    return [*steps, *([] if any(rule.name == RULE for rule in rules) else ["rule"]), "target"]


def describe(step: str, queue: str) -> str:
    """Return a step in words."""
    return {
        "queue": f"create the queue {queue}",
        "rule": f"create the CloudMonitor rule {RULE} for spot reclaims",
        "target": f"send events of the rule {RULE} to the queue {queue}",
    }[step]


def _show(plans: dict[str, list[str]], settings: "Settings") -> None:
    for region in settings.regions:
        steps = plans[region.key]
        click.echo(f"{region.key}:" + ("" if steps else " nothing to do, reclaim events reach the queue"))
        for step in steps:
            click.echo(f"  + {describe(step, region.queue)}")


def _make(steps: list[str], tools: "RegionTools", *, as_json: bool) -> None:
    from spottui.cloud.errors import CloudError

    for step in steps:
        try:
            _carry_out(step, tools)
        except CloudError as error:
            raise failed(error, "Run `spottui setup` again to create what is missing.") from None
        click.echo(f"done  {tools.settings.key}: {describe(step, tools.settings.queue)}", err=as_json)


def _carry_out(step: str, tools: "RegionTools") -> None:
    match step:
        case "queue":
            tools.queue.create()
        case "rule":
            tools.rules.put(RULE)
        case "target":
            tools.rules.put_target(RULE, tools.settings.queue)


def _has_queue(tools: "RegionTools") -> bool:
    from spottui.cloud.errors import CloudError, ErrorKind

    try:
        tools.queue.backlog()
    except CloudError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return False
        raise
    return True


def _sends_here(tools: "RegionTools", rule_name: str) -> bool:
    here = (tools.settings.id, tools.settings.queue)
    return any((target.region, target.queue) == here for target in tools.rules.targets(rule_name))
