"""Sentence models of the BERT family, computed by transformers' own classes; the only importer of transformers.

Only architectures named here are loaded, from local files, with every weight accounted for: transformers fills what is
missing with random numbers, and such a model is refused.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from embserver.failures import ModelRefused
from embserver.modelfiles import ModelFiles

__all__ = ["FAMILIES", "PaddedBert", "load", "max_tokens"]

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

    def forward(self, batch: Sequence[Sequence[int]]) -> list[Tensor]:
        """One [tokens, width] a text, in the order given; padding is masked and cut off."""
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


def load(files: ModelFiles) -> PaddedBert:
    """The model with the folder's weights, as float32 on the CPU. Raises ModelRefused for any other architecture."""
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
    model, report = classes[str(kind)].from_pretrained(
        files.folder,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        add_pooling_layer=False,
        output_loading_info=True,
        dtype=torch.float32,
    )
    missing, mismatched = sorted(report["missing_keys"]), sorted(map(str, report["mismatched_keys"]))
    extra = sorted(name for name in report["unexpected_keys"] if not name.removeprefix(f"{kind}.").startswith(_UNUSED))
    if missing or mismatched or extra:
        raise ModelRefused(
            f"The weights in {files.folder} are not those of a {kind} model: missing {missing}, left over {extra}, "
            f"of another shape {mismatched}."
        )
    padding = files.config.get("pad_token_id")
    return PaddedBert(
        model.eval().requires_grad_(requires_grad=False), padding=padding if isinstance(padding, int) else 0
    )
