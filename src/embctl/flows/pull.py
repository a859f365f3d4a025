"""Fetches ahead of time what a start would need the network for: images and the model."""

from embctl.flows.change import change, preview
from embctl.flows.context import Context
from embctl.outcomes import Changed, Planned
from embctl.plan import Goal, Request
from embctl.result import Result

__all__ = ["pull"]


def pull(context: Context, services: tuple[str, ...], *, dry_run: bool = False) -> Result[Changed] | Result[Planned]:
    """Pull or build the services' images and fetch the model into its volume; starts nothing."""
    request = Request(goal=Goal.FETCHED, services=services)
    return preview(context, "pull", request) if dry_run else change(context, "pull", request)
