"""What every engine promises, held against the fake one, the native one and a real one alike."""

import os
from dataclasses import replace
from threading import Event, Timer

import pytest

from embctl.errors import Conflict, Failed, Interrupted
from embctl.model import ContainerState, LogLine, ObservedContainer, PortOwner
from engines.bench import MEMORY, Bench
from engines.programs import FAILS, SPEAKS
from engines.steps import create, never, started, until


def spoken(bench: Bench, container: ObservedContainer, count: int) -> list[LogLine]:
    """The first `count` lines of the container, awaited."""
    cancel, lines = Event(), list[LogLine]()
    for line in bench.engine.logs(container, follow=True, tail=None, since=None, cancel=cancel):
        lines.append(line)
        if len(lines) == count:
            cancel.set()
    return lines


def test_an_engine_says_what_and_where_it_is(bench: Bench) -> None:
    info = bench.engine.info()
    assert info.flavour
    assert info.version
    assert info.address
    assert info.local


def test_an_untouched_project_has_nothing_but_images(bench: Bench) -> None:
    spec = bench.stack()
    observed = bench.engine.observe(spec)
    assert observed.containers == ()
    assert observed.volumes == ()
    assert observed.networks == ()
    assert observed.port_owners == ()
    assert [image.reference for image in observed.images] == [spec.services[0].image]


def test_what_was_created_is_observed_as_the_projects_own(bench: Bench) -> None:
    spec = bench.stack()
    service = spec.services[0]
    container_id = create(bench, spec)
    observed = bench.engine.observe(spec)
    container = observed.container_of(bench.project, "probe")
    assert container is not None
    assert (container.id, container.name) == (container_id, service.container_name)
    assert container.state is ContainerState.CREATED
    assert container.exit_code is None
    assert container.config_hash == service.hash_on(bench.engine.info().runtime)
    assert observed.runtime is bench.engine.info().runtime
    assert container.image == service.program_on(observed.runtime)
    assert container.image_id == observed.images[0].id
    assert container.ports == service.ports
    assert tuple(container.mounted.values()) == service.volumes
    assert container.started_at is None
    assert container.labels["com.docker.compose.project"] == bench.project
    assert [(volume.name, volume.project) for volume in observed.volumes] == [(spec.volumes[0].name, bench.project)]
    assert [(network.name, network.project) for network in observed.networks] == [(bench.project, bench.project)]


def test_a_container_runs_stops_and_goes(bench: Bench) -> None:
    container = started(bench)
    assert container.state is ContainerState.RUNNING
    assert container.started_at is not None
    bench.engine.start_container(container.id)
    bench.engine.stop_container(container.id, 1.0)
    stopped = bench.engine.inspect(container.id)
    assert stopped.state is ContainerState.EXITED
    assert stopped.exit_code in {137, 143}
    bench.engine.stop_container(container.id, 1.0)
    bench.engine.remove_container(container.id)
    bench.engine.remove_container(container.id)
    with pytest.raises(Failed) as gone:
        bench.engine.inspect(container.id)
    assert gone.value.code == "container_gone"


def test_a_running_container_is_not_removed(bench: Bench) -> None:
    container = started(bench)
    with pytest.raises(Failed) as refused:
        bench.engine.remove_container(container.id)
    assert refused.value.code == "container_running"


def test_a_process_that_fails_leaves_its_exit_code(bench: Bench) -> None:
    container = started(bench, FAILS)
    dead = until(bench, container.id, lambda now: now.state is ContainerState.EXITED)
    assert dead.exit_code == 3
    assert not dead.oom_killed


def test_a_restart_policy_shows_as_growing_restarts(bench: Bench) -> None:
    container = started(bench, FAILS, restart="unless-stopped")
    assert until(bench, container.id, lambda now: now.restarts >= 2).restarts >= 2


def test_a_container_needs_its_image(bench: Bench) -> None:
    spec = bench.stack()
    service = bench.without_image(spec.services[0])
    with pytest.raises(Failed) as missing:
        create(bench, replace(spec, services=(service,)))
    assert missing.value.code == "image_missing"


def test_a_container_needs_its_network_to_start(bench: Bench) -> None:
    container_id = bench.engine.create_container(bench.project, bench.stack().services[0])
    with pytest.raises(Failed) as missing:
        bench.engine.start_container(container_id)
    assert missing.value.code == "network_missing"


def test_a_container_name_is_given_once(bench: Bench) -> None:
    spec = bench.stack()
    create(bench, spec)
    with pytest.raises(Conflict) as taken:
        bench.engine.create_container(bench.project, spec.services[0])
    assert taken.value.code == "name_taken"


def test_a_running_container_gets_another_name_and_runs_on(bench: Bench) -> None:
    before = started(bench)
    bench.engine.rename_container(before.id, f"{bench.project}-renamed")
    after = bench.engine.inspect(before.id)
    assert after.name == f"{bench.project}-renamed"
    assert (after.state, after.started_at) == (ContainerState.RUNNING, before.started_at)


def test_a_name_that_somebody_has_is_not_given_again(bench: Bench) -> None:
    container_id = create(bench, bench.stack())
    bench.add_foreign(f"{bench.project}-stranger")
    with pytest.raises(Conflict) as taken:
        bench.engine.rename_container(container_id, f"{bench.project}-stranger")
    assert taken.value.code == "name_taken"


def test_a_foreign_container_with_our_name_is_seen_as_foreign(bench: Bench) -> None:
    spec = bench.stack()
    bench.add_foreign(spec.services[0].container_name)
    (foreign,) = bench.engine.observe(spec).containers
    assert foreign.name == spec.services[0].container_name
    assert foreign.project is None
    assert foreign.service is None


def test_a_network_is_made_once_and_removed_without_fuss(bench: Bench) -> None:
    (network,) = bench.stack().networks
    bench.engine.create_network(bench.project, network)
    with pytest.raises(Conflict) as taken:
        bench.engine.create_network(bench.project, network)
    assert taken.value.code == "network_taken"
    bench.engine.remove_network(network.name)
    bench.engine.remove_network(network.name)


def test_a_network_in_use_is_not_removed(bench: Bench) -> None:
    started(bench)
    with pytest.raises(Failed) as used:
        bench.engine.remove_network(bench.project)
    assert used.value.code == "network_in_use"


def test_a_volume_is_kept_when_made_again_and_removed_without_fuss(bench: Bench) -> None:
    (volume,) = bench.stack().volumes
    bench.engine.create_volume(bench.project, volume)
    bench.engine.create_volume(bench.project, volume)
    bench.engine.remove_volume(volume.name)
    bench.engine.remove_volume(volume.name)
    assert bench.engine.observe(bench.stack()).volumes == ()


def test_a_volume_in_use_is_not_removed(bench: Bench) -> None:
    spec = bench.stack()
    create(bench, spec)
    with pytest.raises(Failed) as used:
        bench.engine.remove_volume(spec.volumes[0].name)
    assert used.value.code == "volume_in_use"


def test_a_foreign_container_owns_its_port(bench: Bench) -> None:
    spec = bench.stack()
    (port,) = spec.services[0].ports
    bench.add_foreign(f"{bench.project}-stranger", replace(port, host_ip="0.0.0.0"))  # noqa: S104 - overlaps ours
    (owner,) = bench.engine.observe(spec).port_owners
    assert owner == PortOwner(port=port.published, kind=bench.owner_kind, name=f"{bench.project}-stranger")


def test_a_process_owns_its_port(bench: Bench) -> None:
    spec = bench.stack()
    (port,) = spec.services[0].ports
    bench.listen(port.published)
    (owner,) = bench.engine.observe(spec).port_owners
    assert (owner.port, owner.kind, owner.pid) == (port.published, "process", os.getpid())


def test_the_projects_own_containers_own_no_port(bench: Bench) -> None:
    spec = bench.stack()
    bench.engine.start_container(create(bench, spec))
    assert bench.engine.observe(spec).port_owners == ()


def test_a_port_taken_since_the_plan_refuses_the_start(bench: Bench) -> None:
    spec = bench.stack()
    (port,) = spec.services[0].ports
    container_id = create(bench, spec)
    bench.add_foreign(f"{bench.project}-stranger", port)
    with pytest.raises(Conflict, match=f"{bench.project}-stranger") as taken:
        bench.engine.start_container(container_id)
    assert taken.value.code == "port_taken"
    assert taken.value.details == {
        "service": "probe",
        "port": port.published,
        "owner": {"kind": bench.owner_kind, "name": f"{bench.project}-stranger", "pid": None},
    }
    assert "Nothing was created" not in taken.value.message


def test_a_log_is_read_in_order_with_times(bench: Bench) -> None:
    lines = spoken(bench, started(bench, SPEAKS), 3)
    assert [line.text for line in lines] == ["one", "two", "three"]
    assert {(line.service, line.stream) for line in lines} == {("probe", "stdout")}
    times = [line.timestamp for line in lines if line.timestamp]
    assert len(times) == 3
    assert times == sorted(times)


def test_a_log_can_be_cut_at_its_tail_and_in_time(bench: Bench) -> None:
    container = started(bench, SPEAKS)
    last = spoken(bench, container, 3)[-1]
    tail = bench.engine.logs(container, follow=False, tail=2, since=None, cancel=never())
    assert [line.text for line in tail] == ["two", "three"]
    recent = bench.engine.logs(container, follow=False, tail=None, since=last.timestamp, cancel=never())
    assert [line.text for line in recent][-1] == "three"


def test_a_followed_log_ends_with_its_container(bench: Bench) -> None:
    lines = bench.engine.logs(started(bench, FAILS), follow=True, tail=None, since=None, cancel=never())
    assert [line.text for line in lines] == ["broken"]


def test_a_followed_log_of_a_silent_container_ends_when_cancelled(bench: Bench) -> None:
    container, cancel = started(bench), Event()
    timer = Timer(0.2, cancel.set)
    timer.start()
    assert list(bench.engine.logs(container, follow=True, tail=None, since=None, cancel=cancel)) == []
    timer.join()


def test_the_log_of_a_removed_container_is_gone(bench: Bench) -> None:
    container = started(bench)
    bench.engine.stop_container(container.id, 0.0)
    bench.engine.remove_container(container.id)
    with pytest.raises(Failed) as gone:
        list(bench.engine.logs(container, follow=False, tail=None, since=None, cancel=never()))
    assert gone.value.code == "container_gone"


def test_a_sample_tells_memory_from_its_limit(bench: Bench) -> None:
    use = bench.engine.stats(started(bench).id)
    assert use.memory_limit == bench.memory_limit
    assert 0 < use.memory_anonymous < MEMORY
    assert use.cpu_percent >= 0


def test_a_throw_away_container_hands_over_its_output_and_exit_code_and_leaves_nothing(bench: Bench) -> None:
    spec = bench.stack(FAILS)
    bench.engine.create_network(bench.project, spec.networks[0])
    lines: list[str] = []
    code = bench.engine.run_once(bench.project, spec.services[0], FAILS.command, lines.append, never())
    assert (lines, code) == (["broken"], 3)
    assert bench.engine.observe(spec).containers == ()


def test_a_throw_away_container_goes_when_cancelled(bench: Bench) -> None:
    spec = bench.stack(SPEAKS)
    bench.engine.create_network(bench.project, spec.networks[0])
    cancel = Event()
    with pytest.raises(Interrupted):
        bench.engine.run_once(bench.project, spec.services[0], SPEAKS.command, lambda _: cancel.set(), cancel)
    assert bench.engine.observe(spec).containers == ()


def test_a_throw_away_container_is_the_projects_but_never_the_services(bench: Bench) -> None:
    spec = bench.stack(SPEAKS)
    bench.engine.create_network(bench.project, spec.networks[0])
    seen: list[ObservedContainer] = []
    cancel = Event()

    def look(_: str) -> None:
        seen.extend(bench.engine.observe(spec).containers)
        cancel.set()

    with pytest.raises(Interrupted):
        bench.engine.run_once(bench.project, spec.services[0], SPEAKS.command, look, cancel)
    assert [(container.project, container.service) for container in seen[:1]] == [(bench.project, None)]
    assert seen[0].labels["com.docker.compose.oneoff"] == "True"
