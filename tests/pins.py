"""The exact versions of all that the images install. As a program, it has uv find them anew and rewrites the file."""

import re
import subprocess
from pathlib import Path

__all__ = ["CONSTRAINTS", "REQUIREMENTS", "SERVER", "comes_with_torch", "normalised", "pins"]

SERVER = Path(__file__).resolve().parent.parent / "server"
CONSTRAINTS = SERVER / "constraints.txt"
REQUIREMENTS = tuple(sorted(SERVER.glob("requirements-*.txt")))
HEADER = """\
# All that the images install, at its exact version; what the code itself uses is chosen in the requirements beside it.
# Written by `python tests/pins.py` from what uv resolves for Python 3.11 on Linux. CUDA's packages are left out: each
# build of torch names those that it was made with, or none.
"""


def pins(file: Path) -> dict[str, str]:
    """The version of each package that a requirements or constraints file names."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {normalised(name): version for name, _, version in (line.partition("==") for line in lines)}


def normalised(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def comes_with_torch(name: str) -> bool:
    """Whether a package is one of CUDA's, which only some builds of torch bring."""
    return name == "triton" or name.startswith(("cuda-", "nvidia-"))


def _resolved() -> dict[str, str]:
    """The newest versions that suit the requirements of all images together."""
    command = ["uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    command += ["--python-version", "3.11", "--python-platform", "linux", *map(str, REQUIREMENTS)]
    listing = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    resolved = dict(line.split("==") for line in listing.splitlines())
    return {name: version for name, version in resolved.items() if not comes_with_torch(name)}


if __name__ == "__main__":
    CONSTRAINTS.write_text(
        HEADER + "".join(f"{name}=={version}\n" for name, version in _resolved().items()), encoding="utf-8"
    )
