"""What the services are made of: images, natively the packages beside embctl, against what is pinned."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from embctl.doctor.check import Check, Judgement, fail, ok, skipped, warn
from embctl.doctor.examination import Examination
from embctl.doctor.scene import Scene
from embctl.model import Label, ObservedImage, Runtime, ServiceSpec
from embctl.paths import bundle

__all__ = ["IMAGES", "ImageFacts", "PackageFacts", "look", "packages"]

PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)")
DIGEST = "@sha256:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """A container's side: the `image` held under the name, None for none, and the id of the one that runs."""

    service: ServiceSpec
    image: ObservedImage | None
    running: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFacts:
    """A process's side: what its module needs and what is installed, by package; None where nothing is."""

    module: str
    versions: Mapping[str, tuple[str, str | None]]


Facts = ImageFacts | PackageFacts | None


def look(scene: Scene) -> Mapping[str, Facts]:
    """By service; None where nothing could be seen."""
    return {service.name: _facts(scene, service) for service in scene.spec.services}


def _facts(scene: Scene, service: ServiceSpec) -> Facts:
    observed = scene.seen.observed
    if observed is None:
        return None
    if observed.runtime is Runtime.NATIVE and service.native:
        module = service.native.module
        return PackageFacts(
            module=module, versions=packages(bundle() / "server" / f"requirements-{module}.txt", _installed)
        )
    container = scene.container(service.name)
    return ImageFacts(
        service=service, image=observed.image(service.image), running=container.image_id if container else None
    )


def packages(requirements: Path, installed: Callable[[str], str | None]) -> dict[str, tuple[str, str | None]]:
    """What the file pins, and what there is of it."""
    lines: Iterable[str] = requirements.read_text(encoding="utf-8").splitlines()
    pins = (match for line in lines if (match := PIN.match(line.strip())))
    return {match[1]: (match[2], installed(match[1])) for match in pins}


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _judge(service: str, facts: Mapping[str, Facts]) -> Judgement:
    match facts[service]:
        case None:
            return skipped("what the engine holds cannot be seen (engine.reachable)")
        case PackageFacts() as of_process:
            return _packages(of_process)
        case ImageFacts() as of_container:
            return _image(of_container)


def _packages(facts: PackageFacts) -> Judgement:
    again = "pip install 'embctl[server]'"
    missing = [name for name, (_, there) in facts.versions.items() if there is None]
    if missing:
        return fail(f"{facts.module} lacks {', '.join(missing)}", again)
    # What follows a plus is the build, such as "cpu".
    others = [
        f"{name} {there} instead of {pinned}"
        for name, (pinned, there) in facts.versions.items()
        if there and there.partition("+")[0] != pinned
    ]
    if others:
        return warn(f"{facts.module} runs with other versions than it is tested with: {', '.join(others)}", again)
    return ok(f"{facts.module}: {len(facts.versions)} packages at their pinned versions")


def _image(facts: ImageFacts) -> Judgement:
    service, image = facts.service, facts.image
    start = f"Have it made anew: embctl start {service.name}"
    if image is None:
        if facts.running:
            return warn(f"{service.image} is gone; the container made from it is not", start)
        return warn(f"{service.image} is not here yet", f"Fetch it ahead of time: embctl pull {service.name}")
    if stand_in := image.labels.get(Label.STAND_IN):
        return warn(f"{service.image} is a stand-in: {stand_in}", "For the real one, remove the setting that names it")
    if service.build and image.labels.get(Label.BUILD_HASH, service.build.digest) != service.build.digest:
        return warn(f"{service.image} was built from other sources than this embctl's", start)
    if facts.running and facts.running != image.id:
        return warn(f"{service.name} runs an older {service.image} than the one that is here", start)
    pinned = "pinned by its digest" if DIGEST in service.image else "built here" if service.build else "by its tag"
    return ok(f"{service.image}, {pinned}: {image.id[:19]}")


IMAGES = Examination(
    noun="images",
    look=look,
    checks=tuple(
        Check(
            id=f"images.{name}",
            looks_at=f"{name}'s image, its digest and sources; natively its packages' versions",
            judge=partial(_judge, name),
        )
        for name in ("qdrant", "jina")
    ),
)
