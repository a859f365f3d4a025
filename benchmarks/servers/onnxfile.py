"""`python -m servers.onnxfile MODEL OUT`: the jina checkpoint as an ONNX graph, for ONNX Runtime and fastembed.

Runs in the peers' torch environment; `OUT` becomes a folder of model.onnx and the tokenizer's files.
"""

import shutil
import sys
from pathlib import Path

import torch

from servers.paddedjina import PaddedJina


def main() -> None:
    """Export, then copy what a loader reads beside the graph."""
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True)
    model = PaddedJina(source).eval()
    ids = torch.full((2, 7), 5)
    with torch.inference_mode():
        torch.onnx.export(
            model,
            (ids, torch.ones_like(ids)),
            str(out / "model.onnx"),
            input_names=["input_ids", "attention_mask"],
            output_names=["sentence_embedding"],
            dynamic_axes={
                "input_ids": {0: "texts", 1: "tokens"},
                "attention_mask": {0: "texts", 1: "tokens"},
                "sentence_embedding": {0: "texts"},
            },
            opset_version=17,
            dynamo=False,
        )
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(source / name, out / name)


if __name__ == "__main__":
    main()
