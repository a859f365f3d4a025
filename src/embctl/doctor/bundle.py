"""What goes into a bug report: a few documents, without keys and names, as one archive. Writes to no file itself."""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from embctl.doctor.redaction import Redaction
from embctl.model import EngineInfo, Observed, StackSpec
from embctl.outcomes import Finding
from embctl.settings import Settings

__all__ = ["LOG_LINES", "archive", "documents"]

LOG_LINES = 200
# The same findings make the same archive.
_EPOCH = (2026, 1, 1, 0, 0, 0)


def documents(
    *,
    versions: Mapping[str, str],
    findings: Iterable[Finding],
    settings: Settings,
    spec: StackSpec,
    info: EngineInfo | None,
    observed: Observed | None,
    logs: Mapping[str, Iterable[str]],
) -> dict[str, Any]:
    """Values for JSON, and the lines of logs, by the file's name; secrets are still in them."""
    return {
        "findings.json": [asdict(finding) for finding in findings],
        "versions.json": {**versions, "engine": asdict(info) if info else None},
        "settings.json": {row.key: {"value": row.value, "origin": str(row.origin)} for row in settings.listed()},
        "definition.json": asdict(spec),
        "observed.json": asdict(observed) if observed else None,
        **{f"{service}.log": list(lines) for service, lines in logs.items()},
    }


def archive(contents: Mapping[str, Any], redaction: Redaction) -> bytes:
    """A zip of the files, each without what must not be seen."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in contents.items():
            shown = redaction.plain(json.loads(json.dumps(content, default=str)))
            text = json.dumps(shown, indent=2, ensure_ascii=False) if name.endswith(".json") else "\n".join(shown)
            file.writestr(zipfile.ZipInfo(f"embctl-doctor/{name}", date_time=_EPOCH), f"{text}\n")
    return packed.getvalue()
