"""Sentence models of the BERT family, computed by transformers' own classes; the only importer of transformers.

Only architectures named here are loaded, from local files, with every weight accounted for: transformers fills what is
missing with random numbers, and such a model is refused.
"""

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from embserver.encoder import Pause
from embserver.failures import ModelRefused
from embserver.modelfiles import ModelFiles, faults_told

__all__ = ["FAMILIES", "PaddedBert", "check", "load", "max_tokens"]

FAMILIES = ("bert", "roberta", "xlm-roberta", "mpnet")
# These number positions from the padding id + 1 on, so two rows of the position table are never used.
_SHIFTED = ("roberta", "xlm-roberta", "mpnet")
_UNUSED = ("pooler.", "cls.", "lm_head.", "embeddings.position_ids")


class PaddedBert(nn.Module):
    """A transformers model behind the same call as ours: lists of ids in, one [tokens, width] a text out."""

    def __init__(self, model: nn.Module, *, padding: int) -> None:
        super().__init__()
        self.model = model
        self.padding = padding

    def forward(self, batch: Sequence[Sequence[int]], pause: Pause) -> list[Tensor]:
        """One [tokens, width] a text, in the order given; padding is masked and cut off."""
        pause()
        device = next(self.model.parameters()).device
        longest = max(map(len, batch))
        ids = torch.tensor([[*text, *[self.padding] * (longest - len(text))] for text in batch], device=device)
        mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in batch], device=device)
        states = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        return [states[row, : len(text)] for row, text in enumerate(batch)]


def max_tokens(files: ModelFiles) -> int:
    """The longest input, in tokens, that the position table and the model's own settings allow."""
    rows = files.number("max_position_embeddings")
    table = rows - 2 if files.config.get("model_type") in _SHIFTED else rows
    return min(table, files.max_seq_length or table)


def check(files: ModelFiles) -> None:
    """Whether the folder is one of these architectures and whole, told without loading a weight. Raises
    ModelRefused."""
    family = _family(files)
    try:
        config = family.config_class.from_pretrained(files.folder, local_files_only=True)
        # On "meta" nothing is allocated.
        with torch.device("meta"):
            skeleton = family(config, add_pooling_layer=False)
    except Exception as error:
        raise ModelRefused(f"config.json in {files.folder} does not describe a model: {error}") from error
    expected = {name: tuple(tensor.shape) for name, tensor in skeleton.state_dict().items()}
    found = {_present(name, family.base_model_prefix): shape for name, shape in files.shapes.items()}
    _refuse_faults(
        files,
        missing=expected.keys() - found.keys(),
        extra=found.keys() - expected.keys(),
        mismatched=[
            f"{name} {found[name]} instead of {expected[name]}"
            for name in expected.keys() & found.keys()
            if expected[name] != found[name]
        ],
    )


def load(files: ModelFiles) -> PaddedBert:
    """The model with the folder's weights, as float32 on the CPU. Raises ModelRefused as `check` does."""
    family = _family(files)
    model, report = family.from_pretrained(
        files.folder,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        add_pooling_layer=False,
        output_loading_info=True,
        dtype=torch.float32,
    )
    _refuse_faults(
        files,
        missing=report["missing_keys"],
        extra={_present(name, family.base_model_prefix) for name in report["unexpected_keys"]},
        mismatched=[str(name) for name in report["mismatched_keys"]],
    )
    padding = files.config.get("pad_token_id")
    return PaddedBert(
        model.eval().requires_grad_(requires_grad=False), padding=padding if isinstance(padding, int) else 0
    )


def _family(files: ModelFiles) -> Any:
    """The class of transformers for it."""
    import transformers  # noqa: PLC0415 - seconds that the JinaBERT path does not need

    kind = files.config.get("model_type")
    if kind not in FAMILIES:
        raise ModelRefused(
            f"config.json in {files.folder} says model_type = {kind!r}. Served are {', '.join(FAMILIES)} sentence "
            "models and the JinaBERT code model."
        )
    positions = files.config.get("position_embedding_type", "absolute")
    if positions != "absolute":
        raise ModelRefused(
            f"config.json in {files.folder} says position_embedding_type = {positions!r}: a relative of BERT whose "
            "weights a plain BERT would load in part and fill up at random."
        )
    quiet: Any = transformers.logging
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    classes: dict[str, Any] = {
        "bert": transformers.BertModel,
        "roberta": transformers.RobertaModel,
        "xlm-roberta": transformers.XLMRobertaModel,
        "mpnet": transformers.MPNetModel,
    }
    return classes[str(kind)]


def _present(name: str, prefix: str) -> str:
    """A tensor's name as the class has it: files may carry the pretraining model's prefix, and the norms' old names."""
    return name.removeprefix(f"{prefix}.").replace(".gamma", ".weight").replace(".beta", ".bias")


def _refuse_faults(
    files: ModelFiles, *, missing: Collection[str], extra: Collection[str], mismatched: Collection[str]
) -> None:
    left_over = [name for name in extra if not name.startswith(_UNUSED)]
    faults = {"missing": missing, "left over": left_over, "of another shape": mismatched}
    if told := faults_told(faults):
        raise ModelRefused(
            f"The weights in {files.folder} are not those of a {files.config['model_type']} model. Tensors {told}."
        )
