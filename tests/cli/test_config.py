"""Every mistake in a configuration is named with file, line, key, what was found and what is allowed."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spottui.config import ConfigProblem, load
from spottui.domain.hook import HookEvent, HookPlace
from spottui.domain.probe import ProbeAddress
from spottui.domain.region_key import account_of, region_id, region_key
from spottui.domain.settings import Policy, ReadySettings

GOOD = """
[[region]]
id = "cn-hangzhou"
queue = "spot-interruption"
mns_endpoint = "https://1690.mns.cn-hangzhou.aliyuncs.com"

[region.vswitches]
cn-hangzhou-h = "vsw-h"

[[region]]
id = "cn-beijing"
queue = "spot-interruption"
mns_endpoint = "1690.mns.cn-beijing.aliyuncs.com"

[policy]
veto_window_s = 10

[profile.staging.policy]
veto_window_s = 0
"""


TEMPLATE = """
[template.web]
region = "cn-beijing"
image_id = "m-1"
instance_type = "ecs.c7.large"
vswitch_id = "vsw-1"
security_group_ids = ["sg-1"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "prod.toml"


def test_a_good_file_is_read_with_defaults(path: Path) -> None:
    path.write_text(GOOD)
    settings = load(path)
    assert [region.id for region in settings.regions] == ["cn-hangzhou", "cn-beijing"]
    assert settings.regions[0].vswitches == {"cn-hangzhou-h": "vsw-h"}
    assert settings.policy == Policy(veto_window_s=10)
    assert settings.profile == "prod"


PROBE = """
[probe.web]
http = "https://{ip}:8443/health?deep=1"
tls_name = "web.corp.internal"
ca_file = "ca.pem"
address = "public"
patience = "90s"
"""


def test_a_probe_is_read_and_its_mistakes_are_named(path: Path) -> None:
    (path.parent / "ca.pem").write_text("")
    path.write_text(GOOD + PROBE)
    web = load(path).probe["web"]
    assert web.target("10.0.0.5") == "https://10.0.0.5:8443/health?deep=1"
    assert (web.address, web.ca_file, web.patience_s) == (ProbeAddress.PUBLIC, str(path.parent / "ca.pem"), 90)
    for old, new, parts in (
        ("{ip}", "{ip}@evil.example", ["line 22: probe.web.http", "http://{ip}…"]),
        ("{ip}", "10.0.0.5", ["probe.web.http"]),
        ("https:", "file:", ["probe.web.http"]),
        ("90s", "2 minutes", ["probe.web.patience", "'2 minutes'", "1s to 1h"]),
        ("90s", "2h", ["probe.web.patience", "1s to 1h"]),
        ('"public"', '"eip"', ["line 25: probe.address", "'eip'", "private, public"]),
        ('tls_name = "web.corp.internal"', "tcp = 80", ["probe.web: found tcp and http", "one of tcp, http, command"]),
        ("web.corp.internal", "a\\r\\nb", ["probe.web.tls_name", "a host name"]),
        ("ca.pem", "gone.pem", ["probe.web.ca_file", "does not exist"]),
    ):
        path.write_text(GOOD + PROBE.replace(old, new, 1))
        with pytest.raises(ConfigProblem) as problem:
            load(path)
        assert not [part for part in parts if part not in str(problem.value)], str(problem.value)


HOOK = """
[[hook]]
on = "notice"
command = ["/opt/page", "--now"]

[[hook]]
on = "recovered"
where = "replacement"
command = "systemctl restart agent"
timeout = "2m"
"""


def test_hooks_are_read_and_their_mistakes_are_named(path: Path) -> None:
    path.write_text(GOOD + HOOK)
    here, there = load(path).hooks
    assert (here.on, here.command, here.timeout_s) == (HookEvent.NOTICE, ("/opt/page", "--now"), 30)
    assert (there.where, there.command, there.timeout_s) == (HookPlace.REPLACEMENT, "systemctl restart agent", 120)
    for old, new, parts in (
        ('["/opt/page", "--now"]', '"/opt/page --now"', ["hook.command", "there is no shell"]),
        ('["/opt/page", "--now"]', "[]", ["hook.command", "there is no shell"]),
        ('["/opt/page", "--now"]', "3", ["hook.command"]),
        ('"notice"', '"noticed"', ["hook.on", "'noticed'", "failed, notice, recovered"]),
        ('"recovered"', '"failed"', ["hook.on", "'failed'", 'recovered with where = "replacement"']),
        ('"systemctl restart agent"', '["systemctl"]', ["hook.command", "a shell text"]),
        ('"2m"', '"2"', ["hook.timeout", "1s to 1h"]),
        ('on = "notice"\n', "", ["hook", "no on"]),
        ('on = "notice"\n', 'on = "notice"\nshell = true\n', ["hook.shell", "an unknown key"]),
    ):
        path.write_text(GOOD + HOOK.replace(old, new, 1))
        with pytest.raises(ConfigProblem) as problem:
            load(path)
        assert not [part for part in parts if part not in str(problem.value)], str(problem.value)


def test_prices_of_storage_are_read_by_name(path: Path) -> None:
    path.write_text(GOOD + "[storage_price]\nsnapshot = 0.5\ncloud_essd = 1\n")
    assert load(path).storage_price == {"snapshot": 0.5, "cloud_essd": 1.0}


def test_a_profile_is_laid_over_and_has_a_journal_of_its_own(path: Path) -> None:
    path.write_text(GOOD)
    staging = load(path, "staging")
    assert staging.policy.veto_window_s == 0
    assert staging.journal != load(path).journal


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("veto_window_s = 10", "veto_windows = 10", ["line 16", "policy.veto_windows", "did you mean veto_window_s?"]),
        ("veto_window_s = 10", "veto_window_s = -1", ["line 16", "policy.veto_window_s", "found -1", "0 to 240"]),
        (
            "veto_window_s = 10",
            'veto_window_s = "x"',
            ["line 16", "policy.veto_window_s", "found a string", "allowed: a number"],
        ),
        ('id = "cn-beijing"', 'id = "cn-hangzhou"', ["region.id", "'cn-hangzhou' twice"]),
        ('id = "cn-beijing"', 'id = "Beijing"', ["region.id", "'Beijing'", "'cn-hangzhou'"]),
        ('queue = "spot-interruption"', 'queue = "a/b"', ["line 4", "region.queue", "'a/b'", "letters, digits"]),
        ('mns_endpoint = "https://1690.mns.cn-hangzhou.aliyuncs.com"', "", ["line 2", "region: found no mns_endpoint"]),
        ("https://1690.mns.cn-hangzhou", "ftp://x/y", ["line 5", "mns_endpoint", "a host, or an http://"]),
        ("[policy]", '[credentials]\nfile = "gone.ini"\n[policy]', ["credentials.file", "gone.ini", "does not exist"]),
        ("[policy]", "[policy", ["not TOML", "line 15"]),
        ("[[region]]", "metrics_port = 80\n[[region]]", ["line 2", "metrics_port", "found 80", "1024 to 65535"]),
        (
            "veto_window_s = 10",
            'tolerance = {reclaims = 3, within = "6"}',
            ["line 16", "tolerance.within", "1m to 30d"],
        ),
        ("veto_window_s = 10", "tolerance = {reclaims = 3}", ["policy.tolerance", "no within"]),
        (
            "veto_window_s = 10",
            'tolerance = {reclaim = 3, within = "6h"}',
            ["policy.tolerance.reclaim", "an unknown key", "did you mean reclaims?"],
        ),
        ("veto_window_s = 10", 'probe = "wbe"', ["line 16", "policy.probe", "'wbe'", "[probe.NAME]"]),
        (
            "[policy]",
            "[early_warning]\nprice_within_percent = 101\n[policy]",
            ["line 16", "early_warning.price_within_percent", "found 101.0", "0 to 100"],
        ),
        ("[policy]", '[early_warning]\nrate_within = "1"\n[policy]', ["early_warning.rate_within", "10m to 30d"]),
        ("[policy]", "[storage_price]\nessd = 1\n[policy]", ["line 16", "storage_price.essd", "cloud_essd"]),
        ("[policy]", "[storage_price]\nsnapshot = -1\n[policy]", ["line 16", "storage_price.snapshot", "found -1"]),
        ("[policy]", f"{TEMPLATE}password = 'x'\n[policy]", ["template.web.password", "an unknown key"]),
        ("[policy]", f"{TEMPLATE.replace('beijing', 'x')}[policy]", ["template.web.region", "'cn-x'", "cn-beijing"]),
        ("[policy]", f"{TEMPLATE}spot_strategy = 'NoSpot'\n[policy]", ["template.web.spot_strategy", "SpotAsPriceGo"]),
    ],
)
def test_each_mistake_is_named(path: Path, old: str, new: str, parts: list[str]) -> None:
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ConfigProblem) as problem:
        load(path)
    assert str(path) in str(problem.value)
    assert not [part for part in parts if part not in str(problem.value)], str(problem.value)


def test_an_unknown_profile_names_those_there_are(path: Path) -> None:
    path.write_text(GOOD)
    with pytest.raises(ConfigProblem, match="staging"):
        load(path, "nightly")


def test_no_region_and_no_file_are_named(path: Path) -> None:
    with pytest.raises(ConfigProblem, match="No such file"):
        load(path)
    path.write_text("")
    with pytest.raises(ConfigProblem, match="at least one"):
        load(path)


@given(text=st.text(max_size=200))
def test_any_text_is_read_or_named(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("config") / "c.toml"
    file.write_text(text, "utf-8")
    with contextlib.suppress(ConfigProblem):
        load(file)


READY = """
[storage_price]
snapshot = 0.12

[[ready]]
match = {role = "web", env = ""}
image_every = "4h"
keep = 3
snapshots_every = "15m"
max_cost_per_month = 50
"""


def test_a_table_of_what_is_kept_ready_is_read(path: Path) -> None:
    path.write_text(GOOD + READY + '[[ready]]\nmatch = {role = ""}\n')
    assert load(path).ready == (
        ReadySettings({"role": "web", "env": ""}, "4h", 3, "15m", 50.0),
        ReadySettings({"role": ""}, "6h", 2, "", 0.0),
    )


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('"4h"', '"4 hours"', ["line 26", "ready.image_every", "found '4 hours'", "30m to 30d"]),
        ('"4h"', '"5m"', ["ready.image_every", "found '5m'", "30m to 30d"]),
        ('"15m"', '"1m"', ["line 28", "ready.snapshots_every", "found '1m'", "5m to 7d"]),
        ("keep = 3", "keep = 0", ["line 27", "ready.keep", "found 0", "1 to 50"]),
        ("keep = 3", "kept = 3", ["ready.kept", "did you mean keep?"]),
        ('match = {role = "web", env = ""}', "", ["ready", "found no match", "a table with match"]),
        ('{role = "web", env = ""}', "{}", ["ready.match", "found {}", 'tag = "value"']),
        ("= 50", "= -1", ["ready.max_cost_per_month", "found -1"]),
        ("snapshot = 0.12", "", ["ready.max_cost_per_month", "no price", "storage_price.snapshot"]),
    ],
)
def test_each_mistake_in_what_is_kept_ready_is_named(path: Path, old: str, new: str, parts: list[str]) -> None:
    path.write_text((GOOD + READY).replace(old, new))
    with pytest.raises(ConfigProblem) as caught:
        load(path)
    assert [part for part in [str(path), *parts] if part not in str(caught.value)] == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_bom_is_no_mistake(path: Path, encoding: str) -> None:
    path.write_text(GOOD.replace("veto_window_s = 10", 'deny_tags = {"环境" = "生产"}', 1), encoding)
    assert load(path).policy.deny_tags == {"环境": "生产"}


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (
            GOOD.encode() + b"\n# \xce\xbb ok \n# \xc9\xfa\xb2\xfa\n",
            ["not UTF-8 text: byte 0xc9 in line 22", "Save it as UTF-8"],
        ),
        (GOOD.encode("utf-16"), ["not UTF-8 text: byte 0xff in line 1"]),
        (b"\x7fELF\x02\x01\x00\x00", ["line 1", "not TOML"]),
        (GOOD.encode() + b"[policy]\n", ["line 20: not TOML", "Cannot declare [policy] twice"]),
        (GOOD.encode() + b"[policy]\r\nveto_window_s = 1\r\n", ["line 20: not TOML", "Cannot declare [policy] twice"]),
        (b"a = 1\na = 2\n", ["line 2: not TOML", "Cannot overwrite a value"]),
        (b'journal = "x', ["not TOML", "at end of document"]),
        (b"a = " + b"[" * 100_000, ["nested too deep"]),
        (b"profile = 3\n", ["line 1", "profile", "tables [profile.NAME]"]),
        (b"[profile]\nweb = 3\n", ["line 2", "profile.web", "a table [profile.web]"]),
    ],
)
def test_what_is_no_configuration_is_named_by_line_and_cause(path: Path, body: bytes, parts: list[str]) -> None:
    path.write_bytes(body)
    with pytest.raises(ConfigProblem) as problem:
        load(path, "web")
    assert not [part for part in [str(path), *parts] if part not in str(problem.value)], str(problem.value)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="a directory, not a file"):
        load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigProblem, match="Not a directory"):
        load(tmp_path / "file" / "c.toml")


@pytest.mark.parametrize(
    ("key", "value", "parts"),
    [
        ("ca_file", ".", ["ca_file", "Is a directory"]),
        ("ca_file", "a\\u0000b", ["ca_file", "a path"]),
        ("ca_file", "~nobody-of-this-name/x", ["ca_file", "this home directory is unknown"]),
        ("journal", "~nobody-of-this-name/x", ["journal", "this home directory is unknown"]),
    ],
)
def test_a_path_that_leads_nowhere_is_named(path: Path, key: str, value: str, parts: list[str]) -> None:
    path.write_text(f'{key} = "{value}"\n{GOOD}')
    with pytest.raises(ConfigProblem) as problem:
        load(path)
    assert not [part for part in parts if part not in str(problem.value)], str(problem.value)


def test_a_stop_file_is_looked_for_where_other_paths_are(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop_file(name: str) -> str:
        path.write_text(GOOD.replace("veto_window_s = 10", f'stop_file = "{name}"', 1))
        return load(path).policy.stop_file

    monkeypatch.setenv("HOME", "/home/ops")
    assert stop_file("") == ""
    assert stop_file("~/stop") == "/home/ops/stop"
    assert stop_file("run/stop") == str(tmp_path / "run" / "stop")
    assert stop_file("/run/stop") == "/run/stop"
    monkeypatch.chdir(tmp_path)
    assert load(Path("prod.toml")).policy.stop_file == "/run/stop"
    stop_file("stop")
    assert load(Path("prod.toml")).policy.stop_file == str(tmp_path / "stop"), "whatever directory it is read from"


ACCOUNTS = """
[[region]]
id = "cn-hangzhou"
account = "prod"
queue = "spot-interruption"
mns_endpoint = "2690.mns.cn-hangzhou.aliyuncs.com"

[account.prod]
role_arn = "acs:ram::2690700:role/spottui"
external_id = "x-1"
max_at_once = 2
calls_per_second = 50

[account.lab]
profile = "lab"
"""


def test_a_region_of_each_account_has_a_key_of_its_own_and_its_accounts_limits(path: Path) -> None:
    path.write_text(GOOD + ACCOUNTS)
    settings = load(path)
    assert settings.region_keys == ("cn-hangzhou", "cn-beijing", "cn-hangzhou@prod")
    assert settings.account_names == ("", "prod")
    assert settings.policy_of("prod") == Policy(veto_window_s=10, max_at_once=2)
    assert settings.policy_of("") == settings.policy


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('account = "prod"', 'account = "prdo"', ["line 23: region.account: found 'prdo'", "allowed: lab, prod"]),
        ('account = "prod"\n', "", ["region.id: found 'cn-hangzhou' twice", "each region once for each account"]),
        ("2690.mns", "1690.mns", ["line", "region.account", "account 1690 twice", "cn-hangzhou", "one [account.NAME]"]),
        (
            'external_id = "x-1"',
            'profile = "p"',
            ["account.prod: found profile and role_arn", "one of profile, role_arn"],
        ),
        ('profile = "lab"', "", ["account.lab: found neither profile nor role_arn"]),
        ('profile = "lab"', 'profile = "lab"\nexternal_id = "x"', ["account.lab.external_id: found no role_arn"]),
        ('"x-1"', '"s3 cr3t"', ["line 29: account.prod.external_id: found 7 characters"]),
        ("acs:ram::2690700:role/spottui", "spottui", ["line 28: account.prod.role_arn: found 'spottui'", "acs:ram::"]),
        ("max_at_once = 2", "max_at_once = 0", ["line 30: account.prod.max_at_once: found 0; allowed: 1 to 10000"]),
        ("max_at_once = 2", 'max_at_once = "2"', ["account.max_at_once: found a string"]),
        ("max_at_once", "max_at_onec", ["account.prod.max_at_onec: found an unknown key", "did you mean max_at_once?"]),
        ("calls_per_second = 50", "calls_per_second = 0.5", ["line 31: account.prod.calls_per_second", "1 to 1000"]),
        ("account.lab", "account.default", ["account.default: found the name 'default'"]),
        ("account.lab", 'account."a@b"', ["account.a@b: found the name 'a@b'", "letters, digits"]),
    ],
)
def test_a_mistake_in_an_account_is_named(path: Path, old: str, new: str, parts: list[str]) -> None:
    path.write_text(GOOD + ACCOUNTS.replace(old, new))
    with pytest.raises(ConfigProblem) as problem:
        load(path)
    assert not [part for part in (str(path), *parts) if part not in str(problem.value)], str(problem.value)
    assert "s3 cr3t" not in str(problem.value)


@given(st.text(), st.text())
def test_a_region_and_its_account_come_out_of_their_key_as_they_went_in(region: str, account: str) -> None:
    if "@" not in region:
        key = region_key(region, account)
        assert (region_id(key), account_of(key)) == (region, account)
