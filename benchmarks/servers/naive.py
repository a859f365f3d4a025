"""`python -m servers.naive KIND MODEL PORT THREADS`: a model behind the plainest FastAPI server.

Runs in a peer's own environment and imports only what that peer needs. KIND says what computes and in which batches:
`original` pads a whole request and collects garbage after each, eight requests at once; `sentence-transformers`,
`onnxruntime` (sorted batches of 8) and `fastembed` answer one request after the other.
"""

import asyncio
import base64
import gc
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import uvicorn
from fastapi import FastAPI, Request

Vectors = npt.NDArray[np.float32]
Embed = Callable[[list[str]], Vectors]

ORIGINAL_SEMAPHORE = 8
SORTED_BATCH = 8
MAX_TOKENS = 8192


def _tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>")  # noqa: S106 - no secret
    return tokenizer


def _padded(tokenizer: Any, texts: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    encoded = tokenizer.encode_batch(list(texts))
    ids = np.array([one.ids for one in encoded], dtype=np.int64)
    return ids, np.array([one.attention_mask for one in encoded], dtype=np.int64)


def original(folder: Path, threads: int) -> Embed:
    """The whole request as one padded batch, then a full collection."""
    import torch

    from servers.paddedjina import PaddedJina

    torch.set_num_threads(threads)
    tokenizer, model = _tokenizer(folder), PaddedJina(folder).eval()

    def embed(texts: list[str]) -> Vectors:
        torch.set_num_threads(threads)  # torch counts them per thread
        with torch.inference_mode():
            ids, mask = (torch.from_numpy(array) for array in _padded(tokenizer, texts))
            vectors: Vectors = model(ids, mask).numpy()
        gc.collect()
        return vectors

    return embed


def sentence_transformers(folder: Path, threads: int) -> Embed:
    """The library's own batches: sorted by length, 32 at a time."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(str(folder), device="cpu")

    def embed(texts: list[str]) -> Vectors:
        torch.set_num_threads(threads)
        return np.asarray(model.encode(texts, normalize_embeddings=True, show_progress_bar=False))

    return embed


def onnxruntime(folder: Path, threads: int) -> Embed:
    """The exported graph, sorted by length, eight texts at a time."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    tokenizer = _tokenizer(folder)

    def embed(texts: list[str]) -> Vectors:
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        vectors: list[Any] = [None] * len(texts)
        for first in range(0, len(order), SORTED_BATCH):
            batch = order[first : first + SORTED_BATCH]
            ids, mask = _padded(tokenizer, [texts[index] for index in batch])
            rows = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
            for index, row in zip(batch, rows, strict=True):
                vectors[index] = row
        return np.array(vectors, dtype=np.float32)

    return embed


def fastembed(folder: Path, threads: int) -> Embed:
    """The same graph as a custom model of the library, in its default batches."""
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    dimension = int(json.loads((folder / "config.json").read_text(encoding="utf-8"))["hidden_size"])
    TextEmbedding.add_custom_model(
        model="benchmark/jina",
        pooling=PoolingType.DISABLED,
        normalization=True,
        sources=ModelSource(hf="benchmark/jina"),
        dim=dimension,
        model_file="model.onnx",
    )
    model = TextEmbedding("benchmark/jina", specific_model_path=str(folder), threads=threads)
    return lambda texts: np.array(list(model.embed(texts)), dtype=np.float32)


KINDS: dict[str, Callable[[Path, int], Embed]] = {
    "original": original,
    "sentence-transformers": sentence_transformers,
    "onnxruntime": onnxruntime,
    "fastembed": fastembed,
}


def app(embed: Embed, concurrent: int) -> FastAPI:
    """One route, at most `concurrent` requests computing at once."""
    served = FastAPI()
    semaphore = asyncio.Semaphore(concurrent)

    @served.post("/v1/embeddings")
    async def embeddings(request: Request) -> dict[str, Any]:
        body = await request.json()
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        async with semaphore:
            vectors = await asyncio.to_thread(embed, texts)
        data = [
            {"object": "embedding", "index": index, "embedding": base64.b64encode(row.astype("<f4").tobytes()).decode()}
            for index, row in enumerate(vectors)
        ]
        return {"object": "list", "data": data, "model": "benchmark"}

    return served


def main() -> None:
    """Load, embed once, listen."""
    kind, folder, port, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    embed = KINDS[kind](folder, threads)
    embed(["def ready() -> bool: return True"])
    concurrent = ORIGINAL_SEMAPHORE if kind == "original" else 1
    uvicorn.run(app(embed, concurrent), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
