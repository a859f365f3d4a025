"""`python tests/images/make.py`: make the stand-in base and Qdrant images for tests, and say what each weighs.

`--tag` also gives the stand-in the pinned name, to try the program by hand on a machine without a registry.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from images.base import base_reference
from images.docker_cli import docker, image_size
from images.stand_in import ensure_stand_in, pinned_qdrant


def main() -> None:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tag", action="store_true", help="give the stand-in the image name that the definition pins")
    tag = parser.parse_args().tag
    references = [base_reference(), ensure_stand_in(os.environ)]
    if tag:
        references.append(pinned_qdrant())
        docker("tag", *references[-2:])
    for reference in references:
        sys.stderr.write(f"{reference}  {(image_size(reference) or 0) / 1e6:.0f} MB\n")


if __name__ == "__main__":
    main()
