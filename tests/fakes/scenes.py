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
from embctl.http import Http
from embctl.model import StackSpec
from embctl.outcomes import EditorStatus, Finding
from embctl.probes import Endpoint
from fakes.stacks import make_stack
from settings_layers import from_layers

__all__ = ["NOBODY", "examined", "make_scene"]

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
) -> Iterator[Scene]:
    """Settings come from `env`, the home is `folder`; without an engine there is `trouble`."""
    spec, env = spec or make_stack(), env or {}
    settings = from_layers(folder, env={name: value for name, value in env.items() if name.startswith("EMBCTL_")})
    seen = (
        EngineSeen(engine=engine, info=engine.info(), observed=engine.observe(spec))
        if engine
        else EngineSeen(trouble=trouble)
    )
    keys = {"qdrant": settings.qdrant_api_key, "jina": settings.jina_api_key}
    with Http() as http:
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
            http=http,
            cancel=Event(),
            data_dir=folder / "data",
            editors=lambda: editors,
        )


def examined(examination: Examination[Any], scene: Scene) -> dict[str, Finding]:
    """The findings of one examination, by id."""
    return {finding.id: finding for finding in examination.findings(examination.look(scene))}
