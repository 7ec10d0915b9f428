"""What comments, docstrings and documents cite is in this repository: the file, its section, and where a link leads."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import fields

from spottui.cloud.launching import OWN_TAGS
from spottui.domain.launch_spec import MOST_TAGS
from spottui.domain.settings import Policy, RegionSettings
from spottui.domain.view import AutoMode
from spottui.journal import Journal
from spottui.metrics import Tally, render
from spottui.sim.assumptions import ASSUMPTIONS

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packaging/**/*.md")])
SOURCES = sorted(path for folder in ("spottui", "tests") for path in (ROOT / folder).rglob("*.py"))

_NUMBER = r"\d+(?:\.\d+)*"
_NUMBERS = rf"{_NUMBER}(?:(?:, | and ){_NUMBER})*"
_NAMED = re.compile(r"(?<![\w./-])(?<!> )((?:docs/)?(?:[\w-]+/)*[A-Za-z][\w-]*\.md)\b")
_CITED = re.compile(rf"((?:docs/)?[A-Za-z][\w-]*\.md) ({_NUMBERS})(?![\w%])")
_SECTIONS_OF = re.compile(rf"[Ss]ections? ({_NUMBERS}) of ((?:docs/)?[A-Za-z][\w-]*\.md)")
_HEADING = re.compile(rf"^#+ ({_NUMBER})\.? ", re.MULTILINE)
_TITLE = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_PATH = re.compile(r"`((?:spottui|tests|docs|packaging|screenshots)/[\w./-]+)`")
_METRIC = re.compile(r"\bspottui_(?!cloud)[a-z_]+\b")
_CODE = re.compile(r"```.*?```", re.DOTALL)


def citations(text: str) -> Iterator[tuple[str, str]]:
    """Give each cited file with a section number, empty where the file is only named."""
    yield from ((name, "") for name in _NAMED.findall(text))
    for name, numbers in _CITED.findall(text):
        yield from ((name, number) for number in re.findall(_NUMBER, numbers))
    for numbers, name in _SECTIONS_OF.findall(text):
        yield from ((name, number) for number in re.findall(_NUMBER, numbers))


def wrong(text: str, here: Path) -> list[str]:
    """Return what a text cites and is not there; a name is looked for beside it, at the root and in docs."""
    return [
        f"{name} {number}".strip()
        for name, number in citations(text)
        if (path := found(name, here)) is None or (number and number not in sections(path))
    ]


def found(name: str, here: Path) -> Path | None:
    return next((path for base in (here, ROOT, ROOT / "docs") if (path := base / name).is_file()), None)


@cache
def sections(path: Path) -> frozenset[str]:
    return frozenset(_HEADING.findall(path.read_text("utf-8")))


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors that a forge makes of a document's headings."""
    titles = _TITLE.findall(_CODE.sub("", path.read_text("utf-8")))
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles)


def dead_links(text: str, here: Path, own: frozenset[str]) -> list[str]:
    """Return the links of a document that lead to no file, or to no heading of one."""
    dead = []
    for target in _LINK.findall(_CODE.sub("", text)):
        name, _, anchor = target.partition("#")
        if re.match(r"\w+:", target):
            continue
        path = here / name
        known = own if not name else anchors(path) if path.suffix == ".md" and path.is_file() else frozenset()
        if not path.exists() or (anchor and anchor not in known):
            dead.append(target)
    return dead


def test_what_the_code_cites_is_there() -> None:
    assert len(SOURCES) > 400
    cited = {
        str(path.relative_to(ROOT)): wrong(path.read_text("utf-8"), ROOT)
        for path in SOURCES
        if path.name != Path(__file__).name
    }
    assert {path: names for path, names in cited.items() if names} == {}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_cites_is_there(path: Path) -> None:
    text = path.read_text("utf-8")
    assert dead_links(text, path.parent, anchors(path)) == []
    named = [name for name in _PATH.findall(text) if "NAME" not in name]
    assert [name for name in named if not (ROOT / name).exists()] == []
    if path.name != "alibaba-facts.md":  # Its sources are files of other repositories.
        assert wrong(_CODE.sub("", text), path.parent) == []


def test_the_diagram_of_the_architecture_names_modules_that_exist() -> None:
    diagram = _CODE.search((ROOT / "docs/architecture.md").read_text("utf-8"))
    modules = re.findall(r"\b[a-z]+/[a-z_]+\b", diagram[0]) if diagram else []
    assert len(modules) > 5
    assert [name for name in modules if not (ROOT / f"spottui/{name}.py").is_file()] == []


def test_each_open_question_of_the_simulated_cloud_names_its_section() -> None:
    facts = ROOT / "docs/alibaba-facts.md"
    bare = [
        number
        for assumption in ASSUMPTIONS
        for number in assumption.section.split(", ")
        if not number.startswith("docs/")
    ]
    assert len(bare) > 20
    assert set(bare) <= sections(facts)


def test_the_examples_speak_of_metrics_that_exist(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        text = render(Tally(journal, ["cn-hangzhou"]), 0, [], AutoMode(False, 0, 3, 10, 20), datetime.now(UTC))
    given = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    board = (ROOT / "docs/examples/grafana-dashboard.json").read_text("utf-8")
    asked = " ".join(target["expr"] for panel in json.loads(board)["panels"] for target in panel["targets"])
    rules = (ROOT / "docs/examples/prometheus-alerts.yml").read_text("utf-8")
    explained = (ROOT / "docs/operations.md").read_text("utf-8")
    for said in (asked, rules, explained):
        assert {re.sub("_(bucket|sum|count)$", "", name) for name in _METRIC.findall(said)} <= given
    assert set(_METRIC.findall(explained)) == given
    alerts = re.findall(r"- alert: (\w+)", rules)
    assert alerts == re.findall(r"^\| `(Spottui\w+)`", explained, re.MULTILINE)


def test_the_keys_that_are_explained_are_keys_with_these_defaults() -> None:
    """Of a region and of the policy, the tables with one row a key."""
    text = (ROOT / "docs/configuration.md").read_text("utf-8")
    for title, kind in (("## `[[region]]`", RegionSettings), ("## `[policy]`", Policy)):
        rows = re.findall(r"^\| (`.+?) \| (.*?) \|", text.partition(title)[2].partition("\n## ")[0], re.MULTILINE)
        known = {field.name: field.default for field in fields(kind)}
        explained = {key: default for keys, defaults in rows for key, default in _paired(keys, defaults)}
        assert set(explained) <= set(known)
        for key, default in explained.items():
            if isinstance(known[key], int | float):
                assert (key, default) == (key, str(known[key]).lower().removesuffix(".0"))


def test_the_explained_number_of_tags_of_a_template_is_what_the_launch_accepts() -> None:
    allowed = MOST_TAGS - len(OWN_TAGS)
    assert f"`tags` (at most {allowed}:" in (ROOT / "docs/configuration.md").read_text("utf-8")


def test_the_hooks_before_a_commit_check_what_make_lint_checks() -> None:
    lint = (ROOT / "Makefile").read_text("utf-8").partition("\nlint:")[2].partition("\n\n")[0]
    hooks = re.findall(r"entry: \.venv/bin/(.+)", (ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert hooks == [command.removesuffix(" .") for command in re.findall(r"\$\(BIN\)/(.+)", lint)]


def _paired(keys: str, defaults: str) -> list[tuple[str, str]]:
    names = re.findall(r"`(\w+)`", keys)
    return list(zip(names, (defaults.split(", ") + [""] * len(names)), strict=False))


def test_a_citation_of_what_is_not_there_is_found() -> None:
    assert wrong("see docs/alibaba-facts.md 4.1 and sdk-traps.md 4.2", ROOT) == []
    assert wrong("(docs/alibaba-facts.md 4.1, 4.99)", ROOT) == ["docs/alibaba-facts.md 4.99"]
    assert wrong("Sections 8 and 77 of docs/alibaba-facts.md", ROOT) == ["docs/alibaba-facts.md 77"]
    assert wrong("as design.md says", ROOT) == ["design.md"]
    assert dead_links("[a](b.md) [c](#there) [d](#not)", ROOT, frozenset(["there"])) == ["b.md", "#not"]
