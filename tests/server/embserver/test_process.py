"""The server as a process on a real socket, with real weights."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import numpy as np

from fakes.embserver_process import running
from fakes.jina_checkpoint import Shape, random_weights, write_checkpoint
from fakes.minilm_folder import minilm_folder
from fakes.model_hub import serving


def test_from_listening_to_ready_to_a_shutdown_that_finishes_what_it_began(tmp_path: Path) -> None:
    settings = {
        "EMBSERVER_MODEL": str(minilm_folder()),
        "EMBSERVER_MODELS_DIR": str(tmp_path),
        "EMBSERVER_DEVICE": "cpu",
    }
    with running(settings) as server, httpx2.Client(base_url=server.url, timeout=300, trust_env=False) as client:
        assert client.get("/livez").status_code == 200
        early = client.get("/readyz")
        assert early.status_code == 503
        assert early.json()["status"] in ("starting", "loading")
        assert server.event("loading")["folder"] == str(minilm_folder())
        server.event("ready")
        assert client.get("/readyz").json() == {"status": "ready"}

        texts = ["where is a taken port detected?", "def main() -> int:\n    return 0\n"]
        floats = client.post("/v1/embeddings", json={"input": texts, "model": "model"}).json()
        packed = client.post("/embeddings", json={"input": texts, "encoding_format": "base64"}).json()
        for plain, encoded in zip(floats["data"], packed["data"], strict=True):
            vector = np.frombuffer(base64.b64decode(encoded["embedding"]), "<f4")
            assert vector.shape == (384,)
            assert np.array_equal(vector, np.array(plain["embedding"], np.float32))
            assert abs(float(np.linalg.norm(vector)) - 1) < 1e-5
        assert floats["usage"] == packed["usage"]

        with ThreadPoolExecutor() as pool:
            late = pool.submit(client.post, "/v1/embeddings", json={"input": ["word " * 200] * 6})
            while client.get("/info").json()["queue"]["running"] == 0 and not late.done():
                pass
            server.stop()
            answer = late.result()
        assert answer.status_code == 200
        assert len(answer.json()["data"]) == 6
        assert server.process.wait() == 0
        assert server.event("stopping")["signal"] == 15


def test_the_code_models_architecture_serves_768_dimensions(tmp_path: Path) -> None:
    shape = Shape(width=768, layers=1, heads=12, inner=3072)
    folder = write_checkpoint(tmp_path / "jina-like", shape, random_weights(shape))
    settings = {"EMBSERVER_MODEL": str(folder), "EMBSERVER_MODELS_DIR": str(tmp_path), "EMBSERVER_DEVICE": "cpu"}
    with running(settings) as server, httpx2.Client(base_url=server.url, timeout=300, trust_env=False) as client:
        server.event("ready")

        answer = client.post("/v1/embeddings", json={"input": ["fn main() {}", ""], "model": "jina-like"}).json()
        info = client.get("/info").json()

    vectors = np.array([entry["embedding"] for entry in answer["data"]])
    assert vectors.shape == (2, 768)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    assert (info["dimension"], info["max_tokens"]) == (768, 8192)
    assert "transformers" not in info["versions"]


def test_a_model_that_cannot_be_had_is_logged_and_ends_the_process_with_1(tmp_path: Path) -> None:
    settings = {"EMBSERVER_MODELS_DIR": str(tmp_path), "EMBSERVER_HUB_MIRROR": "http://127.0.0.1:9"}
    with running(settings) as server:
        line = server.event("start_failed")

        assert line["level"] == "critical"
        assert "http://127.0.0.1:9" in line["detail"]
        assert server.process.wait() == 1


def test_a_fetched_model_that_is_refused_ends_the_process_with_1(tmp_path: Path) -> None:
    with serving("o/m", {"config.json": b"{}", "tokenizer.json": b"{}"}) as hub:
        settings = {"EMBSERVER_MODEL": "o/m", "EMBSERVER_MODELS_DIR": str(tmp_path), "EMBSERVER_HUB_MIRROR": hub.url}
        with running(settings) as server:
            assert "has no model.safetensors" in server.event("start_failed")["detail"]
            assert server.process.wait() == 1


def test_a_taken_port_ends_the_process_and_is_told(tmp_path: Path) -> None:
    settings = {"EMBSERVER_MODEL": str(minilm_folder()), "EMBSERVER_MODELS_DIR": str(tmp_path)}
    with running(settings) as first:
        port = str(first.event("listening")["port"])
        with running({**settings, "EMBSERVER_PORT": port}) as second:
            detail = second.event("start_failed")["detail"]
            assert f"127.0.0.1:{port}" in detail
            assert "EMBSERVER_PORT" in detail
            assert second.process.wait() == 1


def test_being_told_to_stop_while_the_model_is_still_loading_ends_at_once(tmp_path: Path) -> None:
    settings = {"EMBSERVER_MODEL": str(minilm_folder()), "EMBSERVER_MODELS_DIR": str(tmp_path)}
    with running(settings) as server:
        server.event("listening")
        server.stop()

        assert server.process.wait() == 0
