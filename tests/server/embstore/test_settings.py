"""The store's variables."""

from pathlib import Path

import pytest

from embstore.settings import Settings, SettingsInvalid


def test_nothing_set_means_loopback_and_a_folder_here() -> None:
    assert Settings.from_env({}) == Settings(storage_path=Path("storage"), host="127.0.0.1", port=6333, api_key="")


def test_qdrants_own_names_are_read_and_an_empty_string_is_unset() -> None:
    env = {
        "QDRANT__SERVICE__HOST": "0.0.0.0",  # noqa: S104 - what images set
        "QDRANT__SERVICE__HTTP_PORT": "6400",
        "QDRANT__SERVICE__API_KEY": "",
        "QDRANT__STORAGE__STORAGE_PATH": "/qdrant/storage",
        "QDRANT__SERVICE__MAX_REQUEST_SIZE_MB": "64",
        "EMBSTORE_VACUUM_IDLE_SECONDS": "0",
        "EMBSTORE_VACUUM_WASTE_MB": "8",
    }
    assert Settings.from_env(env) == Settings(
        storage_path=Path("/qdrant/storage"),
        host="0.0.0.0",  # noqa: S104 - what images set
        port=6400,
        api_key="",
        max_request_bytes=64 * 1024 * 1024,
        vacuum_idle_seconds=0,
        vacuum_waste_bytes=8 * 1024 * 1024,
    )


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "6333.5"])
def test_a_port_that_is_none_is_refused_by_its_variable(port: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"QDRANT__SERVICE__HTTP_PORT is .*whole number from 1 to 65535"):
        Settings.from_env({"QDRANT__SERVICE__HTTP_PORT": port})
