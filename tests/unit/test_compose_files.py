"""The two definitions that embctl ships: what they promise, and that they and the table of settings agree."""

import re
from pathlib import Path

import pytest

from embctl.compose import load_stack, parse
from embctl.errors import ConfigInvalid
from embctl.model import MountKind, Runtime, ServiceSpec, StackSpec
from embctl.paths import bundle
from embctl.settings import FIELDS, Settings
from fakes.stacks import unread_build

COMPOSE = bundle() / "compose"
TEXTS = {name: (COMPOSE / name).read_text() for name in ("qdrant.yaml", "jina.yaml")}
VARIABLES = Settings().variables()
CHOSEN_BY_AUTHORS = {"environment", "args", "options", "labels", "folders", "services", "root volumes", "root networks"}


@pytest.fixture(scope="module")
def stack() -> StackSpec:
    return load_stack(COMPOSE, VARIABLES)


@pytest.fixture(params=["qdrant", "jina"])
def service(request: pytest.FixtureRequest, stack: StackSpec) -> ServiceSpec:
    return stack.service(request.param)


def test_every_default_in_the_files_is_the_settings_default() -> None:
    defaults = Settings().variables()
    for name, default in re.findall(r"\$\{(\w+):-([^}]*)\}", "".join(TEXTS.values())):
        assert defaults[name] == default, name


def test_every_variable_in_the_files_comes_from_a_setting_and_every_such_setting_is_used() -> None:
    used = set(re.findall(r"\$\{(\w+)", "".join(TEXTS.values())))
    from_the_device = {"EMBCTL_JINA_BUILD_TARGET", "EMBCTL_JINA_CONTAINER_RUNTIME"}
    assert used == set(VARIABLES) == {row.env for row in FIELDS if row.in_compose} | from_the_device


@pytest.mark.parametrize(
    ("device", "target", "runtime"), [("auto", "cpu", ""), ("cpu", "cpu", ""), ("cuda", "cuda", "nvidia")]
)
def test_a_container_sees_gpus_only_where_they_are_asked_for(device: str, target: str, runtime: str) -> None:
    jina = load_stack(COMPOSE, Settings(jina_device=device).variables()).service("jina")
    assert jina.build is not None
    assert (jina.build.target, jina.container_runtime) == (target, runtime)
    assert jina.environment["EMBSERVER_DEVICE"] == device


def test_everything_the_stack_owns_begins_with_the_project_name() -> None:
    stack = load_stack(COMPOSE, Settings(project="second").variables())
    assert stack.project == "second"
    assert [service.container_name for service in stack.services] == ["second-qdrant", "second-jina"]
    assert [each.name for each in stack.volumes] == ["second-qdrant-data", "second-qdrant-snapshots", "second-models"]
    assert [each.name for each in stack.networks] == ["second"]
    for service in stack.services:
        assert service.networks == ("second",)
        assert all(mount.source.startswith("second-") for mount in service.mounts if mount.source)


def test_a_service_is_reachable_from_this_machine_only(service: ServiceSpec) -> None:
    assert [port.host_ip for port in service.ports] == ["127.0.0.1"]


def test_a_service_runs_without_privileges(service: ServiceSpec) -> None:
    assert service.user == "1000:1000"
    assert service.cap_drop == ("ALL",)
    assert service.security_opt == ("no-new-privileges:true",)
    assert service.read_only
    assert "/tmp" in {mount.target for mount in service.mounts if not mount.source}  # noqa: S108 - a mount point


def test_a_service_cannot_take_more_than_its_share(service: ServiceSpec) -> None:
    assert service.mem_limit == service.memswap_limit > 0
    assert service.pids_limit == 512
    assert service.log_driver == "json-file"
    assert set(service.log_options) == {"max-size", "max-file"}


def test_a_service_is_stopped_gently_and_comes_back_by_itself(service: ServiceSpec) -> None:
    assert service.init
    assert service.restart == "unless-stopped"
    assert service.stop_grace_period == {"qdrant": 60, "jina": 30}[service.name]


def test_qdrant_itself_is_the_program_that_is_signalled(stack: StackSpec) -> None:
    assert stack.service("qdrant").command == ("./qdrant",)


def test_an_image_that_is_pulled_comes_from_the_mirror_and_one_that_is_built_does_not() -> None:
    stack = load_stack(COMPOSE, Settings(registry_mirror="localhost:5000/m").variables())
    qdrant, jina = stack.services
    assert qdrant.image == "localhost:5000/m/qdrant/qdrant:v1.19.0-unprivileged"
    assert jina.image == Settings().jina_image
    assert jina.build is not None
    assert jina.build.args["BASE_IMAGE"] == "localhost:5000/m/python:3.11-slim-bookworm"


def test_the_build_hands_over_no_argument_that_the_dockerfile_does_not_take(stack: StackSpec) -> None:
    build = stack.service("jina").build
    assert build is not None
    declared = re.findall(r"^ARG (\w+)", (build.context / build.dockerfile).read_text(), re.MULTILINE)
    assert set(build.args) <= set(declared)


def test_each_service_can_run_as_a_process_too(service: ServiceSpec) -> None:
    assert service.native is not None
    assert (bundle() / "server" / service.native.module / "__main__.py").is_file()
    assert "127.0.0.1" in service.native.environment.values()
    assert str(service.ports[0].published) in service.native.environment.values()
    volumes = {mount.source for mount in service.mounts if mount.kind is MountKind.VOLUME}
    assert set(service.native.folders.values()) <= volumes


def test_the_embedding_server_knows_the_store_of_its_project_on_either_runtime() -> None:
    stack = load_stack(COMPOSE, Settings(qdrant_port=7333, qdrant_api_key="k").variables())
    jina, qdrant = stack.service("jina"), stack.service("qdrant")

    assert jina.native is not None
    assert jina.environment["EMBSERVER_STORE_URL"] == f"http://{qdrant.name}:{qdrant.ports[0].target}"
    assert jina.native.environment["EMBSERVER_STORE_URL"] == f"http://127.0.0.1:{qdrant.ports[0].published}"
    assert jina.environment["EMBSERVER_STORE_API_KEY"] == qdrant.environment["QDRANT__SERVICE__API_KEY"] == "k"


def test_a_health_check_is_a_program_that_the_engine_can_run(service: ServiceSpec) -> None:
    assert service.healthcheck is not None
    kind, program, option, script = service.healthcheck.test
    assert (kind, option) == ("CMD", "-c")
    assert "/readyz" in script
    if program == "python":
        compile(script, "healthcheck", "exec")


@pytest.mark.parametrize(
    ("change", "runtimes"),
    [
        ({"jina_semaphore": 3}, {"docker", "native"}),
        ({"jina_api_key": "k"}, {"docker", "native"}),
        ({"model": "m"}, {"docker", "native"}),
        ({"jina_port": 4001}, {"docker", "native"}),
        ({"jina_device": "cuda"}, {"docker", "native"}),
        ({"jina_memory": "5g"}, {"docker"}),
        ({"jina_image": "mine:1"}, {"docker"}),
        ({"jina_torch_index": "https://wheels.test/cpu"}, {"docker"}),
    ],
)
def test_a_changed_setting_changes_the_hash_of_the_service_it_concerns_alone_and_where_it_has_an_effect(
    stack: StackSpec, change: dict[str, str | int], runtimes: set[str]
) -> None:
    changed = load_stack(COMPOSE, Settings(**change).variables())  # type: ignore[arg-type]  # the callers name fields
    for name, expected in (("jina", runtimes), ("qdrant", set())):
        before, after = stack.service(name), changed.service(name)
        assert {each for each in (Runtime.DOCKER, Runtime.NATIVE) if before.hash_on(each) != after.hash_on(each)} == (
            expected
        )


def test_an_edit_of_the_native_block_concerns_no_container() -> None:
    plain, edited = (
        parse(text, COMPOSE / "jina.yaml", VARIABLES, build=unread_build).service("jina")
        for text in (TEXTS["jina.yaml"], TEXTS["jina.yaml"].replace("module: embserver", "module: another"))
    )
    assert edited.config_hash == plain.config_hash
    assert edited.native_hash != plain.native_hash


def test_the_hash_does_not_depend_on_where_the_files_lie(stack: StackSpec, tmp_path: Path) -> None:
    (tmp_path / "server").symlink_to(bundle() / "server")
    (tmp_path / "compose").mkdir()
    for name, text in TEXTS.items():
        (tmp_path / "compose" / name).write_text(f"# moved\n\n{text}")
    moved = load_stack(tmp_path / "compose", VARIABLES)
    for runtime in (Runtime.DOCKER, Runtime.NATIVE):
        assert [each.hash_on(runtime) for each in moved.services] == [each.hash_on(runtime) for each in stack.services]


def places_for_a_key() -> list[tuple[str, int, str]]:
    """(file, index of a line, indentation): each line before which a further key would fall into a mapping whose keys
    the compose format fixes."""
    found = []
    for name, text in TEXTS.items():
        above: list[tuple[int, str]] = []
        for index, line in enumerate(text.splitlines()):
            match = re.match(r"( *)(- )?([\w-]+):( |$)", line)
            if not match:
                continue
            indent = len(match[1]) + len(match[2] or "")
            while above and above[-1][0] >= indent:
                above.pop()
            parent = above[-1][1] if above else "root"
            outer = "root " if len(above) == 1 and parent in {"volumes", "networks"} else ""
            if not match[2] and f"{outer}{parent}" not in CHOSEN_BY_AUTHORS:
                found.append((name, index, match[1]))
            above.append((indent, match[3]))
    return found


@pytest.mark.parametrize(("name", "index", "indent"), places_for_a_key())
def test_an_unknown_key_anywhere_is_refused_with_its_line(name: str, index: int, indent: str) -> None:
    lines = TEXTS[name].splitlines()
    lines.insert(index, f"{indent}zz_unknown: 1")
    with pytest.raises(ConfigInvalid, match="zz_unknown: this key is not supported") as caught:
        parse("\n".join(lines), COMPOSE / name, VARIABLES, build=unread_build)
    assert caught.value.message.startswith(f"{COMPOSE / name}:{index + 1}:{len(indent) + 1}: ")
    assert caught.value.details["supported"]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "qdrant.yaml").write_text(TEXTS["qdrant.yaml"])
    with pytest.raises(ConfigInvalid, match=r"jina\.yaml cannot be read: No such file"):
        load_stack(tmp_path, VARIABLES)


def test_a_definition_without_its_build_context_is_told(tmp_path: Path) -> None:
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text.replace("../server", "nowhere"))
    with pytest.raises(ConfigInvalid, match="Dockerfile does not exist") as caught:
        load_stack(tmp_path, VARIABLES)
    assert caught.value.code == "build_context_missing"
