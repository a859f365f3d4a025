"""What each command found or did, as data: the `data` of its result. Flows fill it, report shows it. Sizes in bytes,
durations in seconds."""

from embctl.outcomes.clients import CheckedStep, ClientChecked, ClientRow, ClientShown, ClientsListed, ClientWritten
from embctl.outcomes.collections import CollectionCopied, CollectionRow, CollectionsDropped, CollectionsListed, Migrated
from embctl.outcomes.config import ConfigPaths, ConfigRow, ConfigShown, ConfigValid
from embctl.outcomes.diagnosis import Diagnosis, Finding, Remedy, RemedyKind, Repair, Verdict
from embctl.outcomes.editors import EditorFile, EditorsChanged, EditorsSeen, EditorStatus, Help, HotkeyRow, Snippets
from embctl.outcomes.figures import CollectionGrowth, Speed, Stats
from embctl.outcomes.stack import Changed, Planned, Ready, ServiceReady, ServiceStatus, Started, Status, Streamed

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
