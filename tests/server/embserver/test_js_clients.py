"""OpenAI's JavaScript client, in the version that the editors use, against a running server with real weights."""

import json
from pathlib import Path

import numpy as np

import npm_workspace
from fakes.embserver_process import running
from fakes.minilm_folder import minilm_folder

TEXTS = ["test", "def main() -> int:\n    return 0\n", "ä\U0001f600"]


def test_it_reads_the_same_vectors_in_every_way_and_the_errors(tmp_path: Path) -> None:
    program = npm_workspace.node()
    settings = {
        "EMBSERVER_MODEL": str(minilm_folder()),
        "EMBSERVER_MODELS_DIR": str(tmp_path),
        "EMBSERVER_DEVICE": "cpu",
    }
    with running(settings) as server:
        server.event("ready")
        answers, _ = npm_workspace.ran(program, "embeddings.mjs", f"{server.url}/v1", json.dumps(TEXTS))

    decoded = np.array(answers["decoded"], np.float32)
    assert decoded.shape == (3, 384)
    assert np.abs(np.linalg.norm(decoded, axis=1) - 1).max() < 1e-5
    for way in ("byItself", "floats"):
        assert np.array_equal(np.array(answers[way], np.float32), decoded)
    assert answers["usage"]["prompt_tokens"] == answers["usage"]["total_tokens"] > 0
    assert answers["dimensions"]["threw"] == "BadRequestError"
    assert "This model does not support the dimensions parameter value 256" in answers["dimensions"]["said"]
    assert (answers["model"]["threw"], answers["model"]["code"]) == ("NotFoundError", "model_not_found")
