"""Each client's file, read by a strict reader of its documented format: no key that it does not know, none missing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embctl.clients import Served, formats

SERVED = Served(
    model="minilm",
    dimension=384,
    threshold=0.2,
    openai_url="http://localhost:4000/v1",
    qdrant_url="http://localhost:6333",
)
UNMEASURED = Served(
    model="jina-code-v2",
    dimension=768,
    threshold=None,
    openai_url="http://localhost:4100/v1",
    qdrant_url="http://localhost:6433",
)
INDEX = {
    "codebaseIndexEnabled": bool,
    "codebaseIndexQdrantUrl": str,
    "codebaseIndexEmbedderProvider": str,
    "codebaseIndexEmbedderModelId": str,
    "codebaseIndexEmbedderModelDimension": int,
    "codebaseIndexOpenAiCompatibleBaseUrl": str,
    "codebaseIndexSearchMinScore": float,
    "codebaseIndexSearchMaxResults": int,
}
KILO = {
    "enabled": bool,
    "provider": str,
    "model": str,
    "dimension": int,
    "vectorStore": str,
    "openai-compatible": {"baseUrl": str},
    "qdrant": {"url": str},
    "searchMinScore": float,
    "embeddingBatchSize": int,
}


def strictly(value: Any, shape: Any, *, optional: frozenset[str] = frozenset()) -> None:
    """Refuses an unknown key, a missing one that is not optional, and another type."""
    if not isinstance(shape, dict):
        assert type(value) is shape, (value, shape)
        return
    assert set(value) <= set(shape), set(value) - set(shape)
    assert set(shape) - set(value) <= optional, set(shape) - set(value)
    for key, each in value.items():
        strictly(each, shape[key])


@pytest.mark.parametrize("served", [SERVED, UNMEASURED])
def test_the_import_has_the_documented_keys_and_no_profile_that_would_replace_the_users_own(served: Served) -> None:
    settings = formats.import_settings(served)
    assert settings["providerProfiles"] == {"currentApiConfigName": "default", "apiConfigs": {}}
    assert set(settings) == {"providerProfiles", "globalSettings"}
    assert set(settings["globalSettings"]) == {"codebaseIndexConfig"}
    optional = frozenset({"codebaseIndexSearchMinScore"} if served.threshold is None else ())
    strictly(settings["globalSettings"]["codebaseIndexConfig"], INDEX, optional=optional)


@pytest.mark.parametrize("served", [SERVED, UNMEASURED])
def test_kilos_part_has_the_strict_keys(served: Served) -> None:
    optional = {"embeddingBatchSize"} | ({"searchMinScore"} if served.threshold is None else set())
    strictly(formats.kilo_settings(served)["indexing"], KILO, optional=frozenset(optional))


def test_a_threshold_that_nobody_measured_is_not_invented() -> None:
    assert "codebaseIndexSearchMinScore" not in str(formats.import_settings(UNMEASURED))
    assert "searchMinScore" not in str(formats.kilo_settings(UNMEASURED))


def test_continue_gets_an_embedding_model_with_a_final_slash() -> None:
    assert formats.continue_model(SERVED) == {
        "name": "embctl",
        "provider": "openai",
        "model": "minilm",
        "apiBase": "http://localhost:4000/v1/",
        "apiKey": "any",
        "roles": ["embed"],
    }


def test_the_summary_is_the_documented_one() -> None:
    assert formats.summary(UNMEASURED) == {
        "embeddingProvider": "openai",
        "baseUrl": "http://localhost:4100/v1",
        "modelId": "jina-code-v2",
        "embeddingDimension": 768,
        "vectorStore": "qdrant",
        "qdrantUrl": "http://localhost:6433",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
OBJECT = st.dictionaries(st.text(max_size=5), JSON, max_size=3)


@given(profiles=st.dictionaries(st.text(max_size=5), OBJECT, min_size=1, max_size=3), rest=OBJECT, others=OBJECT)
def test_a_patched_export_has_the_index_and_the_key_of_the_current_profile_and_is_else_the_users(
    profiles: dict[str, Any], rest: dict[str, Any], others: dict[str, Any]
) -> None:
    current = next(iter(profiles))
    export = {
        **rest,
        "providerProfiles": {"currentApiConfigName": current, "apiConfigs": profiles, "modeApiConfigs": {"code": "x"}},
        "globalSettings": {**others, "codebaseIndexConfig": {"codebaseIndexBedrockRegion": "eu"}},
    }

    patched = formats.patched_export(export, SERVED)

    index = patched["globalSettings"].pop("codebaseIndexConfig")
    assert index == {
        "codebaseIndexBedrockRegion": "eu",
        **formats.import_settings(SERVED)["globalSettings"]["codebaseIndexConfig"],
    }
    assert patched["providerProfiles"]["apiConfigs"][current].pop("codebaseIndexOpenAiCompatibleApiKey") == "any"
    export["globalSettings"].pop("codebaseIndexConfig")
    profiles[current].pop("codebaseIndexOpenAiCompatibleApiKey", None)
    assert patched == export


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        ([], "no providerProfiles"),
        ({}, "no providerProfiles"),
        ({"providerProfiles": {"apiConfigs": {}}}, "no providerProfiles"),
        ({"providerProfiles": {"currentApiConfigName": "a", "apiConfigs": {}}}, 'profile "a"'),
        ({"providerProfiles": {"currentApiConfigName": "a", "apiConfigs": {"a": 1}}}, 'profile "a"'),
        ({"providerProfiles": {"currentApiConfigName": "a", "apiConfigs": {"a": {}}}, "globalSettings": 5}, "object"),
    ],
)
def test_what_is_no_export_is_told_apart(export: Any, reason: str) -> None:
    with pytest.raises(formats.NotAnExport, match=reason):
        formats.patched_export(export, SERVED)
