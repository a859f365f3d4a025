"""The stand-in for Qdrant's image: the project's embedded store with Qdrant's entrypoint contract."""

import hashlib
import io
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path

from images.base import SERVER, ensure_base
from images.docker_cli import docker, image_id, image_labels

__all__ = ["CHECKOUT", "STAND_IN", "ensure_stand_in", "pinned_qdrant"]

STAND_IN = "embctl-tests/qdrant:stand-in"
# Two checkouts that are tested at once must not take each other's tags: a container whose image changed is recreated.
CHECKOUT = hashlib.sha256(str(SERVER.parent).encode()).hexdigest()[:12]
CONTEXT_LABEL = "io.embctl.test-inputs"
QDRANT = Path(__file__).parent / "qdrant"
COMPOSE_FILE = SERVER.parent / "compose" / "qdrant.yaml"


def pinned_qdrant() -> str:
    """The Qdrant image that the definition pins."""
    found = re.search(r"\$\{EMBCTL_QDRANT_IMAGE:-([^}\s]+)\}", COMPOSE_FILE.read_text(encoding="utf-8"))
    if found is None:
        message = f"{COMPOSE_FILE.name} has no default for EMBCTL_QDRANT_IMAGE"
        raise LookupError(message)
    return found[1]


def ensure_stand_in(env: Mapping[str, str]) -> str:
    """Build the stand-in unless the engine has one of exactly these inputs; return this checkout's own name for it."""
    base = ensure_base(env)
    reference = f"{STAND_IN}-{CHECKOUT}"
    context = _context()
    digest = hashlib.sha256(context + image_id(base).encode()).hexdigest()
    if (image_labels(reference) or {}).get(CONTEXT_LABEL) != digest:
        label = f"{CONTEXT_LABEL}={digest}"
        docker("build", "--tag", reference, "--label", label, "--build-arg", f"BASE_IMAGE={base}", "-", stdin=context)
    return reference


def _context() -> bytes:
    """The build context as a reproducible tar: the image's own files and, from the server folder, the store."""
    files = {name: QDRANT / name for name in ("Dockerfile", "entrypoint.sh", "qdrant")}
    files |= {name: SERVER / name for name in ("requirements-embstore.txt", "constraints.txt")}
    files |= {str(path.relative_to(SERVER)): path for path in (SERVER / "embstore").rglob("*.py")}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, path in sorted(files.items()):
            content = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = path.stat().st_mode & 0o755
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
