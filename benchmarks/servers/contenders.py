"""Who is measured: our server and its peers, each as what it needs and the command that starts it."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from servers.checkpoints import Checkpoint
from servers.environments import python_of, run

__all__ = ["BENCHMARKS", "CONTENDERS", "SERVER", "Contender", "Place", "Start"]

BENCHMARKS = Path(__file__).resolve().parent.parent
SERVER = BENCHMARKS.parent / "server"
_FRONT = ("fastapi==0.165.0", "uvicorn==0.54.0", "numpy>=2")
_TORCH = ("torch==2.13.0", "sentence-transformers==6.2.0", "onnx==1.22.0", "safetensors", "tokenizers", *_FRONT)
_GGUF = ("xllamacpp==2026.10.11549", "gguf==0.19.0", "safetensors")
_ORT = ("onnxruntime==1.32.0", "tokenizers", *_FRONT)
_FASTEMBED = ("fastembed==0.9.1", *_FRONT)
_INFINITY = ("infinity-emb[torch,server]==0.0.78", "transformers==4.57.6", "torch==2.13.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run happens: the cache of environments and converted weights, and the threads that a server may use."""

    cache: Path
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A command, and what it has in its environment beside ours."""

    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One server. `prepare` may take minutes; it raises CannotRun where the server cannot be had here.

    `precision` is what the server's /info has to confirm, "" where nothing is asked.
    """

    name: str
    model: str
    prepare: Callable[[Place, Checkpoint, int], Start]
    ours: bool = False
    precision: str = ""


def _ours(precision: str) -> Callable[[Place, Checkpoint, int], Start]:
    def prepare(place: Place, checkpoint: Checkpoint, port: int) -> Start:
        settings = {
            "EMBSERVER_MODEL": str(checkpoint.folder),
            "EMBSERVER_PORT": str(port),
            "EMBSERVER_THREADS": str(place.threads),
            "EMBSERVER_PRECISION": precision,
            "PYTHONPATH": str(SERVER),
        }
        return Start(command=[sys.executable, "-m", "embserver"], env=settings)

    return prepare


def _naive(kind: str, requirements: Sequence[str]) -> Callable[[Place, Checkpoint, int], Start]:
    def prepare(place: Place, checkpoint: Checkpoint, port: int) -> Start:
        folder = checkpoint.folder
        if kind in ("onnxruntime", "fastembed"):
            folder = _converted(place, checkpoint, "onnx", _TORCH, "servers.onnxfile")
        python = python_of(place.cache, kind if requirements is not _TORCH else "torch", requirements)
        command = [str(python), "-m", "servers.naive", kind, str(folder), str(port), str(place.threads)]
        return Start(command=command, env={"PYTHONPATH": str(BENCHMARKS)})

    return prepare


def _llama(kind: str) -> Callable[[Place, Checkpoint, int], Start]:
    def prepare(place: Place, checkpoint: Checkpoint, port: int) -> Start:
        file = _converted(place, checkpoint, f"{kind}.gguf", _GGUF, "servers.gguffile", kind)
        python = python_of(place.cache, "llama", _GGUF)
        command = [str(python), "-m", "servers.llama", str(file), str(port), str(place.threads)]
        return Start(command=command, env={"PYTHONPATH": str(BENCHMARKS)})

    return prepare


def _infinity(place: Place, checkpoint: Checkpoint, port: int) -> Start:
    python = python_of(place.cache, "infinity", _INFINITY)
    options = ["--model-id", str(checkpoint.folder), "--engine", "torch", "--device", "cpu", "--no-bettertransformer"]
    listen = ["--host", "127.0.0.1", "--port", str(port), "--url-prefix", "/v1", "--dtype", "float32"]
    command = [str(python.parent / "infinity_emb"), "v2", *options, *listen, "--no-model-warmup"]
    threads = {"OMP_NUM_THREADS": str(place.threads), "HF_HUB_OFFLINE": "1"}
    return Start(command=command, env={**threads, "INFINITY_ANONYMOUS_USAGE_STATS": "0", "DO_NOT_TRACK": "1"})


def _converted(
    place: Place, checkpoint: Checkpoint, suffix: str, requirements: Sequence[str], module: str, *options: str
) -> Path:
    """The weights in a peer's own format, written by a run before or now, into another name and then renamed."""
    target = place.cache / f"{checkpoint.folder.name}.{suffix}"
    if not target.exists():
        python = python_of(place.cache, "torch" if requirements is _TORCH else "llama", requirements)
        unfinished = target.with_name(f"{target.name}.unfinished")
        if unfinished.exists():
            run(["rm", "-r", str(unfinished)])
        command = [str(python), "-m", module, str(checkpoint.folder), str(unfinished), *options]
        run(command, path=str(BENCHMARKS))
        unfinished.rename(target)
    return target


CONTENDERS = (
    Contender(name="ours", model="jina", prepare=_ours("float32"), ours=True),
    Contender(name="ours-int8", model="jina", prepare=_ours("int8"), ours=True, precision="int8"),
    Contender(name="original", model="jina", prepare=_naive("original", _TORCH)),
    Contender(name="llama-f32", model="jina", prepare=_llama("f32")),
    Contender(name="llama-q8_0", model="jina", prepare=_llama("q8_0")),
    Contender(name="onnxruntime", model="jina", prepare=_naive("onnxruntime", _ORT)),
    Contender(name="fastembed", model="jina", prepare=_naive("fastembed", _FASTEMBED)),
    Contender(name="ours-bert", model="bert", prepare=_ours("float32"), ours=True),
    Contender(name="sentence-transformers", model="bert", prepare=_naive("sentence-transformers", _TORCH)),
    Contender(name="infinity", model="bert", prepare=_infinity),
)
