"""What stands in each client's file, as plain values. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from embctl.clients.served import Served

__all__ = [
    "ANY_KEY",
    "NotAnExport",
    "continue_model",
    "has_profiles",
    "import_settings",
    "kilo_settings",
    "patched_export",
    "summary",
]

# What a client that insists on a key gets where the server wants none.
ANY_KEY = "any"


class NotAnExport(ValueError):
    """The file is no export of the client: the message says what is missing or wrong."""


def _index(served: Served) -> dict[str, Any]:
    measured = {} if served.threshold is None else {"codebaseIndexSearchMinScore": served.threshold}
    return {
        "codebaseIndexEnabled": True,
        "codebaseIndexQdrantUrl": served.qdrant_url,
        "codebaseIndexEmbedderProvider": "openai-compatible",
        "codebaseIndexEmbedderModelId": served.model,
        "codebaseIndexEmbedderModelDimension": served.dimension,
        "codebaseIndexOpenAiCompatibleBaseUrl": served.openai_url,
        **measured,
        "codebaseIndexSearchMaxResults": 50,
    }


def import_settings(served: Served) -> dict[str, Any]:
    """The safe form of Roo's and Zoo's import: without profiles, so that the user's chat profile stays as it is."""
    return {
        "providerProfiles": {"currentApiConfigName": "default", "apiConfigs": {}},
        "globalSettings": {"codebaseIndexConfig": _index(served)},
    }


def has_profiles(content: bytes) -> bool:
    """Whether a file is a user's own export, rather than an import that was made here."""
    try:
        match json.loads(content):
            case {"providerProfiles": {"apiConfigs": dict(profiles)}}:
                return bool(profiles)
    except ValueError:
        pass
    return False


def patched_export(export: Any, served: Served) -> dict[str, Any]:
    """The user's own export with the index's settings, and with the key inside its current profile, where alone an
    import reads it; everything else as it was. Raises NotAnExport."""
    match export:
        case {"providerProfiles": {"currentApiConfigName": str(current), "apiConfigs": dict(profiles)}, **rest}:
            pass
        case _:
            raise NotAnExport("it has no providerProfiles with currentApiConfigName and apiConfigs")
    settings = rest.get("globalSettings", {})
    if not isinstance(settings, Mapping) or not isinstance(settings.get("codebaseIndexConfig", {}), Mapping):
        raise NotAnExport("its globalSettings, or the codebaseIndexConfig in them, is no object")
    profile = profiles.get(current)
    if not isinstance(profile, Mapping):
        raise NotAnExport(f'its current profile "{current}" is not among its apiConfigs')
    keyed = {**profile, "codebaseIndexOpenAiCompatibleApiKey": served.api_key or ANY_KEY}
    if served.qdrant_key:
        keyed["codeIndexQdrantApiKey"] = served.qdrant_key
    index = {**settings.get("codebaseIndexConfig", {}), **_index(served)}
    return {
        **export,
        "providerProfiles": {**export["providerProfiles"], "apiConfigs": {**profiles, current: keyed}},
        "globalSettings": {**settings, "codebaseIndexConfig": index},
    }


def kilo_settings(served: Served) -> dict[str, Any]:
    """The part of kilo.jsonc that is about the index. Its keys are strict, and none is for a secret."""
    measured = {} if served.threshold is None else {"searchMinScore": served.threshold}
    return {
        "indexing": {
            "enabled": True,
            "provider": "openai-compatible",
            "model": served.model,
            "dimension": served.dimension,
            "vectorStore": "qdrant",
            "openai-compatible": {"baseUrl": served.openai_url},
            "qdrant": {"url": served.qdrant_url},
            **measured,
        }
    }


def continue_model(served: Served) -> dict[str, Any]:
    """The entry among the models of Continue's config.yaml; it keeps vectors in a store of its own."""
    return {
        "name": "embctl",
        "provider": "openai",
        "model": served.model,
        "apiBase": f"{served.openai_url}/",
        "apiKey": served.api_key or ANY_KEY,
        "roles": ["embed"],
    }


def summary(served: Served) -> dict[str, Any]:
    """For people and scripts; no released client imports it."""
    return {
        "embeddingProvider": "openai",
        "baseUrl": served.openai_url,
        "modelId": served.model,
        "embeddingDimension": served.dimension,
        "vectorStore": "qdrant",
        "qdrantUrl": served.qdrant_url,
    }
