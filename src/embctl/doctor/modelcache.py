"""The model's files where the server looks for them: whole, and enough for a start without a network."""

from dataclasses import dataclass

from embctl.doctor.check import Check, Judgement, fail, ok, skipped, warn
from embctl.doctor.examination import Examination
from embctl.doctor.scene import Scene
from embctl.plan import MODEL_SERVICE
from embctl.serverlog import failure_of

__all__ = ["MODELCACHE", "ModelFacts", "look"]

COMMAND = ("python", "-m", "embserver", "check")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """How the server's own check of the files ended, and what it said; `unseen` is why it did not run."""

    model: str
    code: int = 0
    said: str = ""
    unseen: str = ""


def look(scene: Scene) -> ModelFacts:
    """Runs that check beside the server, where everything that it takes is there already."""
    model, observed, engine = scene.settings.model, scene.seen.observed, scene.seen.engine
    if observed is None or engine is None:
        return ModelFacts(model=model, unseen="what the engine holds cannot be seen (engine.reachable)")
    service = scene.spec.service(MODEL_SERVICE)
    if observed.image(service.image) is None:
        return ModelFacts(model=model, unseen=f"there is nothing to run it with yet (images.{service.name})")
    # A check must not make what it looks for.
    if not set(service.volumes) <= {volume.name for volume in observed.volumes}:
        return ModelFacts(model=model, unseen="nothing was fetched yet: embctl pull jina")
    lines: list[str] = []
    code = engine.run_once(scene.spec.project, service, COMMAND, lines.append, scene.cancel)
    return ModelFacts(model=model, code=code, said=failure_of(lines))


def _judge(facts: ModelFacts) -> Judgement:
    if facts.unseen:
        return skipped(facts.unseen)
    match facts.code:
        case 0:
            return ok(f"{facts.model} is whole: the next start needs no network")
        case 1:
            return warn(facts.said, "Fetch it while there is a network: embctl pull jina")
        case 2:
            return skipped(f"the server's image is older than this embctl, or a setting is wrong: {facts.said}")
        case 3:
            return fail(facts.said, "Choose another model (--model minilm, for one), or mend the folder")
    return skipped(f"the check ended with code {facts.code}: {facts.said}")


MODELCACHE = Examination(
    noun="modelcache",
    look=look,
    checks=(
        Check(
            id="modelcache.complete",
            looks_at="whether the model's files are whole, for a start without a network",
            judge=_judge,
        ),
    ),
)
