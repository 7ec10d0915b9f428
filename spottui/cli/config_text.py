"""The text of a configuration, with its comments."""

import json
from dataclasses import dataclass

_HEAD = """\
# What spottui watches and may do. `spottui doctor` checks it against the account.
# No secrets here: credentials come from the environment (ALIBABA_CLOUD_ACCESS_KEY_ID, …_SECRET),
# ~/.aliyun/config.json, ~/.alibabacloud/credentials.ini, OIDC, or the instance's RAM role.

# notify = ["dingtalk://…"]      # Apprise URLs; they contain tokens, so keep this file private (chmod 600)
# journal = "spottui.db"         # default: in ~/.local/state/spottui; or postgresql://USER@HOST/DATABASE
"""
_POLICY = """\
[policy]                         # all optional; these are the defaults
# veto_window_s = 20             # seconds to veto auto-mode; shorter when time is short
# max_at_once = 3                # recoveries that auto-mode runs at once
# max_per_hour = 10
# stop_file = ""                 # auto-mode is disarmed while this file exists

# [account.prod]                 # one more account; a [[region]] names it with account = "prod"
# role_arn = "acs:ram::…:role/spottui"    # assumed with the credentials above; or: profile = "prod"
# max_at_once = 3                # its own limits of auto-mode

# [storage_price]                # your price per GiB and month; reports then price what is kept
# snapshot = 0.0                 # images too
# cloud_essd = 0.0               # and other categories of disks
# eip = 0.0                      # per EIP and month

# [[ready]]                      # made in calm time; `spottui ready --dry-run` shows what it costs
# match = {role = "web"}         # instances with these tags; an empty value matches any
# image_every = "6h"             # an image of the system disk
# snapshots_every = "15m"        # a snapshot group of the data disks; leave it out for none
# keep = 2                       # the newest usable ones of each; the older ones go
# max_cost_per_month = 0.0       # needs storage_price.snapshot; 0 for no limit

# [template.web]                 # for `spottui launch web`
# region = "cn-hangzhou"
# image_id = "m-…"
# instance_type = "ecs.c7.large"
# vswitch_id = "vsw-…"
# security_group_ids = ["sg-…"]
# key_pair = "ops"
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a configuration is made of; an endpoint is empty for the region's own."""

    regions: tuple[str, ...]
    queue: str
    account_id: str
    mns_endpoint: str
    ecs_endpoint: str
    cms_endpoint: str
    credentials_file: str
    vswitches: dict[str, dict[str, str]]


def config_text(answers: Answers) -> str:
    """Return the TOML text; a value from outside is always a quoted string."""
    credentials = f"\n[credentials]\nfile = {_text(answers.credentials_file)}\n" if answers.credentials_file else ""
    regions = "\n".join(_region(region, answers) for region in answers.regions)
    return f"{_HEAD}{credentials}\n{regions}\n{_POLICY}"


def _region(region: str, answers: Answers) -> str:
    mns = answers.mns_endpoint or f"https://{answers.account_id}.mns.{region}.aliyuncs.com"
    lines = ["[[region]]", f"id = {_text(region)}", f"queue = {_text(answers.queue)}", f"mns_endpoint = {_text(mns)}"]
    if answers.ecs_endpoint:
        lines.append(f"ecs_endpoint = {_text(answers.ecs_endpoint)}")
    if answers.cms_endpoint:
        lines.append(f"cms_endpoint = {_text(answers.cms_endpoint)}")
    return "\n".join([*lines, "", *_vswitches(answers.vswitches.get(region, {})), ""])


def _vswitches(by_zone: dict[str, str]) -> list[str]:
    comment = "[region.vswitches]               # where a replacement may run, in order of preference"
    if not by_zone:
        return [comment, '# cn-hangzhou-h = "vsw-…"']
    return [comment, *[f"{_text(zone)} = {_text(vswitch)}" for zone, vswitch in by_zone.items()]]


def _text(value: str) -> str:
    # A JSON string is a valid TOML string, except for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
