"""The configuration a console needs to work against the simulated cloud, and its credentials beside it."""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spottui.sim.model import Region
from spottui.sim.world import World


def write(
    path: Path, url: str, regions: Iterable[Region], key: tuple[str, str], policy: Mapping[str, Any],
    ca_file: Path | None, drains: Mapping[str, Mapping[str, Any]], accounts: Mapping[str, World],
) -> None:  # fmt: skip
    """Write `path` and `<stem>-credentials.ini` beside it, the latter readable by its owner only.

    `accounts` are others than that of the key, by their names: it assumes a role of each.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    credentials = path.with_name(f"{path.stem}-credentials.ini")
    _write_private(credentials, _credentials(*key))
    head = "# Written by `spottui sim`: a configuration for the simulated cloud on this machine.\n"
    ca = f"ca_file = {_value(str(ca_file))}\n" if ca_file else ""
    # A world of its own has a journal of its own: no console meets the recoveries of a world that is gone.
    journal = f"journal = {_value(f'{path.stem}-{datetime.now(UTC):%Y%m%d-%H%M%S}.db')}\n"
    tables = [f"{journal}{ca}\n[credentials]\nfile = {_value(credentials.name)}\n"]
    tables += [_region(region, url) for region in regions]
    for name, other in accounts.items():
        tables += [_region(region, url, name) for region in other.regions.values()]
        tables.append(f"[account.{name}]\nrole_arn = {_value(f'acs:ram::{other.account_id}:role/spottui')}\n")
    tables += [_drain(name, drain) for name, drain in drains.items()]
    # The policy is last, where a test or a person adds to it.
    tables.append("[policy]\n" + _lines(policy))
    path.write_text(head + "\n".join(tables), "utf-8")


def _drain(name: str, drain: Mapping[str, Any]) -> str:
    return f"[drain.{name}]\n{_lines(drain)}"


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _credentials(access_key_id: str, secret: str) -> str:
    return f"[default]\ntype = access_key\naccess_key_id = {access_key_id}\naccess_key_secret = {secret}\n"


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _region(region: Region, url: str, account: str = "") -> str:
    named = f"account = {_value(account)}\n" if account else ""
    endpoints = "".join(f"{service}_endpoint = {_value(url)}\n" for service in ("ecs", "mns", "cms"))
    vswitches = "".join(f"{zone} = {_value(vswitch)}\n" for zone, vswitch in region.vswitches.items())
    return (
        f"[[region]]\nid = {_value(region.id)}\n{named}queue = {_value(region.queue)}\n{endpoints}\n"
        f"[region.vswitches]\n{vswitches}"
    )


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_value(str(k))} = {_value(v)}" for k, v in value.items()) + " }"
    # JSON's strings, numbers, booleans and lists of them are TOML's too.
    return json.dumps(value, ensure_ascii=False)
