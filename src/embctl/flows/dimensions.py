"""Whether the model fits the collections that are there: vectors of another dimension cannot be searched or added."""

from collections.abc import Mapping

from embctl.flows.context import Context
from embctl.outcomes import ServiceReady
from embctl.plan import MODEL_SERVICE, Plan, Verb
from embctl.probes import glance

__all__ = ["misfits_of_plan", "misfits_of_services"]


def misfits_of_plan(context: Context, plan: Plan) -> str | None:
    """What to tell before a plan is carried out that makes an embedding server; None when nothing is wrong, or nobody
    can know because Qdrant does not run."""
    made = any(
        operation.service == MODEL_SERVICE and operation.verb is Verb.CREATE_CONTAINER for operation in plan.operations
    )
    if not made or not context.connect().info().local:
        return None
    return _misfits(context.settings.model, context.dimension, _collections(context))


def misfits_of_services(context: Context, services: tuple[ServiceReady, ...]) -> list[str]:
    """The same as both services say it of themselves, once they run."""
    facts = {service.service: service.facts for service in services}
    if MODEL_SERVICE not in facts:
        return []
    model = facts[MODEL_SERVICE]
    collections = facts["qdrant"].get("dimensions", {}) if "qdrant" in facts else _collections(context)
    warning = _misfits(model.get("model", ""), model.get("dimension"), collections)
    return [warning] if warning else []


def _collections(context: Context) -> Mapping[str, int]:
    """The dimension of each collection of the Qdrant that runs now; none where none does."""
    database = context.connect().observe(context.spec).container_of(context.spec.project, "qdrant")
    if database is None or not database.alive:
        return {}
    dimensions: Mapping[str, int] = glance(context.endpoint("qdrant", database), context.http).facts.get(
        "dimensions", {}
    )
    return dimensions


def _misfits(model: str, dimension: int | None, collections: Mapping[str, int]) -> str | None:
    others = {name: size for name, size in sorted(collections.items()) if size != dimension}
    if dimension is None or not others:
        return None
    listed = ", ".join(f"{name} ({size})" for name, size in others.items())
    return (
        f"The model {model} has {dimension} dimensions, but these collections have others: {listed}. They stay as "
        "they are and answer no search with this model: index those folders anew, or go back to their own model."
    )
