"""embctl: run Qdrant and a local embedding server for AI assistants, with one command."""

__all__ = ["__version__"]

# Written here and read by the build: asking the installed package's metadata costs every command 80 ms.
__version__ = "0.1.0"
