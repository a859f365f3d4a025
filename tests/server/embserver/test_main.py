"""What the program decides for the libraries it imports."""

from pathlib import Path

import embserver
from embserver.__main__ import _prepare
from embserver.settings import Settings


def test_the_hubs_library_keeps_its_files_beside_the_models_unless_told_otherwise() -> None:
    chosen: dict[str, str] = {"HF_HOME": "/elsewhere"}
    usual: dict[str, str] = {}

    for environment in (chosen, usual):
        _prepare(environment, Settings(models_dir=Path("/data")))

    assert usual["HF_HOME"] == "/data/.hub"
    assert chosen["HF_HOME"] == "/elsewhere"


def test_the_image_leaves_the_hubs_settings_to_the_program() -> None:
    dockerfile = (Path(embserver.__file__).parent.parent / "Dockerfile").read_text(encoding="utf-8")

    assert "EMBSERVER_MODELS_DIR=/models" in dockerfile
    assert "HF_" not in dockerfile


def test_what_torch_prepares_for_products_is_bounded_unless_told_otherwise() -> None:
    chosen: dict[str, str] = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "7", "LRU_CACHE_CAPACITY": "8"}
    usual: dict[str, str] = {}

    for environment in (chosen, usual):
        _prepare(environment, Settings())

    assert (usual["ONEDNN_PRIMITIVE_CACHE_CAPACITY"], usual["LRU_CACHE_CAPACITY"]) == ("24", "12")
    assert (chosen["ONEDNN_PRIMITIVE_CACHE_CAPACITY"], chosen["LRU_CACHE_CAPACITY"]) == ("7", "8")


def test_waiting_threads_spin_for_a_moment_unless_told_how_to_wait() -> None:
    chosen = {"OMP_WAIT_POLICY": "active"}
    usual: dict[str, str] = {}

    for environment in (chosen, usual):
        _prepare(environment, Settings())

    assert (usual["OMP_WAIT_POLICY"], usual["GOMP_SPINCOUNT"]) == ("passive", "100000")
    assert chosen["OMP_WAIT_POLICY"] == "active"
    assert "GOMP_SPINCOUNT" not in chosen
