"""Takes services down: `stop` keeps everything but the processes, `down` removes containers and networks, volumes when
asked."""

from embctl.errors import ConfirmationNeeded
from embctl.flows.change import change, preview
from embctl.flows.context import Context
from embctl.outcomes import Changed, Planned
from embctl.plan import Goal, Request
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
    if volumes:
        names = ", ".join(volume.name for volume in context.spec.volumes)
        if not context.confirm(
            f"Delete the volumes of the project {context.spec.project} ({names}) and all data in them?"
        ):
            raise ConfirmationNeeded(
                f"Removing the volumes {names} deletes every index and model in them; that was not confirmed. "
                "Nothing was changed.",
                code="not_confirmed",
                details={"volumes": [volume.name for volume in context.spec.volumes]},
                actions=("Confirm on the command line: embctl down --volumes --yes", "Keep the data: embctl down"),
            )
    return change(context, "down", request)
