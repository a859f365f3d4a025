"""What an engine refused, as errors that a user can act on: recognises the engine's own words. Pure."""

import re
from collections.abc import Mapping

from embctl.errors import Conflict, EmbctlError, EngineUnreachable, Failed, Interrupted

__all__ = ["build_failed", "container_gone", "engine_gone", "interrupted", "pull_failed", "refused", "taken_port"]

# Engines and their versions word it differently; all name the address, and all have one of these reasons.
TAKEN = re.compile(
    r"already allocated|address already in use|only one usage of each socket address|ports are not available",
    re.IGNORECASE,
)
HOST_PORT = re.compile(
    r"(?:bind for|bind host port for|exposing port tcp|listen tcp\d?) (?:\[[^\]]*\]|::|[^\s:\[]*):(\d+)", re.IGNORECASE
)
ABSENT = re.compile(r"not found|does not exist|manifest unknown|pull access denied|no such image", re.IGNORECASE)
FREE_SPACE = (
    "See what uses the engine's disk: docker system df",
    "Free unused images and build cache: docker system prune",
)
# (what was being done, pattern in the answer) -> code; the first that fits.
CODES = (
    ("create container", "no such image", "image_missing"),
    ("create container", "unknown runtime", "container_runtime_missing"),
    ("create container", "unknown or invalid runtime", "container_runtime_missing"),
    ("create container", "already in use by container", "name_taken"),
    ("rename container", "already in use by container", "name_taken"),
    ("create network", "already exists", "network_taken"),
    ("start container", r"network (?:\S+ )?not found", "network_missing"),
    ("remove container", "running container", "container_running"),
    ("remove network", "active endpoints", "network_in_use"),
    ("remove volume", "volume is in use", "volume_in_use"),
)
ACTIONS = {
    "image_missing": ("Fetch or build it first: embctl pull",),
    "container_runtime_missing": (
        "Install the NVIDIA Container Toolkit, and let it configure the engine.",
        "Compute on the processor: --device cpu",
    ),
    "name_taken": ("Remove or rename that container, or choose another name: embctl --project NAME",),
    "network_taken": ("Remove that network, or choose another name: embctl --project NAME",),
    "network_missing": ("Let embctl create what is missing: embctl start all",),
    "container_running": ("Stop it first: embctl stop all",),
    "network_in_use": ("Stop the containers that are attached to it: docker network inspect NAME",),
    "volume_in_use": ("Remove the containers that use it: docker ps -a --filter volume=NAME",),
}


def taken_port(explanation: str) -> int | None:
    """The port that the engine could not publish because somebody else listens there."""
    match = HOST_PORT.search(explanation)
    return int(match[1]) if match and TAKEN.search(explanation) else None


def refused(doing: str, subject: str, status: int | None, explanation: str) -> EmbctlError:
    """The error for an answer of `status` while `doing` ("create container") something to `subject`."""
    if doing == "pull":
        return pull_failed(subject, explanation)
    if doing == "build":
        return build_failed(subject, step="", fetching_base=False, reason=explanation, last_lines=())
    words = explanation.lower()
    details = {"subject": subject, "reason": explanation, "status": status}
    if "no space left on device" in words:
        return _no_space(f"{doing} {subject}", details)
    for action, pattern, code in CODES:
        if action == doing and re.search(pattern, words):
            kind = Conflict if code in {"name_taken", "network_taken"} else Failed
            message = f"Could not {doing} {subject}: {explanation}"
            return kind(message, code=code, details=details, actions=ACTIONS[code])
    if status == 404 and doing.endswith("container"):  # noqa: PLR2004 - HTTP's "not found"
        return container_gone(subject)
    return Failed(
        f"The engine refused to {doing} {subject}: {explanation}",
        code="engine_refused",
        details=details,
        actions=("Look into the engine's own log; its message is quoted above.",),
    )


def container_gone(container_id: str) -> Failed:
    """The container was removed by somebody else."""
    return Failed(
        f"The container {container_id[:12]} no longer exists: it was removed while embctl worked on it.",
        code="container_gone",
        details={"container_id": container_id},
        actions=("Look again: embctl status", "Create it again: embctl start all"),
        retryable=True,
    )


def engine_gone(address: str, reason: str) -> EngineUnreachable:
    """The engine that answered before does so no more."""
    return EngineUnreachable(
        f"The container engine at {address} does not answer any more: {reason}.",
        code="engine_unreachable",
        details={"address": address, "reason": reason},
        actions=("Start the engine again, then repeat the command.",),
        retryable=True,
    )


def pull_failed(reference: str, reason: str) -> EmbctlError:
    """An image could not be fetched: it is not there, or its registry cannot be reached."""
    details = {"image": reference, "reason": reason}
    if "no space left on device" in reason.lower():
        return _no_space(f"pull {reference}", details)
    return Failed(
        f"The image {reference} could not be pulled: {reason}",
        code="pull_failed",
        details=details,
        actions=_image_from_elsewhere(reference),
        retryable=ABSENT.search(reason) is None,
    )


def build_failed(
    image: str, *, step: str, fetching_base: bool, reason: str, last_lines: tuple[str, ...]
) -> EmbctlError:
    """A build stopped in `step` ("Step 3/9 : RUN ..."; empty before the first)."""
    details = {"image": image, "step": step, "reason": reason, "log": last_lines}
    if any("no space left on device" in text.lower() for text in (reason, *last_lines)):
        return _no_space(f"build {image}", details)
    if fetching_base:
        base = step.rpartition(" : FROM ")[2].partition(" ")[0]
        return Failed(
            f"The image {image} could not be built, because its base ({base}) could not be pulled: {reason}",
            code="pull_failed",
            details=details,
            actions=(
                *_image_from_elsewhere(base),
                "Use a base image that the engine has: EMBCTL_JINA_BASE_IMAGE",
            ),
            retryable=ABSENT.search(reason) is None,
        )
    said = "\n".join(("", *last_lines)) if last_lines else ""
    return Failed(
        f"The image {image} could not be built; {step or 'the build'} failed: {reason}{said}",
        code="build_failed",
        details=details,
        actions=("Read the last lines of the build above.", "A package index can be set: EMBCTL_PACKAGE_INDEX"),
    )


def interrupted(what: str) -> Interrupted:
    """The user cancelled `what`."""
    return Interrupted(f"Interrupted: {what}.", code="interrupted")


def _no_space(what: str, details: Mapping[str, object]) -> Failed:
    return Failed(
        f"Could not {what}: the engine's disk is full.",
        code="no_space",
        details=details,
        actions=FREE_SPACE,
        retryable=True,
    )


def _image_from_elsewhere(reference: str) -> tuple[str, ...]:
    return (
        "Set a registry mirror: EMBCTL_REGISTRY_MIRROR=HOST/PATH",
        f"Without a registry, bring {reference} from a machine that has it: docker save there, docker load here",
    )
