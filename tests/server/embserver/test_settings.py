"""Settings: read once, checked at once, every problem told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import embserver
from embserver.settings import Settings, SettingsInvalid, from_env


def test_nothing_set_means_the_defaults_and_an_empty_value_counts_as_unset() -> None:
    assert from_env({}) == Settings()
    assert from_env({"EMBSERVER_PORT": "", "SEMAPHORE_VALUE": " ", "EMBSERVER_API_KEY": ""}) == Settings()
    usual = Settings()
    assert (usual.host, usual.port, usual.semaphore, usual.models_dir) == ("127.0.0.1", 4000, 8, Path("/models"))
    assert (usual.release_tensors, usual.collect_garbage, usual.profile_memory) == (True, True, False)


def test_every_variable_reaches_its_setting() -> None:
    read = from_env(
        {
            "EMBSERVER_HOST": "0.0.0.0",  # noqa: S104 - what an image sets
            "EMBSERVER_PORT": "4100",
            "EMBSERVER_MODEL": "minilm",
            "EMBSERVER_REVISION": "v2",
            "EMBSERVER_MODELS_DIR": "/data/models",
            "EMBSERVER_DEVICE": "CPU",
            "EMBSERVER_PRECISION": "INT8",
            "EMBSERVER_THREADS": "3",
            "SEMAPHORE_VALUE": "2",
            "EMBSERVER_API_KEY": "k",
            "EMBSERVER_HUB_MIRROR": "https://hub.example/",
            "EMBSERVER_HUB_TOKEN": "t",
            "EMBSERVER_PACKAGE_INDEX": "https://index.example/simple",
            "PROFILE_MEMORY": "1",
            "EMBSERVER_RELEASE_TENSORS": "off",
            "EMBSERVER_COLLECT_GARBAGE": "No",
            "EMBSERVER_STORE_URL": "http://qdrant:6333",
            "EMBSERVER_STORE_API_KEY": "s",
        }
    )

    assert read == Settings(
        host="0.0.0.0",  # noqa: S104 - what an image sets
        port=4100,
        model="minilm",
        revision="v2",
        models_dir=Path("/data/models"),
        device="cpu",
        precision="int8",
        threads=3,
        semaphore=2,
        api_key="k",
        hub_mirror="https://hub.example/",
        hub_token="t",  # noqa: S106 - a made-up one
        package_index="https://index.example/simple",
        profile_memory=True,
        release_tensors=False,
        collect_garbage=False,
        store_url="http://qdrant:6333",
        store_api_key="s",
    )


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("EMBSERVER_PORT", "65536", "from 0 (any free port) to 65535"),
        ("EMBSERVER_PORT", "-1", "whole number"),
        ("EMBSERVER_PORT", "\u0664\u0662", "whole number"),
        ("EMBSERVER_DEVICE", "tpu", "one of auto, cpu, cuda, mps"),
        ("EMBSERVER_PRECISION", "int4", "one of float32, bfloat16, int8"),
        ("EMBSERVER_THREADS", "many", "at least 0"),
        ("SEMAPHORE_VALUE", "0", "at least 1"),
        ("PROFILE_MEMORY", "maybe", "one of 1, true"),
        ("EMBSERVER_HUB_MIRROR", "hub.example", "http:// or https://"),
        ("EMBSERVER_HUB_MIRROR", "https://hub.example:x", "http:// or https://"),
        ("EMBSERVER_PACKAGE_INDEX", "https://", "http:// or https://"),
        ("EMBSERVER_STORE_URL", "qdrant:6333", "http:// or https://"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_expected(variable: str, value: str, said: str) -> None:
    with pytest.raises(SettingsInvalid) as failure:
        from_env({variable: value})

    (problem,) = failure.value.problems
    assert problem.startswith(f"{variable}={value!r}: ")
    assert said in problem


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SettingsInvalid) as failure:
        from_env({"EMBSERVER_PORT": "x", "SEMAPHORE_VALUE": "y"})

    assert len(failure.value.problems) == 2


def test_secrets_are_not_in_the_settings_own_words() -> None:
    secret = Settings(
        api_key="alpha",
        hub_token="beta",  # noqa: S106 - a made-up one
        package_index="https://u:gamma@index.example",
        hub_mirror="https://u:delta@hub.example",
        store_url="http://u:epsilon@qdrant:6333",
        store_api_key="zeta",
    )

    words = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
    assert not any(word in repr(secret) for word in words)


@pytest.mark.parametrize("variable", ["EMBSERVER_HUB_MIRROR", "EMBSERVER_PACKAGE_INDEX"])
@pytest.mark.parametrize(
    "url",
    [
        "ftp://user:hunter2@hub.example",
        "user:hunter2@hub.example",
        "https://user:hunter2/3@hub.example",
        "https://user:hunter2@[hub.example",
        "https://user:hunter2@hub\u2100example",
    ],
)
def test_a_wrong_url_with_a_password_is_named_but_not_quoted(variable: str, url: str) -> None:
    with pytest.raises(SettingsInvalid) as failure:
        from_env({variable: url})

    (problem,) = failure.value.problems
    assert problem.startswith(f"{variable}: ")
    assert "http:// or https://" in problem
    assert "hunter2" not in problem


def test_the_process_ends_with_2_and_names_the_variable() -> None:
    server = Path(embserver.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(server), "EMBSERVER_PORT": "http"}
    command = [sys.executable, "-m", "embserver"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    line = json.loads(done.stdout)
    assert done.returncode == 2
    assert line["event"] == "settings_invalid"
    assert "EMBSERVER_PORT='http'" in line["detail"]
