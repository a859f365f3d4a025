"""Wheels that carry a model's files, made on the spot."""

import zipfile
from collections.abc import Mapping
from pathlib import Path


def write_wheel(folder: Path, *, distribution: str, version: str, files: Mapping[str, bytes]) -> Path:
    """A pure wheel with these files; returns its path."""
    name = distribution.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{member},,\n" for member in [*contents, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in {**contents, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(member, content)
    return path
