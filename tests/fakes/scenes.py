"""What an examination is given, around an engine, a stack, an environment and a home of the test's own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from embctl.doctor.examination import Examination
from embctl.doctor.scene import EngineSeen, Scene
from embctl.engine.base import Engine
from embctl.errors import EmbctlError, EngineUnreachable
from embctl.http import Http, HttpClient
from embctl.model import Runtime, StackSpec
from embctl.outcomes import EditorStatus, Finding
from embctl.probes import Endpoint
from fakes.fake_engine import FakeEngine
from fakes.stacks import make_stack
from settings_layers import from_layers

__all__ = ["NOBODY", "examined", "make_scene", "running_engine"]

NOBODY = EngineUnreachable("No container engine answers.", code="engine_unreachable", actions=("Start it: dockerd",))


@contextmanager
def make_scene(
    folder: Path,
    engine: Engine | None = None,
    *,
    spec: StackSpec | None = None,
    env: Mapping[str, str] | None = None,
    platform: str = "linux",
    trouble: EmbctlError = NOBODY,
    editors: tuple[EditorStatus, ...] = (),
    http: HttpClient | None = None,
) -> Iterator[Scene]:
    """Settings come from `env`, the home is `folder`; without an engine there is `trouble`; `http` is over sockets."""
    spec, env = spec or make_stack(), env or {}
    settings = from_layers(folder, env={name: value for name, value in env.items() if name.startswith("EMBCTL_")})
    seen = (
        EngineSeen(engine=engine, info=engine.info(), observed=engine.observe(spec))
        if engine
        else EngineSeen(trouble=trouble)
    )
    keys = {"qdrant": settings.qdrant_api_key, "jina": settings.jina_api_key}
    with Http() as sockets:
        yield Scene(
            settings=settings,
            spec=spec,
            env=env,
            home=folder,
            platform=platform,
            seen=seen,
            endpoints={
                each.name: Endpoint(
                    service=each.name,
                    url=f"http://127.0.0.1:{each.ports[0].published}",
                    api_key=keys[each.name] or None,
                )
                for each in spec.services
            },
            http=http or sockets,
            cancel=Event(),
            editors=lambda: editors,
        )


def examined(examination: Examination[Any], scene: Scene) -> dict[str, Finding]:
    """The findings of one examination, by id."""
    return {finding.id: finding for finding in examination.findings(examination.look(scene))}


def running_engine(spec: StackSpec, runtime: Runtime = Runtime.DOCKER) -> FakeEngine:
    """An engine on which both services run as defined, with all that they need."""
    engine = FakeEngine(images=tuple(service.image for service in spec.services))
    engine.runtime = runtime
    for network in spec.networks:
        engine.create_network(spec.project, network)
    for volume in spec.volumes:
        engine.create_volume(spec.project, volume)
    for service in spec.services:
        engine.start_container(engine.create_container(spec.project, service))
    return engine
