"""embserver: an OpenAI-compatible embedding server for one local model. Run it with `python -m embserver`."""

__all__ = ["__version__"]

__version__ = "0.1.0"
