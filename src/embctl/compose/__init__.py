"""The compose files as specs: one strict reading of compose/qdrant.yaml and compose/jina.yaml. Nothing here talks to an
engine; a file that needs more than the supported subset is refused, never half understood."""

from embctl.compose.stack import load_stack, parse

__all__ = ["load_stack", "parse"]
