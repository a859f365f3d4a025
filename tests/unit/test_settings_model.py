"""Which models may be set: told before anything is touched, with the place, the reason and what is known."""

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # documented, if not in __all__
from hypothesis import example, given
from hypothesis import strategies as st

from embctl.errors import ConfigInvalid
from embctl.settings import Settings
from embctl.settings.model import check_model
from embctl.settings.origin import Source
from settings_layers import KNOWN_MODELS, from_layers, refusal


@pytest.mark.parametrize(
    "model",
    [
        "jina-code-v2",
        "minilm",
        "jinaai/jina-embeddings-v2-base-code",
        "sentence-transformers/all-MiniLM-L6-v2",
        "owner/na_me.v1-x",
        "/models/mine",
    ],
)
def test_a_known_name_a_hub_id_and_an_absolute_folder_are_taken(tmp_path: Path, model: str) -> None:
    assert from_layers(tmp_path, env={"EMBCTL_MODEL": model}).model == model


@pytest.mark.parametrize(
    "model",
    [
        "jina",
        "owner/",
        "a/b/c",
        "./models/mine",
        "C:\\models",
        "owner/na me",
        "-owner/name",
        "a/b--c",
        "a/b.git",
    ],
)
def test_anything_else_is_refused_with_what_is_known(tmp_path: Path, model: str) -> None:
    error = refusal(tmp_path, env={"EMBCTL_MODEL": model})
    assert f'"{model}"' in error.message
    assert "jina-code-v2, minilm" in error.message
    assert error.details["allowed"] == ["jina-code-v2", "minilm"]
    assert error.details["value"] == model


@pytest.mark.parametrize(
    ("layer", "place"),
    [
        ({"user": "timeout = 9\nmodel = 'jina-v2'"}, "config.toml:2"),
        ({"project": "model = 'jina-v2'"}, ".embctl.toml:1"),
        ({"env": {"EMBCTL_MODEL": "jina-v2"}}, "EMBCTL_MODEL"),
        ({"flags": {"model": "jina-v2"}}, "--model"),
    ],
)
def test_the_refusal_names_the_place(tmp_path: Path, layer: dict[str, Any], place: str) -> None:
    error = refusal(tmp_path, **layer)
    assert place in error.message
    assert error.details["place"].endswith(place)


@pytest.mark.parametrize(
    ("model", "meant"),
    [
        ("jina-code", "jina-code-v2"),
        ("Jina-Code-V2", "jina-code-v2"),
        ("mini-lm", "minilm"),
        ("all-MiniLM-L6-v2", "minilm"),
        ("jina-embeddings-v2-base-code", "jina-code-v2"),
        ("postgres", None),
    ],
)
def test_a_name_that_is_nearly_known_is_answered_with_the_known_one(
    tmp_path: Path, model: str, meant: str | None
) -> None:
    error = refusal(tmp_path, flags={"model": model})
    assert error.details["close_match"] == meant
    assert ("Did you mean" in error.message) == (meant is not None)


def test_a_stronger_layer_corrects_a_wrong_model(tmp_path: Path) -> None:
    assert from_layers(tmp_path, project="model = 'jina'", flags={"model": "minilm"}).model == "minilm"


@pytest.mark.parametrize("model", ["minilm", "/models/mine"])
def test_a_revision_is_refused_where_there_are_none(tmp_path: Path, model: str) -> None:
    error = refusal(tmp_path, project=f"model = '{model}'", env={"EMBCTL_MODEL_REVISION": "v2"})
    assert error.details["key"] == "model_revision"
    assert all(part in error.message for part in (".embctl.toml:1", '"v2"', model, "EMBCTL_MODEL_REVISION"))


@pytest.mark.parametrize("model", ["minilm", "/models/mine", "owner/name"])
def test_a_stronger_layer_that_names_a_model_leaves_the_revision_of_another_behind(tmp_path: Path, model: str) -> None:
    settings = from_layers(tmp_path, project="model = 'a/b'\nmodel_revision = 'v2'", flags={"model": model})
    assert settings.model_revision == ""
    assert settings.origins["model_revision"].source is Source.DEFAULT


@pytest.mark.parametrize("model", ["jina-code-v2", "jinaai/jina-embeddings-v2-base-code", "owner/name"])
def test_a_model_of_the_hub_may_have_a_revision(tmp_path: Path, model: str) -> None:
    env = {"EMBCTL_MODEL": model, "EMBCTL_MODEL_REVISION": "v2"}
    assert from_layers(tmp_path, env=env).model_revision == "v2"


PARTS = st.text(st.sampled_from("aZ9_-. é"), min_size=0, max_size=5)


@given(PARTS, PARTS)
@example("a" * 96, "b" * 96)
@example("a", "b" * 97)
@example("a", "b..c")
@example("a", "b--c")
@example("a", "b.git")
@example("a.git", "b")
def test_what_is_a_hub_id_is_what_the_hubs_own_library_takes(owner: str, name: str) -> None:
    model = f"{owner}/{name}"
    if model.startswith("/"):
        return
    assert taken(model) == taken_by_the_hub(model)


def taken(model: str) -> bool:
    try:
        check_model(Settings(model=model), KNOWN_MODELS)
    except ConfigInvalid:
        return False
    return True


def taken_by_the_hub(model: str) -> bool:
    try:
        validate_repo_id(model)
    except HFValidationError:
        return False
    return True
