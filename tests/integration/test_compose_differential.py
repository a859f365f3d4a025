"""Our reading of the compose files against that of a real compose implementation, field by field.

Skipped for an implementation that is not installed; with CI=true at least one must be.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from compose_reference import COMMANDS, Reference, facts_of, find
from embctl.compose import parse
from embctl.paths import bundle
from fakes.stacks import unread_build
from settings_layers import from_layers

COMPOSE = bundle() / "compose"

ENVIRONMENTS: dict[str, dict[str, str]] = {
    "defaults": {},
    "everything set": {
        "EMBCTL_PROJECT": "second_stack-1",
        "EMBCTL_PORT_OFFSET": "10000",
        "EMBCTL_REGISTRY_MIRROR": "localhost:5000/mirror",
        "EMBCTL_QDRANT_PORT": "7333",
        "EMBCTL_QDRANT_IMAGE": "qdrant/qdrant:v1.18.2",
        "EMBCTL_QDRANT_MEMORY": "1536M",
        "EMBCTL_JINA_PORT": "4001",
        "EMBCTL_JINA_IMAGE": "own/jina:9",
        "EMBCTL_JINA_BASE_IMAGE": "library/python:3.11",
        "EMBCTL_JINA_MEMORY": "2.5gb",
        "EMBCTL_JINA_THREADS": "3",
        "EMBCTL_JINA_SEMAPHORE": "2",
        "EMBCTL_JINA_DEVICE": "cuda",
        "EMBCTL_JINA_PRECISION": "int8",
        "EMBCTL_JINA_PROFILE_MEMORY": "yes",
        "EMBCTL_JINA_RELEASE_TENSORS": "off",
        "EMBCTL_JINA_COLLECT_GARBAGE": "false",
        "EMBCTL_JINA_TORCH_INDEX": "https://mirror.example.com/torch/cpu",
        "EMBCTL_MODEL": "someone/all-minilm-l6-v2",
        "EMBCTL_MODEL_REVISION": "1e3",
        "EMBCTL_HUB_MIRROR": "https://mirror.example.com/hub",
        "EMBCTL_PACKAGE_INDEX": "https://mirror.example.com/simple?a=b#c",
    },
    "secrets full of punctuation": {
        "EMBCTL_QDRANT_API_KEY": "a$b${c}$$d'e\"f#g: h".replace(" ", "") + "\\n",
        "EMBCTL_JINA_API_KEY": "${EMBCTL_MODEL:-x}",
        "EMBCTL_HUB_TOKEN": "yes",
    },
}

EVERY_KEY = r"""
name: every-key
x-note: {anything: [goes, 1, yes]}
services:
  one:
    x-more: 5
    image: name:${EMBCTL_TAG:-1.0}
    build:
      context: ./context
      dockerfile: Dockerfile
      target: last
      args:
        EMPTY: ""
        NUMBER: "08"
    container_name: 'it''s-one'
    entrypoint: ["sh", "-c"]
    command:
      - echo $$HOME $${NOT} ${EMBCTL_WORD}
      - |
        two
        lines
      - >-
        folded
        text
    environment:
      PLAIN: words with spaces
      QUOTED: "yes"
      TIME: "1:30"
      UNICODE: "\u00e9 \t"
      PREFIXED: before-${EMBCTL_WORD}-${EMBCTL_EMPTY:-middle}-after
    user: "0"
    ports:
      - target: 80
        published: 8080
        host_ip: 127.0.0.1
        protocol: tcp
      - target: 81
        published: ${EMBCTL_PORT:-8081}
        host_ip: 0.0.0.0
        protocol: tcp
    volumes:
      - {type: volume, source: data, target: /data, read_only: true}
      - {type: tmpfs, target: /tmp}
    networks: [default, other]
    healthcheck:
      test: ["CMD-SHELL", "exit 0"]
      interval: 1m30s
      timeout: 500ms
      retries: 7
      start_period: 1h
    init: false
    read_only: false
    restart: always
    runtime: runsc
    stop_grace_period: 1m
    mem_limit: 1.5gb
    memswap_limit: 2048k
    pids_limit: 10
    ulimits:
      nofile: {soft: 5, hard: 6}
    cap_drop: [ALL, NET_RAW]
    security_opt: ["no-new-privileges:true"]
    logging:
      driver: local
      options: {max-size: 1m}
    labels:
      org.example.text: "true"
volumes:
  data: {name: the-data}
networks:
  default: {name: the-network}
  other: {name: another}
"""


@pytest.fixture(params=COMMANDS, ids=" ".join)
def reference(request: pytest.FixtureRequest) -> Reference:
    found = find(request.param)
    if found is None:
        pytest.skip(f"{' '.join(request.param)} is not installed")
    return found


def settings_from(env: Mapping[str, str], tmp_path: Path) -> Mapping[str, str]:
    return from_layers(tmp_path, env=env).variables()


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="only CI promises a compose implementation")
def test_ci_has_a_compose_implementation_to_compare_with() -> None:
    assert any(find(command) for command in COMMANDS)


@pytest.mark.parametrize("name", ["qdrant.yaml", "jina.yaml"])
@pytest.mark.parametrize("env", ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
def test_a_definition_means_to_embctl_what_it_means_to_compose(
    reference: Reference, name: str, env: Mapping[str, str], tmp_path: Path
) -> None:
    variables = settings_from(env, tmp_path)
    ours = parse((COMPOSE / name).read_text(), COMPOSE / name, variables)
    assert facts_of(ours, current=reference.current) == reference.facts(COMPOSE / name, variables, tmp_path)


@pytest.mark.parametrize("name", ["qdrant.yaml", "jina.yaml"])
def test_plain_compose_without_any_variable_runs_what_embctl_runs_by_default(
    reference: Reference, name: str, tmp_path: Path
) -> None:
    ours = parse((COMPOSE / name).read_text(), COMPOSE / name, settings_from({}, tmp_path))
    assert facts_of(ours, current=reference.current) == reference.facts(COMPOSE / name, {}, tmp_path)


def test_every_supported_key_and_spelling_means_what_it_means_to_compose(reference: Reference, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "context").mkdir()
    file = tmp_path / "every-key.yaml"
    file.write_text(EVERY_KEY)
    variables = {"EMBCTL_TAG": "", "EMBCTL_WORD": "a b$c", "EMBCTL_EMPTY": "", "EMBCTL_PORT": "9000"}
    ours = parse(EVERY_KEY, file, variables, build=unread_build)
    assert facts_of(ours, current=reference.current) == reference.facts(file, variables, tmp_path / "elsewhere")
