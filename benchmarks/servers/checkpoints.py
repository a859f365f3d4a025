"""The weights that all servers share: random checkpoints of the jina code architecture and of BERT-base.

Speed does not depend on what the weights are, only on their shapes. The tokenizer is a byte-level BPE trained on the
benchmark's own code, one for both models, so that tokens have the length that they have in practice.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from fakes.jina_checkpoint import Shape, random_weights, write_checkpoint
from servers.texts import sources

__all__ = ["Checkpoint", "bert", "jina"]

_VOCABULARY = 30522
_JINA_ROWS = 61056
_BERT_TOKENS = 512
_TRAINED_FILES = 400
_MARGIN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A model folder and the numbers of its arithmetic; `inner_parts` is 3 with a gated MLP, else 2."""

    name: str
    folder: Path
    max_tokens: int
    width: int
    layers: int
    inner: int
    inner_parts: int

    @property
    def products(self) -> list[tuple[int, int]]:
        """(columns in, columns out) of a layer's matrix products."""
        square = [(self.width, self.width)] * 4
        return [*square, (self.width, (self.inner_parts - 1) * self.inner), (self.inner, self.width)]

    def flops(self, lengths: Sequence[int]) -> float:
        """Floating-point operations of all matrix products, attention's included (a fortieth at 150 tokens), for texts
        of these many tokens, without any padding."""
        linear = 2 * self.layers * sum(rows * columns for rows, columns in self.products)
        attention = 4 * self.layers * self.width
        return float(sum(length * linear + length * length * attention for length in lengths))

    def count(self) -> Callable[[Sequence[str]], list[int]]:
        """How many tokens each text has for the model, cut at its limit."""
        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.enable_truncation(self.max_tokens)
        return lambda texts: [len(one.ids) for one in tokenizer.encode_batch(list(texts))]

    def filling(self, text: str) -> str:
        """As much of a text as the model takes, for servers that refuse what is longer instead of cutting it."""
        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        # A word that is cut in two may have a token or two more than it had as a part of the whole.
        tokenizer.enable_truncation(self.max_tokens - _MARGIN)
        return text[: tokenizer.encode(text).offsets[-2][1]]


def jina(cache: Path, *, quick: bool) -> Checkpoint:
    """The code model's architecture, in its real size unless `quick`."""
    shape = (
        Shape(width=96, layers=2, heads=12, inner=128, vocabulary=_JINA_ROWS)
        if quick
        else Shape(width=768, layers=12, heads=12, inner=3072, vocabulary=_JINA_ROWS)
    )
    folder = cache / f"jina-{shape.width}x{shape.layers}"

    def write() -> None:
        write_checkpoint(folder, shape, random_weights(shape))
        _write_tokenizer(folder, max_tokens=shape.max_tokens)

    _once(folder, write)
    return Checkpoint(
        name="jina",
        folder=folder,
        max_tokens=shape.max_tokens,
        width=shape.width,
        layers=shape.layers,
        inner=shape.inner,
        inner_parts=3,
    )


def bert(cache: Path, *, quick: bool) -> Checkpoint:
    """BERT-base as a sentence model with mean pooling, for the peers that cannot load the code model."""
    width, layers, heads, inner = (96, 2, 12, 128) if quick else (768, 12, 12, 3072)
    folder = cache / f"bert-{width}x{layers}"

    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "architectures": ["BertModel"],
            "hidden_act": "gelu",
            "hidden_size": width,
            "intermediate_size": inner,
            "layer_norm_eps": 1e-12,
            "max_position_embeddings": _BERT_TOKENS,
            "model_type": "bert",
            "num_attention_heads": heads,
            "num_hidden_layers": layers,
            "pad_token_id": 1,
            "type_vocab_size": 2,
            "vocab_size": _VOCABULARY,
        }
        _json(folder / "config.json", config)
        kinds = {"0": "Transformer", "1": "Pooling", "2": "Normalize"}
        modules = [
            {
                "idx": int(index),
                "name": index,
                "path": "" if kind == "Transformer" else f"{index}_{kind}",
                "type": f"sentence_transformers.models.{kind}",
            }
            for index, kind in kinds.items()
        ]
        _json(folder / "modules.json", modules)
        _json(folder / "sentence_bert_config.json", {"max_seq_length": _BERT_TOKENS, "do_lower_case": False})
        (folder / "1_Pooling").mkdir(exist_ok=True)
        (folder / "2_Normalize").mkdir(exist_ok=True)
        pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
        _json(folder / "1_Pooling" / "config.json", pooling)
        save_file(_bert_weights(width, layers, inner), folder / "model.safetensors", metadata={"format": "pt"})
        _write_tokenizer(folder, max_tokens=_BERT_TOKENS)

    _once(folder, write)
    return Checkpoint(
        name="bert", folder=folder, max_tokens=_BERT_TOKENS, width=width, layers=layers, inner=inner, inner_parts=2
    )


def _bert_weights(width: int, layers: int, inner: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    weights: dict[str, torch.Tensor] = {}

    def norm(name: str) -> None:
        weights[f"{name}.weight"] = 1.0 + 0.2 * torch.randn(width, generator=generator)
        weights[f"{name}.bias"] = 0.2 * torch.randn(width, generator=generator)

    def linear(name: str, rows: int, columns: int) -> None:
        weights[f"{name}.weight"] = torch.randn(rows, columns, generator=generator) * (1.5 / columns**0.5)
        weights[f"{name}.bias"] = 0.5 * torch.randn(rows, generator=generator)

    for table, rows in (("word", _VOCABULARY), ("position", _BERT_TOKENS), ("token_type", 2)):
        weights[f"embeddings.{table}_embeddings.weight"] = 0.5 * torch.randn(rows, width, generator=generator)
    norm("embeddings.LayerNorm")
    for layer in range(layers):
        root = f"encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            linear(f"{root}.attention.{part}", width, width)
        norm(f"{root}.attention.output.LayerNorm")
        linear(f"{root}.intermediate.dense", inner, width)
        linear(f"{root}.output.dense", width, inner)
        norm(f"{root}.output.LayerNorm")
    return weights


def _write_tokenizer(folder: Path, *, max_tokens: int) -> None:
    special = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "mask": "<mask>"}
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))  # noqa: S106 - no secret, the unknown token
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=list(special.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sources()[:_TRAINED_FILES], trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {f"{name}_token": token for name, token in special.items()} | {"cls_token": "<s>", "sep_token": "</s>"}
    _json(folder / "special_tokens_map.json", names)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": max_tokens, **names}
    _json(folder / "tokenizer_config.json", config)


def _once(folder: Path, write: Callable[[], None]) -> None:
    """Write a folder unless a run before has finished it."""
    done = folder / "complete"
    if not done.exists():
        write()
        done.touch()


def _json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
