"""What of a service's definition goes into the record that its process is started from."""

from dataclasses import replace
from pathlib import Path

import pytest

from embctl.compose.confighash import native_hash
from embctl.engine.native.drafting import Ground, oneoff_definition, service_definition
from embctl.engine.native.records import Definition
from embctl.model import HealthcheckSpec, Label, Mount, MountKind, NativeSpec, ObservedImage, ServiceSpec, Ulimit
from fakes.stacks import make_stack, unread_build

GROUND = Ground(python="/venv/python", server=Path("/server"), volume=lambda name: Path("/data") / name)
NATIVE = NativeSpec(
    module="embstore",
    environment={"HOST": "127.0.0.1", "BOTH": "native"},
    folders={"STORAGE": "embctl-qdrant-data"},
)
SERVICE = replace(
    make_stack().services[0],
    environment={"KEY": "secret", "BOTH": "container"},
    mounts=(
        Mount(kind=MountKind.VOLUME, source="embctl-snapshots", target="/snapshots"),
        Mount(kind=MountKind.TMPFS, target="/tmp"),  # noqa: S108 - inside a container
    ),
    native=NATIVE,
)
IMAGE = ObservedImage(reference=SERVICE.image, id="native:1", labels={})


def definition(**changes: object) -> Definition:
    return service_definition(GROUND, "embctl", replace(SERVICE, **changes), NATIVE, IMAGE)  # type: ignore[arg-type]  # the callers name fields


def test_the_module_runs_in_embctls_python_and_not_from_the_folder_it_is_in() -> None:
    assert definition().argv == ("/venv/python", "-P", "-m", "embstore")
    assert definition().search_path == "/server"


def test_the_native_environment_lies_over_the_services_and_names_the_volumes_folders() -> None:
    assert definition().environment == {
        "KEY": "secret",
        "HOST": "127.0.0.1",
        "BOTH": "native",
        "STORAGE": "/data/embctl-qdrant-data",
    }


def test_every_volume_counts_as_used_mounted_or_named() -> None:
    assert definition().volumes == ("embctl-qdrant-data", "embctl-snapshots")


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ({"max-size": "1m", "max-file": "5"}, (1_000_000, 5)),
        ({}, (10_000_000, 3)),
        ({"max-size": "unlimited", "max-file": "0"}, (10_000_000, 1)),
    ],
)
def test_the_log_is_limited_whatever_the_options_say(options: dict[str, str], limits: tuple[int, int]) -> None:
    made = definition(log_options=options)
    assert (made.log_size, made.log_files) == limits


def test_the_limit_of_open_files_is_the_definitions() -> None:
    assert definition().open_files == 0
    assert definition(ulimits=(Ulimit(name="nofile", soft=10000, hard=20000),)).open_files == 10000


def test_a_throw_away_container_runs_its_command_without_port_restart_or_the_services_label() -> None:
    made = oneoff_definition(
        GROUND, "embctl", SERVICE, NATIVE, IMAGE, name="once", command=("python", "-m", "embserver", "fetch")
    )
    assert made.argv == ("/venv/python", "-P", "-m", "embserver", "fetch")
    assert (made.name, made.ports, made.restart) == ("once", (), "no")
    assert made.labels[Label.PROJECT] == "embctl"
    assert Label.SERVICE not in made.labels
    assert made.environment == definition().environment


@pytest.mark.parametrize(
    "change",
    [
        {"native": replace(NATIVE, module="other")},
        {"native": replace(NATIVE, environment={"HOST": "::1", "BOTH": "native"})},
        {"native": replace(NATIVE, folders={"STORAGE": "other"})},
        {"environment": {"KEY": "other", "BOTH": "container"}},
        {"environment": {"KEY": "secret", "BOTH": "overlaid"}},
        {"container_name": "other"},
        {"ports": ()},
        {"mounts": ()},
        {"networks": ("other",)},
        {"restart": "no"},
        {"stop_grace_period": 1.0},
        {"log_options": {"max-size": "1m"}},
        {"ulimits": (Ulimit(name="nofile", soft=10000, hard=20000),)},
        {"labels": {"a": "b"}},
        {"image": "other:1"},
        {"command": ("other",)},
        {"entrypoint": ("other",)},
        {"build": unread_build(Path("/other"), "Dockerfile", None, {})},
        {"user": "0"},
        {"healthcheck": HealthcheckSpec(test=("CMD", "true"), interval=1, timeout=1, retries=1, start_period=1)},
        {"init": False},
        {"read_only": False},
        {"mem_limit": 1},
        {"memswap_limit": 1},
        {"pids_limit": 1},
        {"cap_drop": ()},
        {"security_opt": ()},
        {"log_driver": "local"},
    ],
    ids=str,
)
def test_the_hash_changes_with_what_the_process_is_started_from_and_with_nothing_else(
    change: dict[str, object],
) -> None:
    service: ServiceSpec = replace(SERVICE, **change)  # type: ignore[arg-type]  # the callers name fields
    before, after = (replace(made_of(each), id="", image="") for each in (SERVICE, service))
    assert (native_hash(service) != native_hash(SERVICE)) == (after != before)


def made_of(service: ServiceSpec) -> Definition:
    assert service.native
    return service_definition(GROUND, "embctl", service, service.native, IMAGE)


def test_another_program_is_run_as_it_is_named() -> None:
    made = oneoff_definition(GROUND, "embctl", SERVICE, NATIVE, IMAGE, name="once", command=("sh", "-c", "true"))
    assert made.argv == ("sh", "-c", "true")
