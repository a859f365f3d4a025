"""What the server says about itself at /info: a document of plain values, made of what the service knows."""

import sys
import time
from functools import cache
from importlib import metadata
from typing import Any

import embserver
from embserver import memory, memorylimit, requests, schedule
from embserver.addresses import without_userinfo
from embserver.log import Recent
from embserver.service import NotLoaded, Service

__all__ = ["document"]


def document(service: Service, errors: Recent) -> dict[str, Any]:
    """What is served, with what, within which limits, how much of it was done, and what went wrong last."""
    settings, wanted, counters = service.settings, service.wanted, service.counters
    try:
        model = service.model
    except NotLoaded:
        model = None
    libraries = ("fastapi", "uvicorn", *(model.libraries if model else ()))
    return {
        "model": wanted.name,
        "ids": list(wanted.ids),
        "name": wanted.ids[-1],
        "status": service.standing.stage.value,
        "revision": model.revision if model else None,
        "dimension": model.encoder.dimension if model else wanted.dimension,
        "max_tokens": model.max_tokens if model else wanted.max_tokens,
        "device": model.encoder.device if model else None,
        "dtype": model.encoder.dtype if model else None,
        "batching": model.batching.value if model else None,
        "threads": model.threads if model else None,
        "streams": model.encoder.streams if model else None,
        "self_test": model.self_test if model else None,
        "versions": {
            "embserver": embserver.__version__,
            "python": ".".join(map(str, sys.version_info[:3])),
            **{library: _version(library) for library in libraries},
        },
        "limits": {
            "max_inputs": requests.MAX_INPUTS,
            "max_body_bytes": requests.MAX_BODY_BYTES,
            "batch_tokens": schedule.tokens_a_batch(model.encoder.streams) if model else None,
            "queue_bytes": schedule.QUEUE_BYTES,
            "interactive_texts": schedule.INTERACTIVE_TEXTS,
            "interactive_tokens": schedule.INTERACTIVE_TOKENS,
            "memory_bytes": memorylimit.granted_bytes(),
        },
        "measures": {
            "release_tensors": settings.release_tensors,
            "collect_garbage": settings.collect_garbage,
            "semaphore": settings.semaphore,
            "profile_memory": settings.profile_memory,
        },
        "counters": {
            "requests": counters.requests,
            "texts": counters.texts,
            "tokens": counters.tokens,
            "truncated": counters.truncated,
            "errors": counters.errors,
            "collections": counters.collections,
            "releases": model.encoder.releases if model else 0,
            "trims": counters.trims,
        },
        "queue": _queue(service),
        "errors": errors.told(),
        "store": without_userinfo(settings.store_url) or None,
        "rss": memory.resident_bytes(),
        "uptime": round(time.monotonic() - service.started, 3),
    }


def _queue(service: Service) -> dict[str, Any]:
    """Requests by where they are, from the door on; and what the queue holds and has done."""
    gate = {"in_line": service.gate.waiting, "preparing": service.gate.running}
    if not service.ready:
        return {**gate, "waiting": 0, "running": 0}
    figures = service.figures
    return {
        **gate,
        "waiting": figures.waiting,
        "running": figures.running,
        "interactive": figures.interactive,
        "bulk": figures.bulk,
        "texts": figures.texts,
        "bytes": figures.bytes,
        "oldest_seconds": round(figures.oldest_seconds, 3),
        "batches": figures.batches,
        "overtakings": figures.overtakings,
        "abandoned": figures.abandoned,
        "shared_texts": figures.shared,
    }


@cache
def _version(library: str) -> str:
    return metadata.version(library)
