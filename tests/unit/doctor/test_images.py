"""Images that are missing, outdated or stand-ins, and packages of other versions than are pinned."""

from dataclasses import replace
from pathlib import Path

from embctl.doctor.images import IMAGES, PackageFacts, packages
from embctl.model import Label, NativeSpec, Runtime
from embctl.outcomes import Finding, Verdict
from fakes.fake_engine import FakeEngine
from fakes.scenes import examined, make_scene, running_engine
from fakes.stacks import make_stack, with_service

SPEC = make_stack()
JINA = SPEC.service("jina").image


def found(folder: Path, engine: FakeEngine, service: str = "jina") -> Finding:
    with make_scene(folder, engine, spec=SPEC) as scene:
        return examined(IMAGES, scene)[f"images.{service}"]


def test_images_that_are_as_defined_are_well(tmp_path: Path) -> None:
    engine = running_engine(SPEC)
    assert {found(tmp_path, engine, name).verdict for name in ("qdrant", "jina")} == {Verdict.OK}


def test_a_reference_with_a_digest_is_said_to_be_pinned(tmp_path: Path) -> None:
    pinned = f"example/qdrant:1@sha256:{'0' * 64}"
    spec = with_service(SPEC, replace(SPEC.service("qdrant"), image=pinned))
    with make_scene(tmp_path, running_engine(spec), spec=spec) as scene:
        assert "pinned by its digest" in examined(IMAGES, scene)["images.qdrant"].evidence


def test_an_image_that_is_not_here_can_be_fetched_ahead(tmp_path: Path) -> None:
    seen = found(tmp_path, FakeEngine())
    assert (seen.verdict, seen.fix) == (Verdict.WARN, "Fetch it ahead of time: embctl pull jina")


def test_an_image_that_was_removed_under_its_container_is_a_warning(tmp_path: Path) -> None:
    engine = running_engine(SPEC)
    del engine.images[JINA]
    assert "is gone" in found(tmp_path, engine).evidence


def test_an_image_of_other_sources_is_a_warning(tmp_path: Path) -> None:
    engine = running_engine(SPEC)
    engine.add_image(JINA, labels={Label.BUILD_HASH: "older"})
    assert "other sources" in found(tmp_path, engine).evidence


def test_a_container_of_an_older_image_is_a_warning(tmp_path: Path) -> None:
    engine = running_engine(SPEC)
    engine.add_image(JINA)
    assert "runs an older" in found(tmp_path, engine).evidence


def test_a_stand_in_is_never_taken_for_the_real_one(tmp_path: Path) -> None:
    engine = running_engine(SPEC)
    engine.add_image(JINA, labels={Label.STAND_IN: "a test's"})
    seen = found(tmp_path, engine)
    assert (seen.verdict, "a test's" in seen.evidence) == (Verdict.WARN, True)


def test_natively_the_packages_of_this_environment_are_held_against_their_pins(tmp_path: Path) -> None:
    native = NativeSpec(module="embstore", environment={}, folders={})
    spec = with_service(SPEC, replace(SPEC.service("qdrant"), native=native))
    with make_scene(tmp_path, running_engine(spec, Runtime.NATIVE), spec=spec) as scene:
        seen = examined(IMAGES, scene)["images.qdrant"]
    assert seen.verdict is Verdict.OK
    assert "embstore" in seen.evidence


def test_a_package_that_is_missing_fails_and_one_of_another_version_is_a_warning(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# ours\ntorch==2.13.0\nnumpy==2.4.6\n")
    (jina,) = (check for check in IMAGES.checks if check.id == "images.jina")

    def seen(**versions: str) -> Finding:
        return jina.finding({"jina": PackageFacts(module="embserver", versions=packages(requirements, versions.get))})

    assert seen(torch="2.13.0+cpu", numpy="2.4.6").verdict is Verdict.OK
    assert (seen(numpy="2.4.6").verdict, "lacks torch" in seen(numpy="2.4.6").evidence) == (Verdict.FAIL, True)
    assert seen(torch="2.13.0", numpy="1.0").evidence.endswith("numpy 1.0 instead of 2.4.6")
