"""Settings: which layer wins, what each value may be, how a refusal is told."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from embctl.settings import FIELDS, Settings
from settings_layers import from_layers, refusal


def origin(settings: Settings, key: str) -> str:
    return str(settings.origins[key])


def test_without_any_layer_every_setting_has_its_default(tmp_path: Path) -> None:
    settings = from_layers(tmp_path)
    assert {row.key: getattr(settings, row.attribute) for row in FIELDS} == {row.key: row.default for row in FIELDS}
    assert settings == Settings()
    assert origin(settings, "jina.port") == "default"


def test_a_stronger_layer_wins_and_says_where_it_stands(tmp_path: Path) -> None:
    files = {"user": "timeout = 1", "project": "# ours\n\ntimeout = 2"}
    assert from_layers(tmp_path, user=files["user"]).timeout == 1
    settings = from_layers(tmp_path, **files)  # type: ignore[arg-type]  # the callers name layers
    assert (settings.timeout, origin(settings, "timeout")) == (2, f"project file {tmp_path / '.embctl.toml'}:3")
    settings = from_layers(tmp_path, env={"EMBCTL_TIMEOUT": "3"})
    assert (settings.timeout, origin(settings, "timeout")) == (3, "environment EMBCTL_TIMEOUT")
    settings = from_layers(tmp_path, env={"EMBCTL_TIMEOUT": "3"}, flags={"timeout": 4})
    assert (settings.timeout, origin(settings, "timeout")) == (4, "flag --timeout")


def test_an_option_that_was_not_given_and_an_empty_variable_set_nothing(tmp_path: Path) -> None:
    settings = from_layers(tmp_path, flags={"timeout": None}, env={"EMBCTL_PROJECT": " "}, user="project = 'mine'")
    assert (settings.project, settings.timeout) == ("mine", 600)


@pytest.mark.parametrize(
    "text",
    [
        "[jina]\nport = 4001",
        "jina.port = 4001",
        "jina = { port = 4001 }",
        '["jina"]\n"port" = 4001',
        "\ufeff[jina]\r\nport = 4001\r\n",
    ],
)
def test_toml_may_be_written_in_any_of_its_ways(tmp_path: Path, text: str) -> None:
    assert from_layers(tmp_path, project=text).jina_port == 4001


@pytest.mark.parametrize(("spelled", "value"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)])
def test_a_variable_spells_a_switch_in_the_usual_words(tmp_path: Path, spelled: str, value: bool) -> None:
    assert from_layers(tmp_path, env={"EMBCTL_JINA_PROFILE_MEMORY": spelled}).jina_profile_memory is value


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("jina.port", "0", "whole number from 1 to 65535"),
        ("jina.port", "65536", "whole number from 1 to 65535"),
        ("jina.port", "4e3", "whole number"),
        ("jina.semaphore", "0", "from 1 to 1024"),
        ("jina.collect_garbage", "maybe", "true or false"),
        ("jina.device", "gpu", "one of auto, cpu, cuda, mps"),
        ("jina.memory", "6", "size with its unit"),
        ("jina.memory", "1m", 'from "6m" to "1024t"'),
        ("jina.memory", "99999999999999g", 'from "6m" to "1024t"'),
        ("project", "Embctl", "lower-case"),
        ("project", "-a", "lower-case"),
        ("project", "a" * 64, "1 to 63"),
        ("qdrant.image", "Qdrant:1", "image reference"),
        ("qdrant.image", "qdrant:", "image reference"),
        ("registry.mirror", "https://registry.example.com", "without a scheme"),
        ("hub.mirror", "mirror.example.com", "http or https URL"),
        ("hub.mirror", "http://[", "http or https URL"),
        ("model", "a\tb", "control characters"),
    ],
)
def test_a_value_that_a_setting_cannot_hold_is_refused_with_the_reason(
    tmp_path: Path, key: str, value: str, reason: str
) -> None:
    row = next(row for row in FIELDS if row.key == key)
    error = refusal(tmp_path, env={row.env: value})
    assert reason in error.message
    assert row.env in error.message
    assert error.details["key"] == key


@pytest.mark.parametrize(
    "image",
    [
        "a",
        "a/b:c",
        "localhost:5000/a/b",
        "registry.example.com/a_b:1.0-x",
        "a@sha256:" + "0" * 64,
        "a:1@sha256:" + "f" * 64,
    ],
)
def test_image_references_of_every_form_are_taken(tmp_path: Path, image: str) -> None:
    assert from_layers(tmp_path, env={"EMBCTL_QDRANT_IMAGE": image}).qdrant_image == image


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('\n[jina]\nport = "4000"', 3, "whole number"),
        ("jina.profile_memory = 1", 1, "true or false"),
        ("[qdrant]\nmemory = 5", 2, "text in quotes"),
        ('[qdrant]\n\nimage = ""', 3, "not be empty"),
        ("[jina]\nport = true", 2, "whole number"),
        ("model = ['a',\n'b']", 1, "text in quotes"),
        ('\nproject = "a\\n"', 2, "control characters"),
    ],
)
def test_a_bad_value_in_a_file_is_told_with_file_and_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    error = refusal(tmp_path, project=text)
    assert error.message.startswith(f"{tmp_path / '.embctl.toml'}:{line}: ")
    assert reason in error.message


@pytest.mark.parametrize(
    ("text", "line", "close"),
    [
        ("[jina]\nport = 1\nprot = 2", 3, "jina.port"),
        ("\n\n[jin]\nport = 1", 3, "jina"),
        ("jina = 5", 1, "jina"),
        ('"jina.port" = 1', 1, "jina.port"),
        ('model = """\nx"""\nmodl = 1', 3, "model"),
        ("[[qdrant]]\nport = 1", 1, "qdrant"),
    ],
)
def test_an_unknown_key_is_told_with_its_line_and_the_nearest_known_one(
    tmp_path: Path, text: str, line: int, close: str
) -> None:
    error = refusal(tmp_path, user=text)
    assert error.message.startswith(f"{tmp_path / 'config.toml'}:{line}: ")
    assert error.details["close_match"] == close
    assert "jina.port" in error.details["allowed"]


HOST, CONTEXT = "tcp://10.0.0.1:2375", "work"
LAYERS = ("user", "project", "env", "flags")


def in_layer(layer: str, key: str, value: str) -> dict[str, Any]:
    given: dict[str, object] = {
        "env": {f"EMBCTL_{key.upper().replace('.', '_')}": value},
        "flags": {key: value},
    }
    return {layer: given.get(layer, f'{key} = "{value}"')}


@pytest.mark.parametrize(("weaker", "stronger"), [*itertools.combinations(LAYERS, 2)])
def test_host_and_context_are_one_choice_of_the_stronger_layer(tmp_path: Path, weaker: str, stronger: str) -> None:
    layers = in_layer(weaker, "engine.host", HOST) | in_layer(stronger, "engine.context", CONTEXT)
    settings = from_layers(tmp_path, **layers)
    assert (settings.engine_host, settings.engine_context) == ("", CONTEXT)
    assert origin(settings, "engine.host") == "default"
    layers = in_layer(weaker, "engine.context", CONTEXT) | in_layer(stronger, "engine.host", HOST)
    settings = from_layers(tmp_path, **layers)
    assert (settings.engine_host, settings.engine_context) == (HOST, "")
    assert origin(settings, "engine.context") == "default"


@pytest.mark.parametrize(
    ("layers", "places"),
    [
        ({"flags": {"engine.host": HOST, "engine.context": CONTEXT}}, ("--host", "--context")),
        (
            {"env": {"EMBCTL_ENGINE_HOST": HOST, "EMBCTL_ENGINE_CONTEXT": CONTEXT}},
            ("EMBCTL_ENGINE_HOST", "EMBCTL_ENGINE_CONTEXT"),
        ),
        ({"user": f"[engine]\nhost = '{HOST}'\ncontext = '{CONTEXT}'"}, ("config.toml:2", "config.toml:3")),
    ],
)
def test_host_and_context_in_one_layer_are_refused_with_both_places(
    tmp_path: Path, layers: dict[str, Any], places: tuple[str, str]
) -> None:
    error = refusal(tmp_path, **layers)
    assert all(place in error.message for place in places)


def test_an_empty_choice_is_none(tmp_path: Path) -> None:
    settings = from_layers(tmp_path, user=f"engine.host = '{HOST}'", project="engine.context = ''")
    assert settings.engine_host == HOST


def test_text_that_is_no_toml_is_told_with_line_and_column(tmp_path: Path) -> None:
    error = refusal(tmp_path, project="[jina]\nport = = 4")
    assert (error.details["line"], error.details["column"]) == (2, 8)
    assert refusal(tmp_path, project="[jina]\nmodel = '''").details["line"] == 2


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    assert "UTF-8" in refusal(tmp_path, project=b"\xff\xfe\x00").message


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    assert "cannot be read" in refusal(tmp_path).message


def test_an_unknown_variable_is_a_warning_not_an_error(tmp_path: Path) -> None:
    settings = from_layers(tmp_path, env={"EMBCTL_JINA_PROT": "1", "JINA_PORT": "2"})
    assert len(settings.warnings) == 1
    assert "EMBCTL_JINA_PROT" in settings.warnings[0]
    assert "EMBCTL_JINA_PORT" in settings.warnings[0]


def test_ports_are_published_with_the_offset(tmp_path: Path) -> None:
    variables = from_layers(tmp_path, flags={"port_offset": 10, "jina.port": 5000}).variables()
    assert (variables["EMBCTL_QDRANT_PORT"], variables["EMBCTL_JINA_PORT"]) == ("6343", "5010")


def test_an_offset_that_lifts_a_port_out_of_range_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, flags={"port_offset": 64000})
    assert "70333" in error.message
    assert error.details["key"] == "qdrant.port"


def test_two_services_cannot_share_a_port(tmp_path: Path) -> None:
    assert "qdrant.port has the same port" in refusal(tmp_path, env={"EMBCTL_JINA_PORT": "6333"}).message


@pytest.mark.parametrize("given", ["registry.example.com/mirror", "registry.example.com/mirror/"])
def test_a_mirror_stands_before_image_names_with_one_slash(tmp_path: Path, given: str) -> None:
    variables = from_layers(tmp_path, env={"EMBCTL_REGISTRY_MIRROR": given}).variables()
    assert variables["EMBCTL_REGISTRY_MIRROR"] == "registry.example.com/mirror/"


def test_variables_are_text_with_switches_as_one_and_zero(tmp_path: Path) -> None:
    variables = from_layers(tmp_path, project="jina.release_tensors = false").variables()
    assert variables["EMBCTL_JINA_RELEASE_TENSORS"] == "0"
    assert variables["EMBCTL_JINA_COLLECT_GARBAGE"] == "1"
    assert variables["EMBCTL_JINA_SEMAPHORE"] == "8"
    assert "EMBCTL_ENGINE_HOST" not in variables


def test_every_row_of_the_table_is_complete() -> None:
    assert len({row.key for row in FIELDS}) == len({row.env for row in FIELDS}) == len(FIELDS)
    for row in FIELDS:
        assert row.env == "EMBCTL_" + row.key.upper().replace(".", "_")
        assert row.help.endswith(".")


def test_every_default_is_a_value_that_its_setting_may_hold(tmp_path: Path) -> None:
    settings = from_layers(tmp_path, flags={row.key: row.default for row in FIELDS})
    assert {row.key: getattr(settings, row.attribute) for row in FIELDS} == {row.key: row.default for row in FIELDS}
