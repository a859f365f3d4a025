"""The model that the settings ask for: what the embedding server would refuse by its spelling alone is refused here,
before the container that runs is given up for one that cannot start."""

import re
from difflib import get_close_matches

from embctl.catalogue import CatalogueEntry
from embctl.errors import ConfigInvalid
from embctl.settings.table import Settings

__all__ = ["check_model"]

# The hub's own rule, for the owner and for the name.
_PART = re.compile(r"(?![.-])(?:(?!--|\.\.)[A-Za-z0-9_.-]){1,96}(?<![.-])")


def check_model(settings: Settings, catalogue: tuple[CatalogueEntry, ...]) -> None:
    """Pass where `model` is a name of the catalogue, an id on the hub or an absolute folder, and `model_revision` is
    set only where there are revisions. ConfigInvalid(code="config_invalid") names the place, the value, the reason."""
    model = settings.model
    if model.startswith("/"):  # a folder inside the container, whatever this machine's paths look like
        _refuse_revision(settings, "a folder has no revisions")
    elif not _is_hub_id(model):
        entry = next((entry for entry in catalogue if entry.name == model), None)
        if entry is None:
            raise _unknown(settings, catalogue)
        if not entry.on_hub:
            _refuse_revision(settings, "it comes with a package of one version")


def _is_hub_id(model: str) -> bool:
    owner, slash, name = model.partition("/")
    return bool(slash and _PART.fullmatch(owner) and _PART.fullmatch(name)) and not name.endswith(".git")


def _unknown(settings: Settings, catalogue: tuple[CatalogueEntry, ...]) -> ConfigInvalid:
    names = [entry.name for entry in catalogue]
    reason = f"must be a known name ({', '.join(names)}), an id on the model hub (owner/name) or an absolute folder"
    spellings = {
        spelling.casefold(): entry.name
        for entry in catalogue
        for known in (entry.name, *entry.ids)
        for spelling in (known, known.rpartition("/")[2])
    }
    close = next((spellings[each] for each in get_close_matches(settings.model.casefold(), spellings, n=1)), None)
    origin = settings.origins["model"]
    return ConfigInvalid(
        f'model = "{settings.model}" ({origin}) is not valid: it {reason}.'
        + (f' Did you mean "{close}"?' if close else ""),
        code="config_invalid",
        actions=(f"Name another model ({origin}).",),
        details={
            "key": "model",
            "source": str(origin.source),
            "place": origin.place,
            "reason": reason,
            "value": settings.model,
            "allowed": names,
            "close_match": close,
        },
    )


def _refuse_revision(settings: Settings, reason: str) -> None:
    if not settings.model_revision:
        return
    origin, of_model = settings.origins["model_revision"], settings.origins["model"]
    raise ConfigInvalid(
        f'model_revision = "{settings.model_revision}" ({origin}) is not valid for the model "{settings.model}" '
        f"({of_model}): {reason}.",
        code="config_invalid",
        actions=(f"Remove model_revision ({origin}), or choose a model of the hub.",),
        details={
            "key": "model_revision",
            "source": str(origin.source),
            "place": origin.place,
            "reason": reason,
            "value": settings.model_revision,
            "other_key": "model",
            "other_place": of_model.place,
        },
    )
