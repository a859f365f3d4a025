"""A healthy stack without containers, and one in which a dozen things are broken at once: none hides another."""

import hashlib
import json
import socket
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from e2e.indexing import collection_name
from e2e.stack import Reply, Stack, native_stack
from e2e.waiting import until

KEY = "planted-key-1"
CODE = {"filePath": "a.py", "codeChunk": "x", "startLine": 1, "endLine": 2, "segmentHash": "h", "pathSegments": {}}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Both services run, and an editor has its tasks."""
    with native_stack(tmp_path_factory.mktemp("doctor")) as stack:
        (stack.folder / "config" / "Code" / "User").mkdir(parents=True)
        stack.succeed("start", "all")
        stack.succeed("vscode", "install", "--editor", "code")
        yield stack


def verdicts(reply: Reply) -> dict[str, str]:
    return {each["id"]: each["verdict"] for each in reply.data["findings"]}


@pytest.fixture(scope="module")
def healthy(shared: Stack) -> Reply:
    """Before anything is broken."""
    return shared.run("doctor")


def index(stack: Stack, name: str, *, dimension: int, code: Any) -> None:
    """A collection of two points, as an editor's first scan leaves it."""
    with httpx2.Client(base_url=stack.qdrant_url, trust_env=False) as client:
        points = [
            {"id": 1, "vector": [1.0] * dimension, "payload": code},
            {"id": 2, "vector": [0.0] * dimension, "payload": {"type": "metadata", "indexing_complete": True}},
        ]
        vectors = {"vectors": {"size": dimension, "distance": "Cosine"}}
        client.put(f"/collections/{name}", json=vectors).raise_for_status()
        client.put(f"/collections/{name}/points?wait=true", json={"points": points}).raise_for_status()


def orphan(stack: Stack, service: str) -> None:
    """Kill the supervisor of a service."""
    port = {"qdrant": stack.qdrant_port, "jina": stack.jina_port}[service]
    pid = next(
        c.pid
        for c in psutil.net_connections("tcp")
        if c.status == "LISTEN" and c.laddr and c.laddr.port == port and c.pid
    )
    supervisor = psutil.Process(pid).parent()
    assert supervisor
    supervisor.kill()
    until(lambda: stack.succeed("status").service(service)["unsupervised"])


def use_context(home: Path, name: str, address: str) -> None:
    """As `docker context create` and `docker context use` leave it."""
    folder = home / ".docker" / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": address}}}))
    (home / ".docker" / "config.json").write_text(json.dumps({"currentContext": name}))


def leave_stale(path: Path) -> None:
    """A socket that nobody serves any more."""
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.fixture(scope="module")
def sick(shared: Stack, healthy: Reply) -> Stack:  # noqa: ARG001 - the healthy one is looked at first
    """The same project after a bad day; its settings have changed since it was started, too."""
    home, gone = shared.folder, shared.folder / "gone"
    index(shared, "ws-0", dimension=384, code=CODE)
    index(shared, "ws-1", dimension=3, code=CODE)
    index(shared, collection_name(gone), dimension=384, code={**CODE, "language": "python"})
    storage = home / "config" / "Code" / "User" / "workspaceStorage" / "1"
    storage.mkdir(parents=True)
    (storage / "workspace.json").write_text(json.dumps({"folder": gone.as_uri()}))
    for extension in ("rooveterinaryinc.roo-cline-3.52.1", "kilocode.kilo-code-7.0.0"):
        (home / ".vscode" / "extensions" / extension).mkdir(parents=True)
    tasks = home / "config" / "Code" / "User" / "tasks.json"
    tasks.write_text(tasks.read_text().replace('"restart"', '"restart-everything"'))
    next((home / "data").rglob("tokenizer.json")).unlink()
    leave_stale(home / ".colima" / "default" / "docker.sock")
    use_context(home, "elsewhere", "unix:///elsewhere.sock")
    orphan(shared, "qdrant")
    return shared.having(
        HTTP_PROXY=f"http://ada:{KEY}@proxy:3128",
        NO_PROXY="",
        no_proxy="",
        EMBCTL_QDRANT_API_KEY=KEY,
        EMBCTL_JINA_SEMAPHORE="3",
    )


@pytest.fixture(scope="module")
def broken(sick: Stack) -> Reply:
    """What is said of it, and packed."""
    return sick.run("doctor", "--bundle", str(sick.folder / "report.zip"))


def test_a_healthy_stack_has_no_failing_check(healthy: Reply) -> None:
    assert healthy.exit_code == 0
    failing = [each for each in healthy.data["findings"] if each["verdict"] == "fail"]
    assert failing == []


@pytest.mark.parametrize(
    "check",
    [
        "engine.reachable",
        "ports.qdrant",
        "ports.jina",
        "images.jina",
        "containers.qdrant",
        "containers.jina",
        "containers.drift",
        "volumes.qdrant",
        "volumes.jina",
        "qdrant.answers",
        "qdrant.version",
        "qdrant.telemetry",
        "qdrant.bind",
        "qdrant.key",
        "collections.load",
        "embeddings.answers",
        "embeddings.v1",
        "embeddings.bare",
        "embeddings.same",
        "embeddings.bind",
        "modelcache.complete",
        "network.localhost",
        "network.window",
        "editor.tasks",
    ],
)
def test_a_healthy_stack_passes(healthy: Reply, check: str) -> None:
    assert verdicts(healthy)[check] == "ok", healthy.data["findings"]


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        ("engine.context", "warn"),
        ("engine.sockets", "warn"),
        ("containers.qdrant", "warn"),
        ("containers.drift", "warn"),
        ("qdrant.key", "warn"),
        ("collections.dimension", "fail"),
        ("collections.clients", "warn"),
        ("collections.vanished", "warn"),
        ("modelcache.complete", "warn"),
        ("network.proxy", "warn"),
        ("editor.tasks", "warn"),
        ("editor.indexers", "warn"),
    ],
)
def test_each_of_a_dozen_broken_things_is_seen(broken: Reply, check: str, verdict: str) -> None:
    assert verdicts(broken)[check] == verdict, broken.data["findings"]


def test_what_is_not_broken_is_still_well(broken: Reply) -> None:
    assert broken.exit_code == 1
    well = ("engine.reachable", "ports.qdrant", "volumes.qdrant", "embeddings.same", "qdrant.answers")
    assert {verdicts(broken)[check] for check in well} == {"ok"}


def test_the_key_is_neither_in_the_findings_nor_in_the_bundle(sick: Stack, broken: Reply) -> None:
    assert KEY not in json.dumps(broken.envelope)
    with zipfile.ZipFile(sick.folder / "report.zip") as archive:
        texts = [archive.read(name).decode() for name in archive.namelist()]
    assert any("Uvicorn running" in text for text in texts)
    assert [text for text in texts if KEY in text or str(sick.folder) in text] == []


def test_the_ports_of_another_project_are_named_with_their_owners(shared: Stack) -> None:
    other = replace(shared, name=f"{shared.name}-2").run("doctor")
    assert other.exit_code == 1
    owner = next(each for each in other.data["findings"] if each["id"] == "ports.qdrant")
    assert owner["verdict"] == "fail"
    assert f"{shared.name}-qdrant" in owner["evidence"]


def test_without_an_engine_everything_else_is_looked_at(shared: Stack) -> None:
    alone = shared.run("doctor", "--runtime", "docker")
    seen = verdicts(alone)
    assert (alone.exit_code, seen["engine.reachable"], seen["volumes.qdrant"]) == (1, "fail", "skipped")
    assert seen["network.localhost"] == "ok"


def test_fix_puts_right_what_it_can_and_touches_no_data(shared: Stack, broken: Reply) -> None:
    points = shared.succeed("status").service("qdrant")["facts"]["points"]
    fixed = shared.run("doctor", "--fix", "--yes")
    assert {each["remedy"]["kind"] for each in fixed.data["repairs"] if each["done"]} == {"start", "hotkeys"}
    assert {verdicts(fixed)[check] for check in ("containers.qdrant", "editor.tasks")} == {"ok"}
    assert verdicts(fixed)["collections.dimension"] == verdicts(broken)["collections.dimension"]
    assert shared.succeed("status").service("qdrant")["facts"]["points"] == points
