"""Takes services down: `stop` keeps everything but the processes, `down` removes containers and networks, volumes when
asked."""

from embctl.errors import ConfirmationNeeded
from embctl.flows.change import change, preview
from embctl.flows.context import Context
from embctl.flows.remembering import forget
from embctl.outcomes import Changed, Planned
from embctl.plan import Goal, Plan, Request, Verb
from embctl.result import Result

__all__ = ["down", "stop"]


def stop(context: Context, services: tuple[str, ...], *, dry_run: bool = False) -> Result[Changed] | Result[Planned]:
    """Stop the services within their grace period; containers and data stay."""
    request = Request(goal=Goal.STOPPED, services=services)
    return preview(context, "stop", request) if dry_run else change(context, "stop", request)


def down(context: Context, *, volumes: bool = False, dry_run: bool = False) -> Result[Changed] | Result[Planned]:
    """Remove the project's containers and networks; with `volumes`, and only once confirmed, its data too."""
    request = Request(goal=Goal.ABSENT, services=(), volumes=volumes)
    if dry_run:
        return preview(context, "down", request)
    result = change(context, "down", request, approve=lambda plan: _confirm(context, plan))
    if volumes:
        # As long as there is an index, the next start has to find it.
        forget(context.remembered_file, context.connect().info().runtime)
    return result


def _confirm(context: Context, plan: Plan) -> None:
    """Ask before data is deleted, naming exactly what goes."""
    names = [operation.name for operation in plan.operations if operation.verb is Verb.REMOVE_VOLUME]
    listed = ", ".join(names)
    runtime = context.connect().info().runtime
    if not names or context.confirm(f"Delete the volumes {listed} ({runtime} runtime) and all data in them?"):
        return
    # The same data, whatever a later command would take by itself.
    this = f" --runtime {runtime} --project {context.spec.project}"
    raise ConfirmationNeeded(
        f"Removing the volumes {listed} ({runtime} runtime) deletes every index and model in them; that was not "
        "confirmed. Nothing was changed.",
        code="not_confirmed",
        details={"volumes": names, "runtime": str(runtime)},
        actions=(
            f"Confirm on the command line: embctl down --volumes --yes{this}",
            f"Keep the data: embctl down{this}",
        ),
    )
