"""`spottui launch`: spot instances from a template of the configuration, launched exactly once."""

import json
import secrets
import time
from typing import TYPE_CHECKING

import click

from spottui.cli.common import Failed, Wrong, agree, refuse_if_read_only, with_settings
from spottui.cli.completion import templates
from spottui.cli.printing import Printing

if TYPE_CHECKING:
    from spottui.cloud.errors import CloudError
    from spottui.cloud.region_tools import RegionTools
    from spottui.cloud.rpc import Rpc
    from spottui.domain.settings import LaunchTemplate, Settings
    from spottui.journal.launches import Launch, Launches

_EXAMPLES = """\b
Examples:
  spottui launch web --count 3 --dry-run
  spottui launch web --yes
\b
The template is a table of the configuration:
  [template.web]
  region = "cn-hangzhou"
  image_id = "m-…"
  instance_type = "ecs.c7.large"
  vswitch_id = "vsw-…"
  security_group_ids = ["sg-…"]
  key_pair = "ops"
"""
PAUSES_S = (0.5, 1, 2, 4)
"""Pauses between the tries of a launch with an unknown effect; all use the same token."""


@click.command(epilog=_EXAMPLES)
@with_settings
@click.argument("template", shell_complete=templates)
@click.option(
    "--count",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Number of instances: all are launched, or none.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan and let the cloud check it; launch nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="{template, instance_ids[], request_id}")
def launch(settings: "Settings", template: str, count: int, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Launch spot instances from TEMPLATE.

    The cloud checks the request first (DryRun: image, vSwitch, stock, quota). A launch whose answer was lost is
    repeated with the same ClientToken; a later run of the same command looks for its instances first. It never
    launches twice.
    """
    from spottui.cloud.errors import CloudError
    from spottui.cloud.launching import check_launch
    from spottui.journal import Journal

    wanted = settings.templates.get(template)
    if wanted is None:
        known = ", ".join(sorted(settings.templates)) or "none; `spottui launch --help` shows one"
        raise Wrong(f'no template "{template}" in the configuration; templates: {known}.')
    _refuse_too_many_tags(wanted, template)
    launches = Journal(settings.journal).launches
    left = launches.open(template)
    if left:
        _finish(settings, launches, left, dry_run=dry_run, as_json=as_json)
        return
    if not as_json:
        _show(wanted, template, count)
    asked = _asked(template, count, wanted)
    rpc = _tools(settings, wanted.region_key).any_ecs
    try:
        check_launch(rpc, asked.template, template, count)
    except CloudError as error:
        said = (f"{error.line}.", error.advice, "Nothing was launched: this was the check.")
        raise Failed(" ".join(part for part in said if part)) from None
    if not as_json:
        click.echo("checked: the cloud would launch this now")
    if dry_run:
        if as_json:
            click.echo(json.dumps({"template": template, "count": count, "instance_ids": []}))
        return
    refuse_if_read_only()
    agree(f"Launch {count}?", yes=yes)
    with Printing():
        launches.begin(asked)
        _print(_carry_out(rpc, launches, asked), template, as_json=as_json)


def _refuse_too_many_tags(wanted: "LaunchTemplate", name: str) -> None:
    from spottui.cloud.launching import OWN_TAGS
    from spottui.domain.launch_spec import MOST_TAGS

    room = MOST_TAGS - len(OWN_TAGS)
    if len(wanted.tags) > room:
        raise Wrong(
            f'template "{name}" has {len(wanted.tags)} tags. The cloud allows {MOST_TAGS}, and {len(OWN_TAGS)} are '
            f"needed for {' and '.join(OWN_TAGS)}: keep at most {room}."
        )


def _finish(settings: "Settings", launches: "Launches", left: "Launch", *, dry_run: bool, as_json: bool) -> None:
    """Find out the result of an earlier launch: look for its instances, then repeat the call."""
    next_step = "run without --dry-run to find out" if dry_run else "looking for its instances"
    click.echo(
        f"the launch of {left.count} at {left.at:%Y-%m-%d %H:%M:%S} UTC has no known outcome: {next_step}", err=True
    )
    if dry_run:
        return
    refuse_if_read_only()
    with Printing():
        tools = _tools(settings, left.template.region_key)
        ids = _found(tools, launches, left)
        launched = (ids, "") if ids else _carry_out(tools.any_ecs, launches, left, known=False)
        _print(launched, left.name, as_json=as_json)


def _found(tools: "RegionTools", launches: "Launches", left: "Launch") -> tuple[str, ...]:
    """Return the instances of an earlier run: the cloud may have forgotten its token, not its tag."""
    from datetime import UTC, datetime

    from spottui.cloud.launching import LAUNCH_TAG

    if LAUNCH_TAG not in left.template.tags:
        return ()
    ids = tools.ecs.ids_tagged(LAUNCH_TAG, left.token)
    if ids:
        launches.end(left, ",".join(ids), datetime.now(UTC))
    return ids


def _asked(name: str, count: int, template: "LaunchTemplate") -> "Launch":
    from datetime import UTC, datetime

    from msgspec.structs import replace

    from spottui.cloud.launching import LAUNCH_TAG
    from spottui.journal.launches import Launch

    token = secrets.token_hex(24)
    tagged = replace(template, tags={**template.tags, LAUNCH_TAG: token})
    return Launch(token, name, count, tagged, datetime.now(UTC))


def _carry_out(rpc: "Rpc", launches: "Launches", asked: "Launch", *, known: bool = True) -> tuple[tuple[str, ...], str]:
    """Repeat the call until it is answered; `known` while no earlier try with this token may have taken effect."""
    from datetime import UTC, datetime

    from spottui.cloud.errors import CloudError
    from spottui.cloud.launching import launch

    for pause_s in (*PAUSES_S, None):
        try:
            ids, request_id = launch(rpc, asked.template, asked.name, asked.count, asked.token)
        except CloudError as error:
            known = known and not error.kind.effect_unknown
            if error.kind.repeats and pause_s is not None:
                time.sleep(pause_s)
                continue
            if not known and _precedes_the_token(error):
                raise Failed(
                    f"{error.line}. It is unknown whether it was launched: repeat the command, its token is kept."
                ) from None
            launches.end(asked, error.line, datetime.now(UTC))
            raise
        launches.end(asked, ",".join(ids), datetime.now(UTC))
        return ids, request_id
    raise AssertionError("unreachable")


def _precedes_the_token(error: "CloudError") -> bool:
    """Whether the error comes before the token is checked, so that an earlier effect would not show."""
    from spottui.cloud.errors import ErrorKind

    before_it = (ErrorKind.DENIED, ErrorKind.CREDENTIALS, ErrorKind.THROTTLED)
    return error.kind.effect_unknown or error.kind in before_it


def _tools(settings: "Settings", region: str) -> "RegionTools":
    from spottui.cloud.region_tools import credentials_of, region_tools

    every = region_tools(settings, credentials_of(settings))
    here = next((tools for tools in every if tools.settings.key == region), None)
    if here is None:
        raise Failed(
            f"{region} is not in the configuration any more: what was launched there is unknown. Put it back and "
            f"repeat the command."
        )
    return here


def _show(wanted: "LaunchTemplate", name: str, count: int) -> None:
    from msgspec.structs import asdict

    click.secho(f"launch {count} from {name}", bold=True)
    for key, value in asdict(wanted).items():
        if value:
            click.echo(f"  {key.replace('_', ' '):<24}{_value(value)}")


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={part}" for key, part in value.items())
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)


def _print(launched: tuple[tuple[str, ...], str], template: str, *, as_json: bool) -> None:
    ids, request_id = launched
    if as_json:
        click.echo(json.dumps({"template": template, "instance_ids": ids, "request_id": request_id}))
    elif request_id:
        click.echo(f"launched {', '.join(ids)} [RequestId {request_id}]")
    else:
        click.echo(f"launched {', '.join(ids)}, by the earlier run")
