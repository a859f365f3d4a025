"""What an engine promises that has containers in the proper sense: it fetches and builds images, and what somebody
froze goes on. The native runtime has neither: its packages are installed beside embctl, by the user."""

from dataclasses import replace
from threading import Event

import pytest

from embctl.compose.context import build_spec
from embctl.errors import Failed, Interrupted
from embctl.events import Progress
from embctl.model import ContainerState, Label, StackSpec
from engines.bench import ContainerBench
from engines.steps import never, started


def ignore(_: object) -> None:
    """Take progress and do nothing."""


def test_a_paused_container_goes_on_when_started(container_bench: ContainerBench) -> None:
    container = started(container_bench)
    container_bench.pause(container.id)
    assert container_bench.engine.inspect(container.id).state is ContainerState.PAUSED
    container_bench.engine.start_container(container.id)
    assert container_bench.engine.inspect(container.id).state is ContainerState.RUNNING


def test_an_image_nobody_has_cannot_be_pulled(container_bench: ContainerBench) -> None:
    with pytest.raises(Failed, match=r"127\.0\.0\.1:1/nowhere:1") as failed:
        container_bench.engine.pull_image("127.0.0.1:1/nowhere:1", ignore, never())
    assert failed.value.code == "pull_failed"


def test_a_cancelled_pull_is_an_interruption(container_bench: ContainerBench) -> None:
    cancel = Event()
    cancel.set()
    with pytest.raises(Interrupted):
        container_bench.engine.pull_image("127.0.0.1:1/nowhere:1", ignore, cancel)


def test_a_built_image_carries_its_digest_and_reports_its_steps(
    container_bench: ContainerBench, buildable: StackSpec
) -> None:
    steps: list[Progress] = []
    container_bench.engine.build_image(buildable.services[0], steps.append, never())
    (image,) = container_bench.engine.observe(buildable).images
    assert image.labels[Label.BUILD_HASH] == "digest-1"
    counted = [step for step in steps if step.unit == "steps"]
    (total,) = {step.total for step in counted}
    assert total >= 2
    assert [step.done for step in counted] == list(range(total + 1))


def test_a_cancelled_build_is_an_interruption(container_bench: ContainerBench, buildable: StackSpec) -> None:
    cancel = Event()
    with pytest.raises(Interrupted):
        container_bench.engine.build_image(buildable.services[0], lambda _: cancel.set(), cancel)
    assert container_bench.engine.observe(buildable).images == ()


@pytest.fixture
def buildable(container_bench: ContainerBench, tmp_path_factory: pytest.TempPathFactory) -> StackSpec:
    """A stack whose image is built in two steps, the second of them slow enough to be cancelled."""
    spec = container_bench.stack()
    context = tmp_path_factory.mktemp("context")
    (context / "Dockerfile").write_text(f"FROM {spec.services[0].image}\nRUN sleep 1\n")
    build = replace(build_spec(context, "Dockerfile", None, {}), digest="digest-1")
    service = replace(spec.services[0], image=f"{container_bench.project}/built:1", build=build)
    return replace(spec, services=(service,))
