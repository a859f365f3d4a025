"""embctl: run Qdrant and a local embedding server for AI assistants, with one command."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("embctl")
