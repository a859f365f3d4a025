"""The clients that people have, as published, against a running server with real weights: OpenAI's own, LangChain's and
LlamaIndex's."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openai
import pytest
from langchain_openai import OpenAIEmbeddings
from llama_index.embeddings.openai import OpenAIEmbedding  # type: ignore[import-untyped]  # it has no types
from tokenizers import Tokenizer

from fakes.embserver_process import running
from fakes.minilm_folder import minilm_folder

TEXTS = ["where is a taken port detected?", "def main() -> int:\n    return 0\n", ""]
DIMENSION = 384


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    models: Path = tmp_path_factory.mktemp("models")
    settings = {"EMBSERVER_MODEL": str(minilm_folder()), "EMBSERVER_MODELS_DIR": str(models), "EMBSERVER_DEVICE": "cpu"}
    with running(settings) as server:
        server.event("ready")
        yield f"{server.url}/v1"


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key="any", max_retries=0) as opened:
        yield opened


@pytest.fixture
def vectors(client: openai.OpenAI) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    answer = client.embeddings.create(model="model", input=TEXTS, encoding_format="float")
    return np.array([entry.embedding for entry in answer.data])


def test_openais_client_reads_vectors_and_usage(client: openai.OpenAI, vectors: np.ndarray) -> None:
    # Without a format it asks for base64 and decodes that itself.
    answer = client.embeddings.create(model="model", input=TEXTS, user="me", dimensions=DIMENSION)

    assert [entry.index for entry in answer.data] == [0, 1, 2]
    assert np.array_equal(np.array([entry.embedding for entry in answer.data], np.float32), vectors.astype(np.float32))
    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokens = sum(len(tokenizer.encode(text).ids) for text in TEXTS)
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == tokens
    assert answer.model == "model"


def test_openais_client_may_send_tokens(client: openai.OpenAI, vectors: np.ndarray, url: str) -> None:
    answer = client.post(f"{url.removesuffix('/v1')}/tokenize", cast_to=object, body={"input": TEXTS})
    assert isinstance(answer, dict)
    tokens = [entry["tokens"] for entry in answer["data"]]

    embedded = client.embeddings.create(model="model", input=tokens)

    assert np.allclose([entry.embedding for entry in embedded.data], vectors, atol=1e-6)


def test_openais_client_lists_the_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["model", str(minilm_folder())]


def test_openais_client_understands_what_went_wrong(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="not served here") as missing:
        client.embeddings.create(model="text-embedding-3-small", input="x")
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError, match="dimensions parameter value 256"):
        client.embeddings.create(model="model", input="x", dimensions=256)
    with pytest.raises(openai.BadRequestError, match="longer than the 256 tokens"):
        client.embeddings.create(model="model", input="word " * 500, extra_body={"truncate": False})
    with pytest.raises(openai.NotFoundError, match=r"POST http.*/v1/embeddings"):
        client.completions.create(model="model", prompt="x")


def test_openais_client_sees_what_the_time_went_into(client: openai.OpenAI) -> None:
    raw = client.embeddings.with_raw_response.create(model="model", input="x")

    assert raw.headers["server-timing"].startswith("queue;dur=")


def test_langchain_embeds_documents_and_questions(url: str, vectors: np.ndarray) -> None:
    # Its check of lengths would send OpenAI's token ids, which mean other words to any other model.
    embeddings = OpenAIEmbeddings(model="model", base_url=url, api_key="any", check_embedding_ctx_length=False)  # type: ignore[arg-type]  # becomes a secret

    assert np.allclose(embeddings.embed_documents(TEXTS), vectors, atol=1e-6)
    assert np.allclose(embeddings.embed_query(TEXTS[0]), vectors[0], atol=1e-6)


def test_llamaindex_embeds_texts_and_questions(url: str, vectors: np.ndarray) -> None:
    embeddings = OpenAIEmbedding(model_name="model", api_base=url, api_key="any", embed_batch_size=60)

    assert np.allclose(embeddings.get_text_embedding_batch(TEXTS[:2]), vectors[:2], atol=1e-6)
    assert np.allclose(embeddings.get_query_embedding(TEXTS[0]), vectors[0], atol=1e-6)
