"""What stands for an image natively: the module's files and the packages that it needs."""

from dataclasses import replace
from pathlib import Path

import pytest

from embctl.engine.native.images import Images
from embctl.model import NativeSpec, ServiceSpec
from fakes.stacks import make_stack

SERVICE = replace(make_stack().services[0], native=NativeSpec(module="program", environment={"A": "1"}, folders={}))


@pytest.fixture
def server(tmp_path: Path) -> Path:
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "__main__.py").write_text("print()\n")
    (tmp_path / "requirements-program.txt").write_text(
        "# a comment\npsutil==7.0.0\n\npytest>=1 ; python_version > '3'\n"
    )
    return tmp_path


def image_id(server: Path, service: ServiceSpec = SERVICE, python: str = "/usr/bin/python") -> str:
    image = Images(server, python).find(service)
    assert image
    assert image.reference == service.image
    assert image.labels == {}
    return image.id


def test_an_image_is_there_when_its_module_and_all_its_packages_are(server: Path) -> None:
    assert image_id(server) == image_id(server)
    assert Images(server, "python").missing(SERVICE) == ()


def test_a_package_that_is_not_installed_is_named(server: Path) -> None:
    (server / "requirements-program.txt").write_text("psutil==7.0.0\nno-such-package==1.0\nnor_this[extra]>=2\n")
    images = Images(server, "python")
    assert images.find(SERVICE) is None
    assert images.missing(SERVICE) == ("no-such-package", "nor_this")


def test_a_module_that_is_not_there_is_named(server: Path) -> None:
    elsewhere = replace(SERVICE, native=NativeSpec(module="nowhere", environment={}, folders={}))
    assert Images(server, "python").find(elsewhere) is None
    assert Images(server, "python").missing(elsewhere) == ("nowhere",)


def test_a_service_without_a_native_form_has_no_image(server: Path) -> None:
    assert Images(server, "python").find(replace(SERVICE, native=None)) is None


def test_the_id_changes_with_the_code_the_packages_and_the_interpreter(server: Path) -> None:
    ids = [image_id(server), image_id(server, python="/opt/python")]
    (server / "program" / "part.py").write_text("")
    ids.append(image_id(server))
    (server / "program" / "part.py").write_text("x = 1\n")
    ids.append(image_id(server))
    (server / "requirements-program.txt").write_text("psutil==7.0.0\n")
    ids.append(image_id(server))
    assert len(set(ids)) == len(ids)


def test_the_id_does_not_change_with_what_python_keeps_beside_the_code(server: Path) -> None:
    before = image_id(server)
    (server / "program" / "__pycache__").mkdir()
    (server / "program" / "__pycache__" / "part.pyc").write_text("")
    assert image_id(server) == before
