"""What a model folder says, and what it cannot say."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from embserver import modelfiles
from embserver.failures import ModelRefused
from fakes.jina_checkpoint import Shape, random_weights, write_checkpoint

_NOBODY = 65534


@pytest.fixture
def folder_with_unreadable_weights() -> Iterator[Path]:
    if os.name == "nt":
        pytest.skip("file modes keep nobody from reading on Windows")
    # Not in pytest's folders, which nobody but their owner may enter.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        write_checkpoint(path, Shape(), random_weights(Shape()))
        (path / modelfiles.WEIGHTS).chmod(0)
        us = os.geteuid()
        if us == 0:
            os.seteuid(_NOBODY)  # root may read everything
        try:
            yield path
        finally:
            os.seteuid(us)


def test_weights_that_may_not_be_read_are_refused_for_that_reason(folder_with_unreadable_weights: Path) -> None:
    with pytest.raises(ModelRefused, match=r"model\.safetensors cannot be read .*Permission denied"):
        modelfiles.read(folder_with_unreadable_weights)
