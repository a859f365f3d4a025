"""Whether the model fits the collections that are there: vectors of another dimension cannot be searched or added."""

from collections.abc import Mapping

from embctl.flows.context import Context
from embctl.outcomes import ServiceReady
from embctl.plan import MODEL_SERVICE, Plan, Verb
from embctl.probes import glance

__all__ = ["misfits_of_plan", "misfits_of_services"]


def misfits_of_plan(context: Context, plan: Plan) -> str | None:
    """What to tell before a plan is carried out that replaces the embedding server; None when nothing is wrong, or
    nobody can know because Qdrant does not run."""
    done = {operation.verb for operation in plan.operations if operation.service == MODEL_SERVICE}
    replaces = {Verb.CREATE_CONTAINER, Verb.REMOVE_CONTAINER} <= done
    engine = context.connect()
    if not replaces or not engine.info().local:
        return None
    database = engine.observe(context.spec).container_of(context.spec.project, "qdrant")
    seen = glance(context.endpoint("qdrant", database), context.http)
    return _misfits(context.settings.model, context.dimension, seen.facts.get("dimensions", {}))


def misfits_of_services(services: tuple[ServiceReady, ...]) -> list[str]:
    """The same as far as both services say it of themselves, once they run."""
    facts = {service.service: service.facts for service in services}
    model, database = facts.get(MODEL_SERVICE, {}), facts.get("qdrant", {})
    warning = _misfits(model.get("model", ""), model.get("dimension"), database.get("dimensions", {}))
    return [warning] if warning else []


def _misfits(model: str, dimension: int | None, collections: Mapping[str, int]) -> str | None:
    others = {name: size for name, size in sorted(collections.items()) if size != dimension}
    if dimension is None or not others:
        return None
    listed = ", ".join(f"{name} ({size})" for name, size in others.items())
    return (
        f"The model {model} has {dimension} dimensions, but these collections have others: {listed}. They stay as "
        "they are and answer no search with this model: index those folders anew, or go back to their own model."
    )
