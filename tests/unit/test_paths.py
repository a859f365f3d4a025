"""Where embctl looks for its own files and for the user's."""

from pathlib import Path

import pytest

from embctl import paths
from embctl.errors import Failed


def test_a_checkout_is_its_own_bundle() -> None:
    folder = paths.bundle()
    assert (folder / "compose" / "qdrant.yaml").is_file()
    assert (folder / "server" / "Dockerfile").is_file()


def test_an_installed_package_carries_its_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lib" / "site-packages" / "embctl"
    for name in ("compose", "server"):
        (package / "bundle" / name).mkdir(parents=True)
    monkeypatch.setattr(paths, "_PACKAGE", package)
    assert paths.bundle() == package / "bundle"


def test_an_incomplete_installation_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lib" / "site-packages" / "embctl"
    (package / "bundle" / "compose").mkdir(parents=True)
    monkeypatch.setattr(paths, "_PACKAGE", package)
    with pytest.raises(Failed, match="incomplete") as caught:
        paths.bundle()
    assert caught.value.code == "bundle_missing"


def test_the_user_file_follows_the_environment_that_is_given(tmp_path: Path) -> None:
    assert paths.user_config_file({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "embctl" / "config.toml"


def test_the_state_folder_follows_the_environment_that_is_given(tmp_path: Path) -> None:
    assert paths.state_dir({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "embctl"


def test_a_relative_folder_in_the_environment_is_ignored() -> None:
    assert paths.user_config_file({"XDG_CONFIG_HOME": "relative"}) == paths.user_config_file({})
    assert paths.user_config_file({}).is_absolute()
    assert paths.state_dir({"XDG_STATE_HOME": ""}).is_absolute()


def test_configuration_and_state_are_kept_apart() -> None:
    assert paths.user_config_file({}).parent != paths.state_dir({})


def test_the_nearest_project_file_upwards_counts(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / ".embctl.toml").touch()
    assert paths.project_config_file(deep) == tmp_path / ".embctl.toml"
    (tmp_path / "a" / ".embctl.toml").touch()
    assert paths.project_config_file(deep) == tmp_path / "a" / ".embctl.toml"


def test_a_folder_of_that_name_is_no_project_file(tmp_path: Path) -> None:
    (tmp_path / ".embctl.toml").mkdir()
    assert paths.project_config_file(tmp_path) is None
