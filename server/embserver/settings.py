"""What the process is told: every setting, read from the environment once and checked before anything starts.

An empty variable counts as unset. Nothing else in the package reads the environment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

__all__ = ["DEVICES", "PRECISIONS", "Settings", "SettingsInvalid", "from_env"]

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("float32", "bfloat16", "int8")
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")
_HIGHEST_PORT = 65535

Value = TypeVar("Value")


class SettingsInvalid(Exception):
    """One or more variables hold values that cannot be used; `problems` has one sentence for each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the server may be told; the defaults are those of a plain start on one machine.

    `port` 0 takes any free port, `threads` 0 as many as the machine grants. `model` is a catalogue name, a hub id or a
    folder; `revision` "" is the catalogue's own, or "main" for a model that the catalogue does not know.
    """

    host: str = "127.0.0.1"
    port: int = 4000
    model: str = "jina-code-v2"
    revision: str = ""
    models_dir: Path = Path("/models")
    device: str = "auto"
    precision: str = "float32"
    threads: int = 0
    semaphore: int = 8
    api_key: str = field(default="", repr=False)
    hub_mirror: str = field(default="", repr=False)
    hub_token: str = field(default="", repr=False)
    package_index: str = field(default="", repr=False)
    store_url: str = field(default="", repr=False)
    store_api_key: str = field(default="", repr=False)
    profile_memory: bool = False
    release_tensors: bool = True
    collect_garbage: bool = True


def from_env(env: Mapping[str, str]) -> Settings:
    """Read `EMBSERVER_*`, `SEMAPHORE_VALUE` and `PROFILE_MEMORY`.

    Raises SettingsInvalid, with every problem at once, when a value has the wrong form.
    """
    problems: list[str] = []

    def read(variable: str, default: Value, parse: Callable[[str], Value]) -> Value:
        text = env.get(variable, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            # What was meant as a URL may hold a password.
            problems.append(f"{variable}: {error}" if "@" in text else f"{variable}={text!r}: {error}")
            return default

    usual = Settings()
    settings = Settings(
        host=read("EMBSERVER_HOST", usual.host, str),
        port=read("EMBSERVER_PORT", usual.port, _port),
        model=read("EMBSERVER_MODEL", usual.model, str),
        revision=read("EMBSERVER_REVISION", usual.revision, str),
        models_dir=read("EMBSERVER_MODELS_DIR", usual.models_dir, Path),
        device=read("EMBSERVER_DEVICE", usual.device, _one_of(DEVICES)),
        precision=read("EMBSERVER_PRECISION", usual.precision, _one_of(PRECISIONS)),
        threads=read("EMBSERVER_THREADS", usual.threads, _count(least=0)),
        semaphore=read("SEMAPHORE_VALUE", usual.semaphore, _count(least=1)),
        api_key=read("EMBSERVER_API_KEY", usual.api_key, str),
        hub_mirror=read("EMBSERVER_HUB_MIRROR", usual.hub_mirror, _url),
        hub_token=read("EMBSERVER_HUB_TOKEN", usual.hub_token, str),
        package_index=read("EMBSERVER_PACKAGE_INDEX", usual.package_index, _url),
        store_url=read("EMBSERVER_STORE_URL", usual.store_url, _url),
        store_api_key=read("EMBSERVER_STORE_API_KEY", usual.store_api_key, str),
        profile_memory=read("PROFILE_MEMORY", usual.profile_memory, _switch),
        release_tensors=read("EMBSERVER_RELEASE_TENSORS", usual.release_tensors, _switch),
        collect_garbage=read("EMBSERVER_COLLECT_GARBAGE", usual.collect_garbage, _switch),
    )
    if problems:
        raise SettingsInvalid(tuple(problems))
    return settings


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _HIGHEST_PORT:
        raise ValueError(f"a port is a whole number from 0 (any free port) to {_HIGHEST_PORT}")
    return int(text)


def _count(*, least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise ValueError(f"expected a whole number of at least {least}")
        return int(text)

    return parse


def _one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return text.lower()

    return parse


def _switch(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError(f"expected one of {', '.join(_TRUE + _FALSE)}")
    return text.lower() in _TRUE


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and parts.hostname is not None and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        # Never the library's own words, which quote the URL.
        raise ValueError("expected an http:// or https:// URL, a password in it percent-encoded")
    return text
