"""The catalogue of models as embctl reads it."""

from pathlib import Path

import pytest

from embctl.catalogue import CatalogueEntry, dimension_of, read
from embctl.compose.context import build_spec
from embctl.errors import Failed
from embctl.paths import bundle
from embctl.settings import Settings

CATALOGUE = Path("embserver", "catalogue.toml")


def test_a_model_has_its_names_and_its_kind_of_source(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_text(
        "[one]\nids = ['owner/one', 'owner/uno']\ndimension = 4\n[one.hub]\nrepo_id = 'owner/one'\n"
        "[two]\nids = []\ndimension = 8\npackage = {distribution = 'two'}\n"
    )

    assert read(file) == (
        CatalogueEntry(name="one", ids=("owner/one", "owner/uno"), on_hub=True, dimension=4),
        CatalogueEntry(name="two", ids=(), on_hub=False, dimension=8),
    )


def test_a_models_dimension_is_found_by_any_of_its_names() -> None:
    catalogue = (CatalogueEntry(name="one", ids=("owner/one",), on_hub=True, dimension=4),)
    assert [dimension_of(model, catalogue) for model in ("one", "owner/one", "owner/two")] == [4, 4, None]


@pytest.mark.parametrize("text", ["[one", "one = 1", "[one]\nids = []", "[one]\nids = 'x'\n[one.hub]", "\xff"])
def test_a_catalogue_that_cannot_be_understood_is_a_damaged_installation(tmp_path: Path, text: str) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_bytes(text.encode("latin-1"))

    with pytest.raises(Failed, match=str(file)) as caught:
        read(file)

    assert caught.value.code == "bundle_damaged"
    assert caught.value.actions


def test_a_catalogue_that_is_missing_is_a_damaged_installation(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="No such file"):
        read(tmp_path / "catalogue.toml")


def test_the_default_model_is_in_the_catalogue() -> None:
    assert Settings().model in {entry.name for entry in read(bundle() / "server" / CATALOGUE)}


def test_the_image_is_built_with_the_catalogue_that_embctl_reads() -> None:
    assert CATALOGUE.as_posix() in build_spec(bundle() / "server", "Dockerfile", None, {}).files
