"""`python tests/images/make.py`: make the stand-in base and Qdrant images for tests, and say what each weighs.

Prints the settings that use them, to try the program by hand on a machine without a registry: `eval "$(...)"`.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from images.base import BASE, CannotMake
from images.docker_cli import docker, image_size
from images.stand_in import STAND_IN, ensure_stand_in


def main() -> None:
    """Make what is missing."""
    try:
        docker("tag", ensure_stand_in(os.environ), STAND_IN)
    except CannotMake as reason:
        sys.exit(str(reason))
    for variable, reference in (("EMBCTL_JINA_BASE_IMAGE", BASE), ("EMBCTL_QDRANT_IMAGE", STAND_IN)):
        sys.stderr.write(f"{reference}  {(image_size(reference) or 0) / 1e6:.0f} MB\n")
        sys.stdout.write(f"export {variable}={reference}\n")


if __name__ == "__main__":
    main()
