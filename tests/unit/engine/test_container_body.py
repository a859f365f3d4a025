"""What is sent to create a container."""

from dataclasses import replace
from pathlib import Path

from embctl import __version__
from embctl.engine.container_body import oneoff_body, service_body
from embctl.model import HealthcheckSpec, Label, Mount, MountKind, ServiceSpec, Ulimit
from fakes.stacks import make_stack

SERVICE: ServiceSpec = replace(
    make_stack().service("jina"),
    labels={"com.example.team": "search", Label.PROJECT.value: "someone"},
    compose_file=Path("/compose/jina.yaml"),
)


def test_labels_name_the_project_for_us_and_for_compose() -> None:
    labels = service_body("embctl", SERVICE)["Labels"]
    assert labels == {
        "com.example.team": "search",
        "io.embctl.project": "embctl",
        "io.embctl.service": "jina",
        "io.embctl.config-hash": "jina-1",
        "io.embctl.version": __version__,
        "com.docker.compose.project": "embctl",
        "com.docker.compose.service": "jina",
        "com.docker.compose.config-hash": "jina-1",
        "com.docker.compose.container-number": "1",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.version": labels["com.docker.compose.version"],
        "com.docker.compose.project.config_files": str(Path("/compose/jina.yaml")),
        "com.docker.compose.project.working_dir": str(Path("/compose")),
    }


def test_the_images_own_command_stands_unless_the_definition_has_one() -> None:
    assert not {"Cmd", "Entrypoint", "User"} & service_body("embctl", SERVICE).keys()
    changed = replace(SERVICE, command=("a", "b"), entrypoint=("c",), user="1000:1000")
    body = service_body("embctl", changed)
    assert (body["Entrypoint"], body["Cmd"], body["User"]) == (["c"], ["a", "b"], "1000:1000")


def test_a_healthcheck_is_in_nanoseconds() -> None:
    check = HealthcheckSpec(test=("CMD", "true"), interval=1.5, timeout=2, retries=3, start_period=60)
    assert service_body("embctl", replace(SERVICE, healthcheck=check))["Healthcheck"] == {
        "Test": ["CMD", "true"],
        "Interval": 1_500_000_000,
        "Timeout": 2_000_000_000,
        "Retries": 3,
        "StartPeriod": 60_000_000_000,
    }


def test_limits_and_restrictions_are_all_there() -> None:
    host = service_body("embctl", replace(SERVICE, ulimits=(Ulimit(name="nofile", soft=1, hard=2),)))["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == SERVICE.mem_limit
    assert host["PidsLimit"] == 512
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 1, "Hard": 2}]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["ReadonlyRootfs"] is True
    assert host["Init"] is True
    assert host["Runtime"] == ""
    assert service_body("embctl", replace(SERVICE, container_runtime="nvidia"))["HostConfig"]["Runtime"] == "nvidia"
    assert host["LogConfig"] == {"Type": "json-file", "Config": {}}


def test_the_restart_policy_is_the_definitions() -> None:
    host = service_body("embctl", replace(SERVICE, restart="on-failure"))["HostConfig"]
    assert host["RestartPolicy"] == {"Name": "on-failure"}


def test_volumes_and_tmpfs_are_mounted() -> None:
    mounts = (
        Mount(kind=MountKind.VOLUME, source="models", target="/models", read_only=True),
        Mount(kind=MountKind.TMPFS, target="/tmp"),  # noqa: S108 - inside a container
    )
    host = service_body("embctl", replace(SERVICE, mounts=mounts))["HostConfig"]
    assert host["Mounts"] == [{"Type": "volume", "Source": "models", "Target": "/models", "ReadOnly": True}]
    assert host["Tmpfs"] == {"/tmp": ""}  # noqa: S108 - inside a container


def test_a_port_is_published_on_its_address_and_the_service_has_its_name_on_the_network() -> None:
    body = service_body("embctl", SERVICE)
    assert body["ExposedPorts"] == {"4000/tcp": {}}
    assert body["HostConfig"]["PortBindings"] == {"4000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "4000"}]}
    assert body["HostConfig"]["NetworkMode"] == "embctl"
    assert body["NetworkingConfig"] == {"EndpointsConfig": {"embctl": {"Aliases": ["jina"]}}}


def test_a_throw_away_container_runs_just_its_command_and_publishes_nothing() -> None:
    body = oneoff_body("embctl", SERVICE, ("python", "-m", "embserver", "fetch"))
    assert (body["Entrypoint"], body["Cmd"]) == (["python", "-m", "embserver", "fetch"], [])
    assert "PortBindings" not in body["HostConfig"]
    assert "RestartPolicy" not in body["HostConfig"]
    assert body["Env"] == ["EMBSERVER_MODEL=minilm"]
    assert body["HostConfig"]["Mounts"]


def test_a_throw_away_container_is_the_projects_but_not_the_services() -> None:
    labels = oneoff_body("embctl", SERVICE, ("true",))["Labels"]
    assert labels["io.embctl.project"] == "embctl"
    assert labels["com.docker.compose.oneoff"] == "True"
    assert "io.embctl.service" not in labels
    assert "com.docker.compose.container-number" not in labels
