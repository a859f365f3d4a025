"""What has to happen in each situation, as the plan prints it."""

from dataclasses import replace

import pytest

from embctl.apply import apply
from embctl.engine.base import Cancel
from embctl.errors import Conflict
from embctl.model import ContainerState, Label, Port, StackSpec
from embctl.plan import Goal, Plan, Request
from embctl.reconcile import reconcile
from fakes.fake_clock import FakeClock
from fakes.fake_engine import Behaviour, FakeEngine
from fakes.stacks import make_stack, with_service

ALL = ("qdrant", "jina")
UP = Request(goal=Goal.UP, services=ALL)


def planned(engine: FakeEngine, spec: StackSpec, request: Request = UP) -> Plan:
    return reconcile(spec, engine.observe(spec), request)


def carry_out(engine: FakeEngine, spec: StackSpec, request: Request = UP) -> None:
    plan = planned(engine, spec, request)
    apply(plan, spec=spec, engine=engine, emit=lambda _: None, clock=FakeClock(), cancel=Cancel()).raise_first_error()


@pytest.fixture
def spec() -> StackSpec:
    return make_stack()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def running(engine: FakeEngine, spec: StackSpec) -> FakeEngine:
    carry_out(engine, spec)
    return engine


def test_from_nothing_everything_is_made_and_independent_chains_do_not_wait_for_each_other(
    engine: FakeEngine, spec: StackSpec
) -> None:
    assert str(planned(engine, spec)).splitlines() == [
        "#1 network:embctl, CreateNetwork, no existing network",
        "#2 volume:embctl-qdrant-data, CreateVolume, no existing volume",
        "#3 volume:embctl-models, CreateVolume, no existing volume",
        "#4 image:example/qdrant:1, PullImage, not here yet",
        "#5 service:qdrant, CreateContainer, does not exist yet <- #1, #2, #4",
        "#6 image:example/jina:1, BuildImage, not here yet",
        "#7 service:jina, CreateContainer, does not exist yet <- #1, #3, #6",
        "#8 service:qdrant, StartContainer, just created <- #5",
        "#9 service:jina, StartContainer, just created <- #7",
    ]


def test_only_what_the_named_services_need_is_made(engine: FakeEngine, spec: StackSpec) -> None:
    plan = planned(engine, spec, Request(goal=Goal.UP, services=("qdrant",)))
    assert not [
        operation for operation in plan.operations if "jina" in operation.target or "models" in operation.target
    ]


def test_a_running_stack_needs_nothing(running: FakeEngine, spec: StackSpec) -> None:
    assert str(planned(running, spec)) == "nothing to do"


def test_a_service_that_lost_its_supervisor_is_given_one_without_being_stopped(
    running: FakeEngine, spec: StackSpec
) -> None:
    running.named("embctl-jina").unsupervised = True
    assert str(planned(running, spec)) == "#1 service:jina, StartContainer, its supervisor is gone"
    carry_out(running, spec)
    assert not planned(running, spec)


def test_a_changed_definition_replaces_just_that_container_and_keeps_the_old_one_until_the_new_one_runs(
    running: FakeEngine, spec: StackSpec
) -> None:
    changed = with_service(spec, replace(spec.service("qdrant"), config_hash="qdrant-2"))
    assert str(planned(running, changed)).splitlines() == [
        "#1 service:qdrant, CreateContainer, definition changed",
        "#2 service:qdrant, StopContainer, definition changed <- #1",
        "#3 service:qdrant, StartContainer, just created <- #1, #2",
        "#4 service:qdrant, RemoveContainer, the new one runs <- #3",
        "#5 service:qdrant, RenameContainer, takes the place of the old one <- #4",
        "#6 service:qdrant, RemoveContainer, did not start <- #1, unless #3",
        "#7 service:qdrant, StartContainer, its replacement did not start <- #2, #6, unless #3",
    ]


def test_a_replaced_container_that_did_not_run_is_not_put_back_to_work(running: FakeEngine, spec: StackSpec) -> None:
    carry_out(running, spec, Request(goal=Goal.STOPPED, services=ALL))
    changed = with_service(spec, replace(spec.service("qdrant"), config_hash="qdrant-2"))
    plan = planned(running, changed, Request(goal=Goal.UP, services=("qdrant",)))
    assert str(plan).splitlines() == [
        "#1 service:qdrant, CreateContainer, definition changed",
        "#2 service:qdrant, StartContainer, just created <- #1",
        "#3 service:qdrant, RemoveContainer, the new one runs <- #2",
        "#4 service:qdrant, RenameContainer, takes the place of the old one <- #3",
        "#5 service:qdrant, RemoveContainer, did not start <- #1, unless #2",
    ]


def test_image_and_model_are_there_before_the_old_container_stops(running: FakeEngine, spec: StackSpec) -> None:
    jina = spec.service("jina")
    assert jina.build is not None
    changed = with_service(spec, replace(jina, build=replace(jina.build, digest="build-2"), config_hash="jina-2"))
    assert str(planned(running, changed)).splitlines()[:4] == [
        "#1 image:example/jina:1, BuildImage, its sources changed",
        "#2 model:minilm, FetchModel, before the old one stops <- #1",
        "#3 service:jina, CreateContainer, definition changed <- #2",
        "#4 service:jina, StopContainer, definition changed <- #3",
    ]


def test_an_image_brought_by_the_user_under_the_built_name_is_used_as_it_is(spec: StackSpec) -> None:
    engine = FakeEngine(images=("example/jina:1", "example/qdrant:1"))
    assert not [op for op in planned(engine, spec).operations if op.target.startswith("image:")]


def test_a_running_container_does_not_need_its_image_any_more(running: FakeEngine, spec: StackSpec) -> None:
    running.images.clear()
    assert not planned(running, spec)


def test_another_image_under_the_same_name_replaces_the_container(running: FakeEngine, spec: StackSpec) -> None:
    observed = running.observe(spec)
    images = tuple(replace(image, id="sha256:newer") for image in observed.images if "qdrant" in image.reference)
    plan = reconcile(spec, replace(observed, images=images), Request(goal=Goal.UP, services=("qdrant",)))
    assert str(plan).splitlines()[0] == "#1 service:qdrant, CreateContainer, its program changed"


def test_an_exited_container_is_started_again_with_its_exit_code_as_the_cause(
    running: FakeEngine, spec: StackSpec
) -> None:
    container = running.named("embctl-jina")
    container.state, container.exit_code = ContainerState.EXITED, 137
    assert str(planned(running, spec)) == "#1 service:jina, StartContainer, exited with code 137"


def test_a_paused_container_goes_on(running: FakeEngine, spec: StackSpec) -> None:
    running.named("embctl-jina").state = ContainerState.PAUSED
    assert str(planned(running, spec)) == "#1 service:jina, StartContainer, paused"


def test_a_container_that_was_created_but_never_started_is_started(engine: FakeEngine, spec: StackSpec) -> None:
    carry_out(engine, spec)
    engine.named("embctl-qdrant").state = ContainerState.CREATED
    assert str(planned(engine, spec)) == "#1 service:qdrant, StartContainer, created but never started"


def test_a_dead_container_is_replaced(running: FakeEngine, spec: StackSpec) -> None:
    running.named("embctl-qdrant").state = ContainerState.DEAD
    assert [operation.verb for operation in planned(running, spec).operations if not operation.unless] == [
        "CreateContainer",
        "StartContainer",
        "RemoveContainer",
        "RenameContainer",
    ]


def test_restart_stops_and_starts_without_replacing(running: FakeEngine, spec: StackSpec) -> None:
    plan = planned(running, spec, Request(goal=Goal.UP, services=("qdrant",), restart=True))
    assert str(plan).splitlines() == [
        "#1 service:qdrant, StopContainer, asked to restart",
        "#2 service:qdrant, StartContainer, asked to restart <- #1",
        "#3 service:qdrant, StartContainer, the restart was cut short <- #1, unless #2",
    ]


def test_stop_stops_what_runs_and_removes_nothing(running: FakeEngine, spec: StackSpec) -> None:
    running.named("embctl-jina").state = ContainerState.EXITED
    plan = planned(running, spec, Request(goal=Goal.STOPPED, services=ALL))
    assert str(plan) == "#1 service:qdrant, StopContainer, asked to stop"


def test_down_removes_containers_then_networks_and_keeps_volumes(running: FakeEngine, spec: StackSpec) -> None:
    plan = planned(running, spec, Request(goal=Goal.ABSENT, services=()))
    assert str(plan).splitlines() == [
        "#1 service:jina, StopContainer, asked to take down",
        "#2 service:jina, RemoveContainer, asked to take down <- #1",
        "#3 service:qdrant, StopContainer, asked to take down",
        "#4 service:qdrant, RemoveContainer, asked to take down <- #3",
        "#5 network:embctl, RemoveNetwork, asked to take down <- #2, #4",
    ]


def test_volumes_go_only_when_asked(running: FakeEngine, spec: StackSpec) -> None:
    plan = planned(running, spec, Request(goal=Goal.ABSENT, services=(), volumes=True))
    assert {op.name for op in plan.operations if op.verb == "RemoveVolume"} == {
        "embctl-qdrant-data",
        "embctl-models",
    }


def test_a_volume_or_network_of_somebody_else_is_used_but_never_removed(engine: FakeEngine, spec: StackSpec) -> None:
    carry_out(engine, spec)
    engine.volumes["embctl-models"] = replace(engine.volumes["embctl-models"], project=None)
    engine.networks["embctl"] = replace(engine.networks["embctl"], project=None)
    assert not planned(engine, spec)
    removed = planned(engine, spec, Request(goal=Goal.ABSENT, services=(), volumes=True)).operations
    assert not {"embctl-models", "embctl"} & {operation.name for operation in removed}


def test_fetching_makes_images_and_model_but_no_service(engine: FakeEngine, spec: StackSpec) -> None:
    assert str(planned(engine, spec, Request(goal=Goal.FETCHED, services=ALL))).splitlines() == [
        "#1 image:example/qdrant:1, PullImage, not here yet",
        "#2 image:example/jina:1, BuildImage, not here yet",
        "#3 network:embctl, CreateNetwork, no existing network",
        "#4 volume:embctl-models, CreateVolume, no existing volume",
        "#5 model:minilm, FetchModel, asked to fetch ahead of time <- #2, #3, #4",
    ]


def test_a_throw_away_container_left_by_an_interrupted_run_is_removed(running: FakeEngine, spec: StackSpec) -> None:
    running.add_container("embctl-jina-run-1", labels={Label.PROJECT: "embctl"})
    assert str(planned(running, spec)).splitlines() == [
        "#1 container:embctl-jina-run-1, StopContainer, left over from an interrupted run",
        "#2 container:embctl-jina-run-1, RemoveContainer, left over from an interrupted run <- #1",
    ]


def test_a_foreign_container_under_a_needed_name_is_a_conflict_that_names_it(
    engine: FakeEngine, spec: StackSpec
) -> None:
    engine.add_container("embctl-qdrant", image="somebody/else:1")
    with pytest.raises(Conflict, match="embctl-qdrant") as caught:
        planned(engine, spec)
    assert caught.value.code == "name_taken"
    assert caught.value.details["image"] == "somebody/else:1"


@pytest.mark.parametrize("kind", ["process", "container"])
def test_a_taken_port_stops_the_start_before_anything_is_planned(
    engine: FakeEngine, spec: StackSpec, kind: str
) -> None:
    if kind == "process":
        engine.add_process(4000, "node", 4711)
    else:
        engine.add_container("other", ports=(Port(host_ip="0.0.0.0", published=4000, target=80),))  # noqa: S104 - observed, not listened on
    with pytest.raises(Conflict, match="Port 4000") as caught:
        planned(engine, spec)
    assert caught.value.code == "port_taken"
    assert caught.value.message.endswith("Nothing was created.")
    assert caught.value.details.keys() == {"service", "port", "owner"}
    assert (caught.value.details["service"], caught.value.details["owner"]["kind"]) == ("jina", kind)


def test_a_taken_port_of_a_service_that_is_not_asked_for_does_not_matter(engine: FakeEngine, spec: StackSpec) -> None:
    engine.add_process(4000, "node", 4711)
    assert planned(engine, spec, Request(goal=Goal.UP, services=("qdrant",)))


def test_a_port_of_our_own_other_service_is_a_conflict_before_anything_is_touched(
    running: FakeEngine, spec: StackSpec
) -> None:
    port = replace(spec.service("qdrant").ports[0], published=4000)
    moved = with_service(spec, replace(spec.service("qdrant"), ports=(port,), config_hash="qdrant-2"))
    with pytest.raises(Conflict, match="embctl-jina"):
        planned(running, moved, Request(goal=Goal.UP, services=("qdrant",)))


def test_two_services_may_swap_their_ports_each_waiting_until_the_other_has_stopped(
    running: FakeEngine, spec: StackSpec
) -> None:
    qdrant, jina = spec.service("qdrant"), spec.service("jina")
    swapped = with_service(spec, replace(qdrant, ports=jina.ports, config_hash="qdrant-2"))
    swapped = with_service(swapped, replace(jina, ports=qdrant.ports, config_hash="jina-2"))
    lines = str(planned(running, swapped)).splitlines()
    assert "#6 service:qdrant, StartContainer, just created <- #1, #2, #5" in lines
    carry_out(running, swapped)
    assert not planned(running, swapped)


def half_replaced(running: FakeEngine, spec: StackSpec, *, new: ContainerState) -> StackSpec:
    """A replacement of Qdrant that was cut short: the old container is stopped, the new one bears its first name."""
    changed = with_service(spec, replace(spec.service("qdrant"), config_hash="qdrant-2"))
    running.named("embctl-qdrant").state = ContainerState.EXITED
    created = replace(changed.service("qdrant"), container_name="embctl-qdrant-next")
    running.containers[running.create_container("embctl", created)].state = new
    return changed


def test_a_replacement_cut_short_after_its_start_keeps_the_new_container_and_gives_it_the_name(
    running: FakeEngine, spec: StackSpec
) -> None:
    changed = half_replaced(running, spec, new=ContainerState.RUNNING)
    assert str(planned(running, changed)).splitlines() == [
        "#1 service:qdrant, RemoveContainer, left over from an interrupted run",
        "#2 service:qdrant, RenameContainer, its replacement was interrupted <- #1",
    ]


def test_a_replacement_cut_short_before_its_start_is_begun_anew(running: FakeEngine, spec: StackSpec) -> None:
    changed = half_replaced(running, spec, new=ContainerState.CREATED)
    assert str(planned(running, changed)).splitlines()[:3] == [
        "#1 service:qdrant, RemoveContainer, left over from an interrupted run",
        "#2 service:qdrant, CreateContainer, definition changed <- #1",
        "#3 service:qdrant, StartContainer, just created <- #2",
    ]


def test_stop_finds_the_living_one_of_two_containers(running: FakeEngine, spec: StackSpec) -> None:
    changed = half_replaced(running, spec, new=ContainerState.RUNNING)
    plan = planned(running, changed, Request(goal=Goal.STOPPED, services=("qdrant",)))
    assert [operation.name for operation in plan.operations] == [running.named("embctl-qdrant-next").id]


def test_a_container_whose_network_is_gone_is_made_anew_on_a_new_one(running: FakeEngine, spec: StackSpec) -> None:
    carry_out(running, spec, Request(goal=Goal.STOPPED, services=ALL))
    running.remove_network("embctl")
    plan = planned(running, spec, Request(goal=Goal.UP, services=("qdrant",)))
    assert str(plan).splitlines() == [
        "#1 network:embctl, CreateNetwork, no existing network",
        "#2 service:qdrant, CreateContainer, its network is gone <- #1",
        "#3 service:qdrant, StartContainer, just created <- #2",
        "#4 service:qdrant, RemoveContainer, the new one runs <- #3",
        "#5 service:qdrant, RenameContainer, takes the place of the old one <- #4",
        "#6 service:qdrant, RemoveContainer, did not start <- #2, unless #3",
    ]


def test_a_crash_looping_container_is_left_to_its_restart_policy(engine: FakeEngine, spec: StackSpec) -> None:
    engine.behave("jina", Behaviour(exit_code=1))
    carry_out(engine, spec)
    assert not planned(engine, spec)
