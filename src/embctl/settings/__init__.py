"""Settings: one table of what can be set, and where each value came from (flag > environment > project file > user file
> default). Reads the files it is given and nothing else."""

from embctl.settings.load import load
from embctl.settings.origin import Origin, Source
from embctl.settings.table import FIELDS, Settings, Shown
from embctl.settings.values import Field, Kind

__all__ = ["FIELDS", "Field", "Kind", "Origin", "Settings", "Shown", "Source", "load"]
