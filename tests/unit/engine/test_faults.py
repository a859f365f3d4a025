"""What an engine refuses, told so that a user can act on it; the words quoted are engines' own."""

import pytest

from embctl.engine import faults
from embctl.errors import Conflict, Failed

NETWORK_GONE = "failed to set up container networking: network 3f2a1b not found"
NO_IPTABLES = (
    "failed to set up container networking: driver failed programming external connectivity on endpoint x: "
    "iptables failed: iptables --wait -t nat -A DOCKER: exec: iptables: executable file not found in $PATH"
)
FULL = "write /var/lib/docker/overlay2/x: no space left on device"


@pytest.mark.parametrize(
    ("words", "port"),
    [
        ("driver failed: Bind for 127.0.0.1:6333 failed: port is already allocated", 6333),
        ("Error starting userland proxy: listen tcp4 127.0.0.1:4000: bind: address already in use", 4000),
        (
            "Ports are not available: exposing port TCP 127.0.0.1:6333 -> 0.0.0.0:0: listen tcp 127.0.0.1:6333: bind",
            6333,
        ),
        ("failed to bind host port for 127.0.0.1:6333:172.17.0.2:6333/tcp: address already in use", 6333),
        ("rootlessport listen tcp 127.0.0.1:6333: bind: address already in use", 6333),
        ("OCI runtime create failed: exec: not found", None),
    ],
)
def test_a_taken_port_is_recognised_in_every_engines_words(words: str, port: int | None) -> None:
    assert faults.taken_port(words) == port


@pytest.mark.parametrize("doing", ["create container", "create volume"])
def test_a_full_disk_is_recognised_whatever_was_being_done(doing: str) -> None:
    error = faults.refused(doing, "embctl-jina", 500, FULL)
    assert error.code == "no_space"
    assert any("docker system" in action for action in error.actions)


def test_a_full_disk_is_recognised_in_a_pull_and_a_build() -> None:
    assert faults.pull_failed("qdrant:1", FULL).code == "no_space"
    build = faults.build_failed("jina:1", step="", fetching_base=False, reason="exit 1", last_lines=("ok", FULL))
    assert build.code == "no_space"


@pytest.mark.parametrize(
    ("doing", "status", "words", "kind", "code"),
    [
        ("create container", 404, "No such image: qdrant:1", Failed, "image_missing"),
        ("create container", 409, 'The name "/x" is already in use by container "abc".', Conflict, "name_taken"),
        ("create container", 400, "Unknown runtime specified nvidia", Failed, "container_runtime_missing"),
        ("create container", 400, "unknown or invalid runtime name: nvidia", Failed, "container_runtime_missing"),
        ("create network", 409, "network with name x already exists", Conflict, "network_taken"),
        ("start container", 404, "network x not found", Failed, "network_missing"),
        ("start container", 404, NETWORK_GONE, Failed, "network_missing"),
        ("start container", 500, "unable to find network with name x: network not found", Failed, "network_missing"),
        ("start container", 500, NO_IPTABLES, Failed, "engine_refused"),
        ("remove volume", 409, "remove x: volume is in use - [abc]", Failed, "volume_in_use"),
        ("start container", 400, "OCI runtime create failed", Failed, "engine_refused"),
    ],
)
def test_a_refusal_has_its_code_and_quotes_the_engine(
    doing: str, status: int, words: str, kind: type[Exception], code: str
) -> None:
    error = faults.refused(doing, "x", status, words)
    assert isinstance(error, kind)
    assert error.code == code
    assert error.actions
    assert error.details["reason"] == words


@pytest.mark.parametrize("doing", ["start container", "inspect container", "read the log of container"])
def test_a_container_that_is_gone_is_told_as_such(doing: str) -> None:
    error = faults.refused(doing, "abc", 404, "No such container: abc")
    assert (error.code, error.details["container_id"], error.retryable) == ("container_gone", "abc", True)


def test_an_engine_that_refuses_a_pull_or_a_build_at_once_is_told_like_one_that_fails_later() -> None:
    assert faults.refused("pull", "qdrant:1", 404, "manifest unknown").code == "pull_failed"
    assert faults.refused("build", "jina:1", 400, "dockerfile parse error").code == "build_failed"


def test_a_failed_pull_names_the_image_the_reason_and_the_ways_out() -> None:
    error = faults.pull_failed("qdrant/qdrant:v1", "dial tcp: lookup registry: no such host")
    assert "qdrant/qdrant:v1" in error.message
    assert "no such host" in error.message
    assert any("EMBCTL_REGISTRY_MIRROR" in action for action in error.actions)
    assert any("docker load" in action for action in error.actions)
    assert error.retryable


def test_pulling_again_does_not_help_an_image_that_does_not_exist() -> None:
    assert not faults.pull_failed("x:1", "manifest for x:1 not found: manifest unknown").retryable


def test_a_failed_step_is_told_with_the_last_lines_of_its_output() -> None:
    error = faults.build_failed(
        "jina:1",
        step="Step 2/3 : RUN pip install",
        fetching_base=False,
        reason="non-zero code: 1",
        last_lines=("a", "b"),
    )
    assert error.code == "build_failed"
    assert "Step 2/3 : RUN pip install failed: non-zero code: 1\na\nb" in error.message
    assert error.details["log"] == ("a", "b")


def test_a_missing_base_image_is_told_as_a_failed_pull() -> None:
    error = faults.build_failed(
        "jina:1", step="Step 1/3 : FROM python:3.11", fetching_base=True, reason="no such host", last_lines=()
    )
    assert error.code == "pull_failed"
    assert "python:3.11" in error.message
