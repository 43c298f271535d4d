"""A checksum inside a JSON file over the rest of it, so that one wrong bit in metadata is noticed.

zarr keeps checksums of chunks and none of its JSON: a flipped bit there moves a shape, a fill value or an attribute,
and every reader believes it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from paintpipe.pipeline.changes import canonical_json

SEAL = "paintpipe_sha256"
"""The key: an attribute of a zarr node, and at the top of any other JSON file."""


def seal(content: bytes) -> bytes:
    """The JSON object with its checksum in it."""
    node = json.loads(content)
    _place(node)[SEAL] = _digest(node)
    return (json.dumps(node, indent=2, ensure_ascii=False) + "\n").encode()


def broken_seal(content: bytes) -> str:
    """What is wrong with a sealed file, "" where it is as it was written."""
    try:
        node = json.loads(content)
        told = _place(node).pop(SEAL)
        return "" if told == _digest(node) else "has changed since it was written: its checksum is another"
    except KeyError:
        return "has no checksum: it was changed, or written by an older paintpipe"
    except (ValueError, TypeError, AttributeError, RecursionError):
        return "is damaged: not the JSON that was written"


def unsealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without their checksum."""
    return {key: value for key, value in values.items() if key != SEAL}


def _place(node: dict[str, Any]) -> dict[str, Any]:
    place: dict[str, Any] = node["attributes"] if "zarr_format" in node else node
    return place


def _digest(node: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_json(node).encode()).hexdigest()
