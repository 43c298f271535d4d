"""Creating a store's metadata once, and refusing to go on where it is there and says something else."""

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from paintpipe.pipeline.changes import explain_change
from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.seal import SEAL
from paintpipe.schemas.errors import StoreError

_TODO = "paint into another layer or workspace, or start this one afresh with --overwrite"
_MAY_DIFFER = ("versions", SEAL)


def create_or_match(root: Folder, files: Mapping[str, bytes]) -> None:
    """Publish those metadata files that are absent; the others must say the same.

    A run that was killed in mid-creation is completed so. JSON files are compared by value, leaving out the attribute
    `versions` and the checksum; others byte by byte.

    Raises:
        StoreError: a file says something else, or the disk refuses.
    """
    absent: dict[str, bytes] = {}
    for (path, content), existing in zip(files.items(), root.read_many(files), strict=True):
        if existing is None:
            absent[path] = content
        elif existing != content:
            _match(PurePosixPath(path), root.where(path), existing, content)
    if absent:
        root.publish(absent)


def _match(path: PurePosixPath, where: str, existing: bytes, content: bytes) -> None:
    if path.suffix != ".json":
        name = path.parents[1].name if path.parent.name == "c" else path.stem
        raise StoreError(f"{name} differs from what is to be painted now", where=where, todo=_TODO)
    try:
        old = dict(_without_versions(json.loads(existing)))
    except (ValueError, TypeError, RecursionError) as error:
        raise StoreError("damaged metadata", where=where, expected="JSON", todo=_TODO) from error
    change = explain_change(old, dict(_without_versions(json.loads(content))))
    if change:
        raise StoreError(f"was made otherwise: {change}", where=where, todo=_TODO)


def _without_versions(node: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if key == "attributes" and isinstance(value, dict):
            yield key, {name: item for name, item in value.items() if name not in _MAY_DIFFER}
        elif key != SEAL:
            yield key, value
