"""`spottui init`: writes a commented configuration from flags, the environment or answers; never a secret."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spottui.cli.common import Wrong, agree
from spottui.cli.config_text import Answers, config_text

if TYPE_CHECKING:
    from spottui.domain.settings import Settings

_EXAMPLES = """\b
Examples:
  spottui init                                asks for everything
  spottui init --region cn-hangzhou --account-id 1690700000000030
  spottui init --from-env --yes
\b
The environment that --from-env reads: ALIBABA_CLOUD_REGION_ID,
ALIBABA_CLOUD_ACCOUNT_ID, ALIBABA_CLOUD_CREDENTIALS_FILE, SPOTTUI_QUEUE,
SPOTTUI_ECS_ENDPOINT, SPOTTUI_MNS_ENDPOINT, SPOTTUI_CMS_ENDPOINT
"""


@click.command(epilog=_EXAMPLES)
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.option("--region", "regions", multiple=True, help="A region to watch; repeatable.")
@click.option("--account-id", default="", help="The account id; it is part of the queue's endpoint.")
@click.option("--queue", default="", help="Queue name.  [default: spot-interruption]")
@click.option("--mns-endpoint", default="", help="MNS endpoint.  [default: https://ACCOUNT.mns.REGION.aliyuncs.com]")
@click.option("--ecs-endpoint", default="", help="ECS endpoint.  [default: the region's]")
@click.option("--cms-endpoint", default="", help="CloudMonitor endpoint.  [default: the region's]")
@click.option("--credentials-file", default="", help="The SDK's credentials.ini or aliyun's config.json.")
@click.option("--from-env", is_flag=True, help="Take missing values from the environment.")
@click.option("--force", is_flag=True, help="Replace an existing configuration; it is kept as FILE.old.")
@click.option("--dry-run", is_flag=True, help="Print the configuration; write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--offline", is_flag=True, help="Do not look up vSwitches.")
@click.pass_context
def init(
    ctx: click.Context,
    config: Path | None,
    regions: tuple[str, ...],
    account_id: str,
    queue: str,
    mns_endpoint: str,
    ecs_endpoint: str,
    cms_endpoint: str,
    credentials_file: str,
    from_env: bool,
    force: bool,
    dry_run: bool,
    yes: bool,
    offline: bool,
) -> None:
    """Write a configuration, with the vSwitches of each zone if the account may list them.

    It never holds secrets: credentials come from the environment, the SDK's files or the instance's RAM role.
    """
    from spottui.config import default_path

    path = config or ctx.find_root().params.get("config") or default_path()
    given = Answers(regions, queue, account_id, mns_endpoint, ecs_endpoint, cms_endpoint, credentials_file, {})
    if path.exists() and not force and not dry_run:
        raise Wrong(f"{path} already exists. Pass --force to replace it; it is kept as {path.name}.old.")
    answers = _asked(_from_environment(given) if from_env else given, may_ask=sys.stdin.isatty() and not yes)
    _write(path, answers, dry_run=dry_run, yes=yes, offline=offline)


def _write(path: Path, answers: Answers, *, dry_run: bool, yes: bool, offline: bool) -> None:
    settings = _checked(path, config_text(answers))
    if not offline:
        answers = replace(answers, vswitches=_vswitches(settings))
    text = config_text(answers)
    if dry_run:
        click.echo(text)
        return
    agree(f"Write {path}?", yes=yes or not sys.stdin.isatty())
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_name(f"{path.name}.old"))
    path.write_text(text, "utf-8")
    named = "" if path == _default() else f" --config {path}"
    click.echo(f"written: {path}\nnext: spottui setup{named}, then spottui doctor{named}")


def _default() -> Path:
    from spottui.config import default_path

    return default_path()


def _checked(path: Path, text: str) -> "Settings":
    """Load the text as the program will, so that no invalid configuration is written."""
    import tempfile

    from spottui.config import ConfigProblem, load

    with tempfile.TemporaryDirectory() as directory:
        draft = Path(directory) / "draft.toml"
        draft.write_text(text, "utf-8")
        try:
            return load(draft)
        except ConfigProblem as problem:
            raise Wrong(f"these answers make no valid configuration: {str(problem).removeprefix(str(draft))}") from None


def _from_environment(given: Answers) -> Answers:
    def value(*names: str) -> str:
        return next((os.environ[name] for name in names if os.environ.get(name)), "")

    region = value("ALIBABA_CLOUD_REGION_ID", "ALICLOUD_REGION", "SPOTTUI_REGION")
    return replace(
        given,
        regions=given.regions or tuple(part.strip() for part in region.split(",") if part.strip()),
        queue=given.queue or value("SPOTTUI_QUEUE"),
        account_id=given.account_id or value("ALIBABA_CLOUD_ACCOUNT_ID", "ALICLOUD_ACCOUNT_ID"),
        mns_endpoint=given.mns_endpoint or value("SPOTTUI_MNS_ENDPOINT", "MNS_ENDPOINT"),
        ecs_endpoint=given.ecs_endpoint or value("SPOTTUI_ECS_ENDPOINT"),
        cms_endpoint=given.cms_endpoint or value("SPOTTUI_CMS_ENDPOINT"),
        credentials_file=given.credentials_file or value("ALIBABA_CLOUD_CREDENTIALS_FILE"),
    )


def _asked(given: Answers, *, may_ask: bool) -> Answers:
    """Complete the given answers by asking, or report the missing flag."""
    if not given.regions:
        text = _answer("Regions to watch, comma-separated", "cn-hangzhou", "--region", may_ask=may_ask)
        given = replace(given, regions=tuple(part.strip() for part in text.split(",") if part.strip()))
    if not given.account_id and not given.mns_endpoint:
        given = replace(given, account_id=_answer("Account id (a number)", None, "--account-id", may_ask=may_ask))
    queue = given.queue
    if not queue:
        queue = click.prompt("Queue", default="spot-interruption", err=True) if may_ask else "spot-interruption"
    if given.credentials_file:
        given = replace(given, credentials_file=str(Path(given.credentials_file).expanduser().absolute()))
    return replace(given, queue=queue)


def _answer(question: str, default: str | None, flag: str, *, may_ask: bool) -> str:
    if not may_ask:
        raise Wrong(f"{flag} is missing, and this is not a terminal.")
    return str(click.prompt(question, default=default, err=True))


def _vswitches(settings: "Settings") -> dict[str, dict[str, str]]:
    """Ask each region for the vSwitches of its spot instances' VPC; regions that cannot be read are reported."""
    from spottui.cloud.errors import CloudError
    from spottui.cloud.region_tools import credentials_of, region_tools
    from spottui.cloud.vswitches import vswitches_by_zone

    by_region: dict[str, dict[str, str]] = {}
    for tools in region_tools(settings, credentials_of(settings)):
        try:
            by_region[tools.settings.id] = vswitches_by_zone(tools)
        except CloudError as error:
            click.echo(f"vSwitches of {tools.settings.id} are unknown: {error.line}", err=True)
    return by_region
