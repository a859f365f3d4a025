"""From a folder to a model that answers: which family it is, what it says about itself, and whether it computes.

The family is decided by tensor names, because relatives of BERT all call themselves "bert" in config.json.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embserver import heap, modelfiles
from embserver.catalogue import SelfTest, WantedModel
from embserver.cores import STREAMS, Cores
from embserver.encoder import Encoder
from embserver.failures import ModelRefused
from embserver.settings import Settings
from embserver.threads import granted_cores
from embserver.tokenizer import FileTokenizer, Tokenizer

if TYPE_CHECKING:
    from embserver.checkpoint import Architecture
    from embserver.head import Head

__all__ = ["Batching", "LoadedModel", "check", "load"]

_UNIT_TOLERANCE = 1e-3
_RATIO_TOLERANCE = 2e-2
# The known values are float32's.
_LOWER_RATIO_TOLERANCE = 0.2


class Batching(StrEnum):
    """How texts of different lengths share a batch: end to end, or padded to the longest, at the cost of the rows."""

    PACKED = "packed"
    PADDED = "padded"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model in memory. `self_test` is "passed" or "differs" where the catalogue knows an answer, else None."""

    revision: str
    max_tokens: int
    threads: int
    libraries: tuple[str, ...]
    tokenizer: Tokenizer
    encoder: Encoder
    batching: Batching = Batching.PACKED
    self_test: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Understood:
    """What the small files and the weights' names and shapes say together; `architecture` is None for what only
    transformers can compute."""

    files: modelfiles.ModelFiles
    architecture: "Architecture | None"
    head: "Head"
    max_tokens: int
    tokenizer: FileTokenizer


def check(folder: Path, model: WantedModel, settings: Settings) -> None:
    """Whether `load` would take the folder's model, told without loading the body's weights. Raises ModelRefused or
    StartFailed."""
    _understand(folder, model, settings)


def _understand(folder: Path, model: WantedModel, settings: Settings) -> _Understood:
    files = modelfiles.read(folder)

    # Only now: torch's seconds are not spent on a folder without files.
    from embserver import automodel, bert, checkpoint, head, jinabert, precision  # noqa: PLC0415 - torch takes seconds
    from embserver.torchencoder import choose_device  # noqa: PLC0415 - torch takes seconds

    if any(".mlp.gated_layers." in name for name in files.shapes):
        raise ModelRefused(
            f"{folder} belongs to the JinaBERT family of jina-embeddings-v2-base-en, -de, -zh, -es and -small "
            "(tensors named mlp.gated_layers), whose formulas differ. Of JinaBERT only the code model is served: "
            "EMBSERVER_MODEL=jina-code-v2."
        )
    architecture: Architecture | None = None
    if any(".mlp.up_gated_layer." in name for name in files.shapes):
        architecture, longest = jinabert.architecture(files), files.number("max_position_embeddings")
    elif files.config.get("model_type") in bert.FAMILIES:
        architecture, longest = bert.architecture(files), bert.max_tokens(files)
    else:
        automodel.check(files)
        longest = automodel.max_tokens(files)
    if architecture is not None:
        checkpoint.check(files, architecture)
    device = choose_device(settings.device)
    precision.check(settings.precision, device=device, packed=architecture is not None)
    top = head.load(files)
    if model.dimension not in (None, top.dimension):
        raise ModelRefused(f"{folder} has {top.dimension} dimensions; {model.name} has {model.dimension}.")
    max_tokens = min(longest, model.max_tokens or longest)
    tokenizer = FileTokenizer(folder, max_tokens=max_tokens, vocabulary=files.number("vocab_size"))
    return _Understood(files=files, architecture=architecture, head=top, max_tokens=max_tokens, tokenizer=tokenizer)


def load(folder: Path, revision: str, model: WantedModel, settings: Settings) -> LoadedModel:
    """Load the folder's model onto the chosen device and let it embed one text.

    Raises ModelRefused or StartFailed.
    """
    import torch  # noqa: PLC0415 - the server listens before these seconds are spent

    from embserver import automodel, checkpoint, precision  # noqa: PLC0415 - torch takes seconds
    from embserver.torchencoder import TorchEncoder, choose_device  # noqa: PLC0415 - torch takes seconds

    threads = settings.threads or granted_cores()
    torch.set_num_threads(threads)
    device = choose_device(settings.device)
    understood = _understand(folder, model, settings)
    tokenizer = understood.tokenizer
    libraries: tuple[str, ...] = ("torch", "safetensors", "tokenizers", "numpy")
    if understood.architecture is not None:
        body, batching = checkpoint.filled(understood.files, understood.architecture, device), Batching.PACKED
    else:
        body, batching = automodel.load(understood.files), Batching.PADDED
        libraries += ("transformers",)
    packed = batching is Batching.PACKED
    precision.settle(body, settings.precision, tokenizer, device=device, packed=packed)
    # Classes of transformers may keep something of a pass in the model.
    streams = STREAMS if packed and device.type == "cpu" else 1
    encoder = TorchEncoder(
        body,
        understood.head,
        device=device,
        dtype=settings.precision,
        release=settings.release_tensors,
        cores=Cores(threads, streams, torch.set_num_threads),
    )
    _warm(tokenizer, encoder, folder)
    # Weights that were laid out anew or rounded have left as much free memory behind.
    heap.trim()
    return LoadedModel(
        revision=revision,
        max_tokens=understood.max_tokens,
        threads=threads,
        batching=batching,
        libraries=libraries,
        tokenizer=tokenizer,
        encoder=encoder,
        self_test=_self_test(model.self_test, tokenizer, encoder) if model.self_test else None,
    )


def _warm(tokenizer: Tokenizer, encoder: Encoder, folder: Path) -> None:
    """One real pass: a model that loads but does not compute must not become ready."""
    vector = encoder.encode([tokenizer.encode(["def ready() -> bool: return True"])[0].ids])[0]
    length = float(np.linalg.norm(vector))
    if not math.isclose(length, 1.0, abs_tol=_UNIT_TOLERANCE):
        raise ModelRefused(f"The model in {folder} computes a vector of length {length} where 1 is due.")


def _self_test(known: SelfTest, tokenizer: Tokenizer, encoder: Encoder) -> str:
    """Known and computed vectors may differ in length, so each value is held against the first, as a ratio."""
    vector: Sequence[float] = encoder.encode([tokenizer.encode([known.text])[0].ids])[0].tolist()
    scale = vector[0] / known.begins[0]
    expected = [value * scale for value in known.begins]
    largest = max(map(abs, expected))
    tolerance = _RATIO_TOLERANCE if encoder.dtype == "float32" else _LOWER_RATIO_TOLERANCE
    close = all(
        math.isclose(got, due, abs_tol=tolerance * largest)
        for got, due in zip(vector[: len(expected)], expected, strict=True)
    )
    return "passed" if close and scale > 0 else "differs"
