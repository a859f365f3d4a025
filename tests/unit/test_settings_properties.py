"""Laws of the settings that hold for any layers and any file."""

import tempfile
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embctl.errors import ConfigInvalid
from embctl.settings import FIELDS, Kind, Source, load
from embctl.settings.values import Field, Value
from settings_layers import KNOWN_MODELS

PORT_KEYS = {"qdrant.port", "jina.port", "port_offset"}
FREE = [row for row in FIELDS if row.key not in PORT_KEYS]  # ports constrain each other
WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)


def values_of(row: Field) -> st.SearchStrategy[Value]:
    if row.key == "model":
        return WORDS.map(lambda word: f"owner/{word}")
    by_kind: dict[Kind, st.SearchStrategy[Value]] = {
        Kind.WHOLE: st.integers(row.low, row.high),
        Kind.SWITCH: st.booleans(),
        Kind.SIZE: st.integers(1, 64).map(lambda number: f"{number}g"),
        Kind.CHOICE: st.sampled_from(row.choices or ("",)),
        Kind.URL: WORDS.map(lambda word: f"https://{word}.example.com/x"),
    }
    return by_kind.get(row.type, WORDS)


def toml(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


@st.composite
def layered(draw: st.DrawFn) -> tuple[Field, dict[Source, Value]]:
    row = draw(st.sampled_from(FREE))
    layers = draw(
        st.sets(st.sampled_from([source for source in Source if source not in (Source.DEFAULT, Source.REMEMBERED)]))
    )
    return row, {source: draw(values_of(row)) for source in layers}


@hypothesis.settings(deadline=None)
@given(layered())
def test_the_strongest_layer_that_sets_a_key_decides_it(case: tuple[Field, dict[Source, Value]]) -> None:
    row, layers = case
    with tempfile.TemporaryDirectory() as folder:
        user_file, project_file = Path(folder) / "config.toml", Path(folder) / ".embctl.toml"
        for source, file in ((Source.USER_FILE, user_file), (Source.PROJECT_FILE, project_file)):
            if source in layers:
                file.write_text(f"{row.key} = {toml(layers[source])}\n")
        settings = load(
            flags={row.key: layers.get(Source.FLAG)},
            env={row.env: str(layers[Source.ENVIRONMENT])} if Source.ENVIRONMENT in layers else {},
            user_file=user_file,
            project_file=project_file,
            catalogue=KNOWN_MODELS,
        )
    winner = max(layers, key=list(Source).index, default=Source.DEFAULT)
    assert getattr(settings, row.attribute) == layers.get(winner, row.default)
    assert settings.origins[row.key].source is winner
    assert {each.source for key, each in settings.origins.items() if key != row.key} == {Source.DEFAULT}


@st.composite
def file_with_an_unknown_key(draw: st.DrawFn) -> tuple[str, int]:
    """A file of known settings in any order and spelling, one unknown key somewhere in it, and the line of that key."""
    chosen = draw(st.lists(st.sampled_from(FREE), unique_by=lambda row: row.key))
    tables: dict[str, list[str]] = {"": []}
    for row in chosen:
        table, _, name = row.key.rpartition(".")
        value = draw(values_of(row))
        spelled = f'"""\n{value}"""' if isinstance(value, str) and draw(st.booleans()) else toml(value)
        quote = draw(st.sampled_from(["", '"', "'"]))
        tables.setdefault(table, []).append(f"{quote}{name}{quote} = {spelled}")
    home = draw(st.sampled_from(sorted(tables)))
    unknown = draw(
        st.sampled_from(["zz_unknown = 1", "zz_unknown = [\n1,\n2]", "zz.unknown = 'x'", "zz_unknown = {a = 1}"])
    )
    tables[home].insert(draw(st.integers(0, len(tables[home]))), unknown)
    lines: list[str] = []
    for table, statements in tables.items():
        for statement in ([f"[ {table} ] # here"] if table else []) + statements:
            lines += draw(st.lists(st.sampled_from(["", "# zz_unknown = 1", "  \t"]), max_size=2))
            if statement == unknown:
                expected = "\n".join([*lines, ""]).count("\n") + 1
            lines.append(statement)
    return "\n".join(lines), expected


@hypothesis.settings(deadline=None)
@given(file_with_an_unknown_key(), st.sampled_from(["\n", "\r\n"]))
def test_an_unknown_key_anywhere_is_refused_with_its_line(case: tuple[str, int], newline: str) -> None:
    text, line = case
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.toml"
        file.write_bytes(text.replace("\n", newline).encode())
        with pytest.raises(ConfigInvalid) as caught:
            load(flags={}, env={}, user_file=file, project_file=None, catalogue=KNOWN_MODELS)
    assert caught.value.details["line"] == line, caught.value.message
    assert "zz" in caught.value.details["key"]
