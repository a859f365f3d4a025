"""Every other sentence model, computed by transformers' own class for it; the only importer of transformers.

Slower, because texts are padded to one length, and larger by that library. Never with a repository's own code, and
with every weight accounted for: transformers fills what is missing with random numbers, and such a model is refused.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from embserver.encoder import Pause, no_pause
from embserver.failures import ModelRefused
from embserver.modelfiles import ModelFiles, faults_told

__all__ = ["PaddedModel", "check", "load", "max_tokens"]

_CELLS = 1024
# What pretraining put on top of the states that are pooled here.
_UNUSED = ("pooler.", "cls.", "lm_head.", "head.", "decoder.", "classifier.", "vocab_projector.", "vocab_transform.")
# This number positions from the padding id + 1 on, so two rows of its position table are never used.
_SHIFTED = ("mpnet",)


class PaddedModel(nn.Module):
    """A transformers model behind the same call as ours: lists of ids in, one [tokens, width] a text out."""

    def __init__(self, model: nn.Module, *, padding: int) -> None:
        super().__init__()
        self.model = model
        self.padding = padding
        # Not an argument of the layers, so a stack: a batch computed in a pause has a pause of its own.
        self._pauses: list[Pause] = [no_pause]
        stacks = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
        for layer in max(stacks, key=len, default=nn.ModuleList()):
            layer.register_forward_pre_hook(lambda *_: self._pauses[-1]())

    def forward(self, texts: Sequence[Sequence[int]], pause: Pause) -> list[Tensor]:
        """One [tokens, width] a text, in the order given; padding is masked and cut off."""
        states: dict[int, Tensor] = {}
        self._pauses.append(pause)
        try:
            for indices in _neighbours([len(text) for text in texts]):
                states |= zip(indices, self._padded([texts[index] for index in indices]), strict=True)
        finally:
            self._pauses.pop()
        return [states[index] for index in range(len(texts))]

    def _padded(self, texts: Sequence[Sequence[int]]) -> Iterator[Tensor]:
        device = next(self.model.parameters()).device
        longest = max(map(len, texts))
        ids = torch.tensor([[*text, *[self.padding] * (longest - len(text))] for text in texts], device=device)
        mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts], device=device)
        states = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        return (states[row, : len(text)] for row, text in enumerate(texts))


def _neighbours(lengths: Sequence[int]) -> list[list[int]]:
    """Indices of texts to be padded together, similar in length, so that padding never outgrows the batch."""
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batches and (len(batches[-1]) + 1) * longest <= _CELLS:
            batches[-1].append(index)
        else:
            batches.append([index])
            longest = lengths[index]
    return batches


def max_tokens(files: ModelFiles) -> int:
    """The longest input, in tokens, that the model's positions and its own settings allow."""
    rows = files.number("max_position_embeddings")
    table = rows - 2 if files.config.get("model_type") in _SHIFTED else rows
    return min(table, files.max_seq_length or table)


def check(files: ModelFiles) -> None:
    """Whether transformers has a class for the folder, and makes one of it whose tensors have the shapes of those that
    are there; told without loading a weight. Raises ModelRefused."""
    transformers, kind = _transformers(files)
    try:
        config = transformers.AutoConfig.from_pretrained(files.folder, local_files_only=True, trust_remote_code=False)
        # On "meta" nothing is allocated.
        with torch.device("meta"):
            model = transformers.AutoModel.from_config(config, trust_remote_code=False)
    except Exception as error:
        raise ModelRefused(f"config.json in {files.folder} does not describe a {kind} model: {error}") from error
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name.removeprefix(f"{model.base_model_prefix}."): shape for name, shape in files.shapes.items()}
    # Which names may be missing is known to the class only once it loads.
    both = found.keys() & expected.keys()
    wrong = [f"{name} {found[name]} instead of {expected[name]}" for name in both if found[name] != expected[name]]
    _refuse_faults(files, missing=[] if both else expected, extra=[], mismatched=wrong)


def load(files: ModelFiles) -> PaddedModel:
    """The model with the folder's weights, as float32 on the CPU.

    Raises ModelRefused for an architecture that transformers has no class for, and for weights that are not all there.
    """
    transformers, kind = _transformers(files)
    try:
        model, report = transformers.AutoModel.from_pretrained(
            files.folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            dtype=torch.float32,
        )
    except (ValueError, TypeError, KeyError, OSError, RuntimeError) as error:
        raise ModelRefused(f"transformers cannot load {files.folder} as a {kind} model: {error}") from error
    prefix = f"{model.base_model_prefix}."
    _refuse_faults(
        files,
        missing=[name for name in report["missing_keys"] if not name.startswith(_UNUSED)],
        extra=[name for name in report["unexpected_keys"] if not name.removeprefix(prefix).startswith(_UNUSED)],
        mismatched=[str(name) for name in report["mismatched_keys"]],
    )
    padding = files.config.get("pad_token_id")
    return PaddedModel(
        model.eval().requires_grad_(requires_grad=False), padding=padding if isinstance(padding, int) else 0
    )


def _refuse_faults(
    files: ModelFiles, *, missing: Collection[str], extra: Collection[str], mismatched: Collection[str]
) -> None:
    if told := faults_told({"missing": missing, "left over": extra, "of another shape": mismatched}):
        raise ModelRefused(
            f"The weights in {files.folder} are not those of a {files.config['model_type']} model. Tensors {told}."
        )


def _transformers(files: ModelFiles) -> tuple[Any, str]:
    """The library, told to be quiet, and the folder's kind of model."""
    import transformers  # noqa: PLC0415 - seconds, and tens of megabytes, that the packed models do not need
    from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES  # noqa: PLC0415 - the same

    kind = files.config.get("model_type")
    if kind not in MODEL_MAPPING_NAMES:
        raise ModelRefused(
            f"config.json in {files.folder} says model_type = {kind!r}, for which transformers "
            f"{transformers.__version__} has no class of its own; code from a model's repository is never run."
        )
    quiet: Any = transformers.logging
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    return transformers, str(kind)
