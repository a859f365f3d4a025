"""The file that describes a collection."""

from pathlib import Path

import pytest

from embstore.metadata import Metadata, MetadataInvalid

METADATA = Metadata(name="c", config={"vectors": {"size": 3, "distance": "Dot"}}, indexes={"type": None})


def test_what_is_saved_is_read(tmp_path: Path) -> None:
    METADATA.save(tmp_path)
    assert Metadata.read(tmp_path) == METADATA
    assert [path.name for path in tmp_path.iterdir()] == ["collection.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    METADATA.save(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("embstore.metadata.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        Metadata(name="c", config={}, indexes={}).save(tmp_path)
    assert Metadata.read(tmp_path) == METADATA


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": 2, "name": "c"}',
        '{"format": 1, "name": 5, "config": {}, "indexes": {}}',
        '{"format": 1, "name": "c", "config": {}, "indexes": {}, "shard": "../other"}',
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "collection.json").write_text(content)
    with pytest.raises(MetadataInvalid, match=r"collection\.json"):
        Metadata.read(tmp_path)


def test_a_file_from_before_vacuums_names_the_first_shard(tmp_path: Path) -> None:
    (tmp_path / "collection.json").write_text('{"format": 1, "name": "c", "config": {}, "indexes": {}}')
    assert Metadata.read(tmp_path).shard == "shard"
