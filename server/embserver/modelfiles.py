"""What a model folder says about itself: config.json, the pooling, the tensor names. Reads headers, never weights."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from embserver.failures import ModelRefused

__all__ = ["WEIGHTS", "ModelFiles", "Pooling", "faults_told", "read"]

WEIGHTS = "model.safetensors"
_NAMES_SHOWN = 5
_KNOWN_MODULES = ("Transformer", "Pooling", "Dense", "Normalize")


class Pooling(StrEnum):
    """How the vectors of a text's tokens become one."""

    MEAN = "mean"
    CLS = "cls"
    LAST = "lasttoken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A folder's own words. `shapes` maps tensor names to shapes; `max_seq_length` is None where nothing is said.

    `dense` are the folders of the layers between the pooling and the vector, in order.
    """

    folder: Path
    config: Mapping[str, Any]
    shapes: Mapping[str, tuple[int, ...]]
    pooling: Pooling
    dense: tuple[Path, ...] = ()
    max_seq_length: int | None

    def number(self, key: str) -> int:
        """A positive whole number of config.json; raises ModelRefused where there is none."""
        value = self.config.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            raise ModelRefused(f"config.json in {self.folder} says {key} = {value!r}; a positive number is needed.")
        return value


def read(folder: Path) -> ModelFiles:
    """Read a model folder. Raises ModelRefused, naming the file, where one is missing, unreadable or not understood."""
    config = _json(folder / "config.json")
    modules = _modules(folder)
    pooling = next((path for kind, path in modules if kind == "Pooling"), folder / "1_Pooling")
    said = _json(folder / "sentence_bert_config.json", missing={}).get("max_seq_length")
    return ModelFiles(
        folder=folder,
        config=config,
        shapes=_shapes(folder / WEIGHTS),
        pooling=_pooling(pooling / "config.json"),
        dense=tuple(path for kind, path in modules if kind == "Dense"),
        max_seq_length=said if isinstance(said, int) and said > 0 else None,
    )


def faults_told(faults: Mapping[str, Collection[str]]) -> str:
    """The tensors that are "missing", "left over", ... (the key says what), a few of each by name; empty for none."""
    return "; ".join(f"{what}: {_some(sorted(names))}" for what, names in faults.items() if names)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _json(path: Path, missing: dict[str, Any] | None = None) -> dict[str, Any]:
    if missing is not None and not path.exists():
        return missing
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelRefused(f"{path.parent} has no {path.name}, so it is not a model folder.") from None
    except (OSError, ValueError) as error:
        raise ModelRefused(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ModelRefused(f"{path} does not hold a JSON object.")
    return content


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    if not path.is_file():
        others = ", ".join(sorted(file.name for file in path.parent.iterdir() if file.is_file())) or "nothing"
        raise ModelRefused(
            f"{path.parent} has no {path.name} (it has: {others}). Weights are read from that one file only: "
            "pickled formats can run code, and sharded ones are for larger models than this server is made for."
        )
    try:
        path.open("rb").close()  # safetensors calls a file that may not be read a missing one
        with safe_open(path, framework="numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise ModelRefused(f"{path} cannot be read as safetensors: {error}") from error


def _pooling(path: Path) -> Pooling:
    """Sentence models say their pooling as switches or, in newer files, as one word; silence means the mean."""
    said = _json(path, missing={})
    mode = said.get("pooling_mode")
    chosen = (
        {str(mode)}
        if mode
        else {
            key.removeprefix("pooling_mode_").removesuffix("_token").removesuffix("_tokens")
            for key, value in said.items()
            if key.startswith("pooling_mode_") and value is True
        }
    )
    if not chosen:
        return Pooling.MEAN
    if len(chosen) == 1 and (only := chosen.pop()) in tuple(Pooling):
        return Pooling(only)
    raise ModelRefused(f"{path} asks for a pooling that is not implemented here: {json.dumps(said, sort_keys=True)}")


def _modules(folder: Path) -> list[tuple[str, Path]]:
    """Kind and folder of each module that makes up the sentence model; none are named by the plainest of models."""
    path = folder / "modules.json"
    if not path.exists():
        return []
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        modules = [(str(module["type"]).rpartition(".")[2], folder / str(module["path"])) for module in said]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelRefused(f"{path} cannot be read: {error!r}") from error
    strange = [kind for kind, _ in modules if kind not in _KNOWN_MODULES]
    if strange:
        raise ModelRefused(f"{path} asks for {', '.join(strange)}, which this server does not compute.")
    kinds = [kind for kind, _ in modules]
    if kinds != sorted(kinds, key=_KNOWN_MODULES.index):
        raise ModelRefused(f"{path} asks for {', '.join(kinds)}, in an order that this server does not compute.")
    return modules
