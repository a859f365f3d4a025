"""Checkpoints of the JinaBERT code architecture, randomly initialised, with the real file names, keys and tensor names.

The names are written out here and not asked from the server: they are what the server is held against.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

LINES = [
    "def detect_taken_port(host: str, port: int) -> PortOwner | None:",
    '    """Who listens there, or None."""',
    "    with socket.create_connection((host, port), timeout=0.2) as connection:",
    "        return owner_of(connection)",
    "class Reconciler { constructor(private readonly engine: Engine) {} }",
    'fn main() { println!("{}", tokens.iter().sum::<usize>()); }',
    "SELECT id, vector FROM points WHERE collection = 'code' ORDER BY score DESC;",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of a model; `vocabulary` is at least what the tokenizer needs."""

    width: int = 24
    layers: int = 2
    heads: int = 3
    inner: int = 40
    vocabulary: int = 400
    max_tokens: int = 8192

    def config(self) -> dict[str, object]:
        """config.json as the released model has it, but for the sizes."""
        return {
            "_name_or_path": "jinaai/jina-bert-v2-qk-post-norm",
            "architectures": ["JinaBertForMaskedLM"],
            "attention_probs_dropout_prob": 0.0,
            "auto_map": {"AutoModel": "jinaai/jina-bert-v2-qk-post-norm--modeling_bert.JinaBertModel"},
            "emb_pooler": "mean",
            "feed_forward_type": "geglu",
            "hidden_act": "gelu",
            "hidden_size": self.width,
            "intermediate_size": self.inner,
            "layer_norm_eps": 1e-12,
            "max_position_embeddings": self.max_tokens,
            "model_type": "bert",
            "num_attention_heads": self.heads,
            "num_hidden_layers": self.layers,
            "pad_token_id": 1,
            "position_embedding_type": "alibi",
            "torch_dtype": "float32",
            "type_vocab_size": 2,
            "vocab_size": self.vocabulary,
        }

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Every tensor of the released file, pooler included, with its shape."""
        width, inner = self.width, self.inner
        shapes: dict[str, tuple[int, ...]] = {
            "embeddings.word_embeddings.weight": (self.vocabulary, width),
            "embeddings.token_type_embeddings.weight": (2, width),
            "embeddings.LayerNorm.weight": (width,),
            "embeddings.LayerNorm.bias": (width,),
            "pooler.dense.weight": (width, width),
            "pooler.dense.bias": (width,),
        }
        for layer in range(self.layers):
            root = f"encoder.layer.{layer}"
            for part in ("query", "key", "value"):
                shapes[f"{root}.attention.self.{part}.weight"] = (width, width)
                shapes[f"{root}.attention.self.{part}.bias"] = (width,)
            shapes[f"{root}.attention.output.dense.weight"] = (width, width)
            shapes[f"{root}.attention.output.dense.bias"] = (width,)
            for norm in (
                "attention.self.layer_norm_q",
                "attention.self.layer_norm_k",
                "attention.output.LayerNorm",
                "layer_norm_1",
                "layer_norm_2",
            ):
                shapes[f"{root}.{norm}.weight"] = (width,)
                shapes[f"{root}.{norm}.bias"] = (width,)
            shapes[f"{root}.mlp.up_gated_layer.weight"] = (2 * inner, width)
            shapes[f"{root}.mlp.down_layer.weight"] = (width, inner)
            shapes[f"{root}.mlp.down_layer.bias"] = (width,)
        return shapes


CODE_MODEL = Shape(width=768, layers=12, heads=12, inner=3072, vocabulary=61056)
"""The released code model's."""


def random_weights(shape: Shape, seed: int = 7) -> dict[str, torch.Tensor]:
    """Weights large enough that every term of the formulas moves the result."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, size in shape.tensors().items():
        drawn = torch.randn(size, generator=generator)
        if "layer_norm" in name or "LayerNorm" in name:
            weights[name] = (1.0 if name.endswith("weight") else 0.0) + 0.2 * drawn
        elif "embeddings" in name or name.endswith("bias"):
            weights[name] = 0.5 * drawn
        else:
            weights[name] = drawn * (1.5 / size[-1] ** 0.5)
    return weights


def write_checkpoint(
    folder: Path, shape: Shape, weights: Mapping[str, torch.Tensor], config: Mapping[str, object] | None = None
) -> Path:
    """Write a model folder and return it; `config` replaces single keys of config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**shape.config(), **(config or {})}), encoding="utf-8")
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, folder / "model.safetensors")
    write_tokenizer(folder, vocabulary=shape.vocabulary)
    return folder


def write_tokenizer(folder: Path, *, vocabulary: int) -> None:
    """A byte-level BPE with RoBERTa's special tokens, trained on a few lines: the class of the released model's."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))  # noqa: S106 - no secret, the unknown token
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))
