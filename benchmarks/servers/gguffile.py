"""`python -m servers.gguffile MODEL OUT f32|q8_0`: the jina checkpoint in llama.cpp's format.

Runs in the environment that has `gguf`. llama.cpp activates the first half of a joint up-and-gate matrix and the code
model the second, so the halves are swapped. Its q8_0 keeps vectors, such as biases and norms, in float32.
"""

import json
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import load_file

NAMES = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.self.layer_norm_q": "attn_q_norm",
    "attention.self.layer_norm_k": "attn_k_norm",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "layer_norm_1": "attn_norm_2",
    "layer_norm_2": "layer_output_norm",
    "mlp.up_gated_layer": "ffn_up",
    "mlp.down_layer": "ffn_down",
}
WHOLE = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}


def own_name(name: str) -> str | None:
    """llama.cpp's name of a tensor, None for the pooler, which mean pooling does not use."""
    if name.startswith("pooler."):
        return None
    if name in WHOLE:
        return WHOLE[name]
    layer, _, rest = name.removeprefix("encoder.layer.").partition(".")
    part, _, kind = rest.rpartition(".")
    return f"blk.{layer}.{NAMES[part]}.{kind}"


def add_tokenizer(writer: Any, folder: Path, rows: int) -> None:
    """The byte-level BPE; ids beyond the tokenizer's own are named as unused."""
    model = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    known = {index: token for token, index in model["model"]["vocab"].items()}
    special = {entry["id"] for entry in model["added_tokens"] if entry["special"]}
    tokens, kinds = [], []
    for index in range(rows):
        tokens.append(known.get(index, f"[unused{index}]"))
        unused = gguf.TokenType.UNUSED if index not in known else gguf.TokenType.NORMAL
        kinds.append(gguf.TokenType.CONTROL if index in special else unused)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("jina-v2-code")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    merges = model["model"]["merges"]
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in merges])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_sep_token_id(2)
    writer.add_unk_token_id(3)
    writer.add_pad_token_id(1)
    writer.add_mask_token_id(4)
    writer.add_add_bos_token(True)  # noqa: FBT003 - the library's own signature
    writer.add_add_eos_token(True)  # noqa: FBT003 - the library's own signature
    writer.add_token_type_count(2)


def main() -> None:
    """Write the file."""
    folder, out, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    writer = gguf.GGUFWriter(out, "jina-bert-v2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)  # noqa: FBT003 - the library's own signature
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_max_alibi_bias(8.0)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if kind == "q8_0" else gguf.LlamaFileType.ALL_F32)
    add_tokenizer(writer, folder, config["vocab_size"])
    for name, tensor in load_file(folder / "model.safetensors").items():
        own = own_name(name)
        if own is None:
            continue
        if "up_gated_layer" in name:
            up, gate = np.split(tensor, 2)
            tensor = np.concatenate([gate, up])  # noqa: PLW2901 - the same tensor, in the order of its reader
        if kind == "q8_0" and tensor.ndim > 1 and "token_types" not in own:
            quantised = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(own, gguf.quants.quantize(tensor, quantised), raw_dtype=quantised)
        else:
            writer.add_tensor(own, np.ascontiguousarray(tensor, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
