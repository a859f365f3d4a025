"""What each command found or did, as data: the `data` of its result. Flows fill it, report shows it. Sizes in bytes,
durations in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from embctl.model import EngineInfo
from embctl.plan import Plan

__all__ = [
    "Changed",
    "CheckedStep",
    "ClientChecked",
    "ClientRow",
    "ClientShown",
    "ClientWritten",
    "ClientsListed",
    "CollectionCopied",
    "CollectionGrowth",
    "CollectionRow",
    "CollectionsDropped",
    "CollectionsListed",
    "ConfigPaths",
    "ConfigRow",
    "ConfigShown",
    "ConfigValid",
    "Diagnosis",
    "EditorFile",
    "EditorStatus",
    "EditorsChanged",
    "EditorsSeen",
    "Finding",
    "Help",
    "HotkeyRow",
    "Migrated",
    "Planned",
    "Ready",
    "Remedy",
    "RemedyKind",
    "Repair",
    "ServiceReady",
    "ServiceStatus",
    "Snippets",
    "Speed",
    "Started",
    "Stats",
    "Status",
    "Streamed",
    "Verdict",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan that was only computed."""

    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A plan that was carried out."""

    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReady:
    """A service that answered: the step it reached, how long that took, where it is, what it says of itself."""

    service: str
    stage: str
    seconds: float
    url: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A plan that was carried out and the services that it made ready."""

    plan: Plan
    services: tuple[ServiceReady, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Services that were waited for or warmed; nothing was changed."""

    services: tuple[ServiceReady, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """One service now. `state` is "absent" without a container; figures are None where nothing could be asked.

    `unsupervised` says that nobody would start it again after a crash; `stage` is the last step of readiness reached,
    None when nothing answers; `memory` is anonymous memory, without page cache; `facts` are the service's own (model
    and dimension; version and points per collection)."""

    service: str
    state: str
    health: str
    stage: str | None
    url: str
    image: str
    stand_in: str | None
    drifted: bool
    unsupervised: bool
    exit_code: int | None
    oom_killed: bool
    started_at: datetime | None
    uptime: float | None
    restarts: int
    cpu_percent: float | None
    memory: int | None
    memory_limit: int | None
    detail: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The whole stack now."""

    project: str
    engine: EngineInfo
    services: tuple[ServiceStatus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """Log lines went out while the command ran; this many."""

    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionCopied:
    """A collection that is the same in both databases: its points, and how many of them were written just now."""

    collection: str
    points: int
    copied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What went from one runtime to the other, and the commands that switch over."""

    source: str
    target: str
    collections: tuple[CollectionCopied, ...]
    next: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRow:
    """One client: what is written for it, where, and whether its vectors are in Qdrant or in a store of its own."""

    name: str
    title: str
    format: str
    file: str
    vectors: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsListed:
    """Every client that is known."""

    clients: tuple[ClientRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientShown:
    """What a client's file would hold, and the remaining steps, in order."""

    client: str
    file: str
    text: str
    clicks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientWritten:
    """The file that was written: `change` is unchanged, changed or created; `backup` where the text from before is."""

    client: str
    file: str
    change: str
    backup: str | None
    clicks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedStep:
    """One thing that a client does: whether it worked, and what came of it."""

    step: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientChecked:
    """What a client would meet, step by step; after a failure the rest was not tried."""

    client: str
    steps: tuple[CheckedStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What Jina does: rates of the last interval, the queue now, and within what time half and 95 % of searches and
    of scans were answered. None is what it does not tell."""

    texts_per_second: float | None
    tokens_per_second: float | None
    queue_requests: float | None
    queue_texts: float | None
    oldest_seconds: float | None
    search_p50: float | None
    search_p95: float | None
    scan_p50: float | None
    scan_p95: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionGrowth:
    """A collection's points, and how many more they become a second."""

    name: str
    points: int
    per_second: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """One reading of both services; `errors` are the last ones of their logs."""

    services: "tuple[ServiceStatus, ...]"
    speed: Speed
    collections: tuple[CollectionGrowth, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionRow:
    """One collection. None is what nobody tells: `dimension` and `distance` of several named vectors, `fits` (whether
    the dimension is the model's), `bytes`, `indexed_at` (when a client last began or finished to index), `folder`.
    `folder_state` is there, gone, away (its parent is missing too) or unknown."""

    name: str
    points: int
    dimension: int | None
    distance: str | None
    fits: bool | None
    bytes: int | None
    indexed_at: datetime | None
    folder: str | None
    folder_state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionsListed:
    """Every collection of the database."""

    collections: tuple[CollectionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionsDropped:
    """The collections that were chosen, as they were; the names of those that are gone now."""

    collections: tuple[CollectionRow, ...]
    dropped: tuple[str, ...]
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRow:
    """One setting: secrets are masked; `origin` is None when it was not asked for."""

    key: str
    value: str | int | bool
    origin: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigShown:
    """Every setting."""

    settings: tuple[ConfigRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigPaths:
    """Where settings are read from and state is kept; `project_file` is None where no folder above has one."""

    user_file: str
    project_file: str | None
    state_dir: str
    bundle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigValid:
    """Settings and compose files were read without an error."""

    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorFile:
    """A file of an editor: `change` is unchanged, changed, created or removed; `backup` where the text from before is
    now; `diff` what would change, in a dry run alone."""

    editor: str
    profile: str
    file: str
    change: str
    backup: str | None
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorsChanged:
    """The files that were written, or would be in a dry run."""

    files: tuple[EditorFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorStatus:
    """One profile of an editor, "" for the default one. `tasks` and `keybindings` are installed, outdated, absent or
    unreadable; `taken` the chords that the user's own rules use; `command` what the tasks run, None without tasks."""

    editor: str
    profile: str
    tasks_file: str
    tasks: str
    keybindings_file: str
    keybindings: str
    taken: tuple[str, ...]
    command: str | None
    command_found: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorsSeen:
    """Every editor of this machine, by profile."""

    editors: tuple[EditorStatus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippets:
    """What to paste by hand: two texts as the editor's files hold them."""

    tasks: str
    keybindings: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HotkeyRow:
    """One hotkey: its chords on this system, the task that they run, what it does."""

    chords: tuple[str, ...]
    task: str
    does: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """The hotkeys and the services now; `services` is empty, and `trouble` says why, when nobody can tell."""

    hotkeys: tuple[HotkeyRow, ...]
    services: tuple[ServiceStatus, ...]
    trouble: str


class Verdict(StrEnum):
    """What a check came to. SKIPPED is one that could not look, or had nothing to look at: it is never OK."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


class RemedyKind(StrEnum):
    """What embctl can put right by itself; none of them deletes data."""

    START = "start"
    TIDY = "tidy"
    HOTKEYS = "hotkeys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A repair that embctl offers: start the service `subject`, remove the project's leftovers, or renew the tasks and
    keybindings of the editor `subject` in its `profile`."""

    kind: RemedyKind
    subject: str
    profile: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: `evidence` is what was seen, or for SKIPPED why nothing was; `fix` what to do, empty for nothing;
    `remedies` what `--fix` would do."""

    id: str
    verdict: Verdict
    evidence: str
    fix: str
    remedies: tuple[Remedy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What became of a remedy; `detail` says why it was not `done`."""

    remedy: Remedy
    done: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All findings, after the repairs where there were some; `bundle` is the file that was written, if one was."""

    findings: tuple[Finding, ...]
    repairs: tuple[Repair, ...]
    bundle: str | None
