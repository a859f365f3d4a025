"""Our model in the text of Continue's config.yaml, comments and order kept. The only importer of ruamel.yaml. Pure."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

__all__ = ["NotKept", "merged"]

_BEGUN = "name: Local Config\nversion: 1.0.0\nschema: v1\nmodels: []\n"
# How people indent the dash of a list: at the key, or two further in.
_INDENTS = ((2, 0), (4, 2))


class NotKept(ValueError):
    """The text cannot be changed without touching what is not ours: the message says why."""


def merged(text: str | None, model: Mapping[str, Any]) -> str:
    """The text with `model` among its models, in place of the one of its name where there is one. Raises NotKept."""
    before = text if text and text.strip() else _BEGUN
    for sequence, offset in _INDENTS:
        writer = YAML()
        writer.preserve_quotes = True
        writer.width = 1 << 16
        writer.indent(mapping=2, sequence=sequence, offset=offset)
        content = _read(writer, before)
        if text is not None and text.strip() and _written(writer, content) != before:
            continue
        models = content.setdefault("models", [])
        if not isinstance(models, list):
            raise NotKept("its models are no list")
        ours = [
            index
            for index, each in enumerate(models)
            if isinstance(each, Mapping) and each.get("name") == model["name"]
        ]
        if ours:
            # Only what differs: comments hang on the values.
            models[ours[0]].update({key: value for key, value in model.items() if models[ours[0]].get(key) != value})
        else:
            models.append(dict(model))
        if before is _BEGUN:
            models.fa.set_block_style()  # type: ignore[attr-defined]  # ruamel's own list
        return _written(writer, content)
    raise NotKept("its layout would not be kept")


def _read(reader: YAML, text: str) -> Any:
    try:
        content = reader.load(text)
    except YAMLError as error:
        raise NotKept(f"it is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise NotKept("it holds no mapping")
    return content


def _written(writer: YAML, content: Any) -> str:
    stream = StringIO()
    writer.dump(content, stream)
    return stream.getvalue()
