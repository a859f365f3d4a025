"""The documented contracts are the program's own."""

import ast
import dataclasses
import re
import runpy
from pathlib import Path

import pytest

from embctl import errors, events, outcomes
from embctl.doctor.table import EXAMINATIONS
from embctl.engine.candidates import candidates
from embctl.engine.faults import CODES, refused
from embctl.errors import EmbctlError
from embctl.report.jsonable import envelope, error_object
from embctl.result import Result
from embctl.vscode import rules
from embctl.vscode.block import TASKS, Block
from embctl.vscode.hotkeys import HOTKEYS

DOCS = Path(__file__).parents[2] / "docs"


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def keys(table_after: str, page: str) -> set[str]:
    """The first column of the table under a heading."""
    section = page.split(f"## {table_after}\n")[1].split("\n## ", maxsplit=1)[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def test_every_exit_code_is_documented_with_its_category() -> None:
    documented = {
        (int(code), category)
        for code, category in re.findall(r"^\| (\d+) \| (?:`(\w+)`)? *\|", read("exit-codes.md"), re.MULTILINE)
    }
    tree = {getattr(errors, name) for name in errors.__all__} - {EmbctlError}
    assert documented == {(error.exit_code, error.category) for error in tree} | {(0, ""), (10, "")}


def raised() -> set[tuple[str, int]]:
    """Each error code that the program may raise, with its exit code."""
    kinds = {name: getattr(errors, name).exit_code for name in errors.__all__}
    calls = [
        node
        for file in (DOCS.parent / "src").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds
    ]
    told = {
        (str(keyword.value.value), kinds[call.func.id])
        for call in calls
        for keyword in call.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant) and isinstance(call.func, ast.Name)
    }
    answers = ((doing, pattern.replace(r"(?:\S+ )?", "")) for doing, pattern, _ in CODES)
    refusals = (refused(doing, "it", None, answer) for doing, answer in answers)
    return told | {(error.code, error.exit_code) for error in refusals}


def test_every_error_code_is_documented_with_its_exit_code() -> None:
    section = read("exit-codes.md").split("## Error codes\n")[1]
    rows = re.findall(r"^\| (`.+`) \| (\d+) \|", section, re.MULTILINE)
    assert {(code, int(number)) for codes, number in rows for code in re.findall(r"`(\w+)`", codes)} == raised()


def test_the_envelope_is_documented_key_by_key() -> None:
    assert keys("The envelope", read("json-output.md")) == set(envelope(Result(command="x", data=None)))


def test_the_error_is_documented_key_by_key() -> None:
    assert keys("The error", read("json-output.md")) == set(error_object(errors.Failed("x", code="x")))


@pytest.mark.parametrize(
    "kind",
    [
        "ServiceStatus",
        "ServiceReady",
        "Migrated",
        "CollectionCopied",
        "CheckedStep",
        "CollectionGrowth",
        "Speed",
        "Stats",
        "ClientChecked",
        "ClientRow",
        "ClientShown",
        "ClientWritten",
        "CollectionRow",
        "CollectionsDropped",
        "EditorsChanged",
        "EditorFile",
        "EditorsSeen",
        "EditorStatus",
        "Snippets",
        "Help",
        "HotkeyRow",
        "ConfigPaths",
        "ConfigRow",
        "Diagnosis",
        "Finding",
        "Repair",
        "Remedy",
    ],
)
def test_the_data_of_the_commands_is_documented_key_by_key(kind: str) -> None:
    page = read("json-output.md")
    missing = [f.name for f in dataclasses.fields(getattr(outcomes, kind)) if f"`{f.name}`" not in page]
    assert not missing


def test_every_event_type_is_documented() -> None:
    page = read("json-output.md")
    for event in (*events.Event.__args__,):
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", event.__name__).lower()
        assert f"`{name}`" in page


def test_the_tables_of_hotkeys_are_those_of_the_program() -> None:
    rows = [[f"`shift+{each.key}`", f"`{each.label}`", each.does] for each in HOTKEYS]
    assert table_of("chord", read("hotkeys.md")) == rows
    assert table_of("chord", read("../README.md")) == [[chord, does] for chord, _, does in rows]


def table_of(heading: str, page: str) -> list[list[str]]:
    """The rows of the table whose first heading begins so."""
    lines = page[page.index(f"| {heading} ") :].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    return [line.strip("| ").split(" | ") for line in lines]


def test_every_check_is_documented_with_what_it_looks_at() -> None:
    rows = [row[:2] for row in table_of("check", read("doctor.md"))]
    assert rows == [[f"`{check.id}`", check.looks_at] for each in EXAMINATIONS for check in each.checks]


def test_the_tasks_of_this_repository_are_those_of_the_program() -> None:
    block = Block((DOCS.parent / ".vscode" / "tasks.json").read_text(encoding="utf-8"), TASKS)
    assert block.ours == rules.tasks("embctl")
    assert block.others == []


def test_the_commands_page_is_what_help_says() -> None:
    assert read("commands.md") == runpy.run_path(str(DOCS / "generate.py"))["page"]()


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_the_engines_are_documented_in_the_order_in_which_they_are_dialled(platform: str) -> None:
    documented = re.findall(r"^\| `(\S+)` \| (.+) \|$", read("engine-discovery.md"), re.MULTILINE)
    home, runtime = Path("/home/u"), "/run/user/1"
    dialled = candidates(host="", context="", env={"XDG_RUNTIME_DIR": runtime}, home=home, platform=platform)
    short = {str(home): "~", runtime: "$XDG_RUNTIME_DIR", "unix://": ""}
    found = []
    for candidate in dialled:
        address = candidate.address
        for long, written in short.items():
            address = address.replace(long, written)
        found.append((address, candidate.origin))
    assert documented == found


def test_what_is_named_is_documented_in_the_order_in_which_it_wins() -> None:
    page = read("engine-discovery.md")
    places = [page.index(name) for name in ("`--host`", "`DOCKER_HOST`", "`DOCKER_CONTEXT`", "current context")]
    assert places == sorted(places)


def test_the_index_names_every_page() -> None:
    index = read("README.md")
    assert [page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"({page.name})" not in index] == []
