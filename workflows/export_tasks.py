"""What a worker is told of one part of an export, and what it tells back."""

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from paintpipe.pipeline.changes import canonical_json
from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.shards import Shard
from paintpipe.schemas.errors import ExportError
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.export_plan import Part

OWN_FOLDER = ".paintpipe"
"""Where an export keeps its marks and what it knows of its frames."""
CARD_FILE = "paintpipe.json"


@dataclass(frozen=True)
class ExportTask:
    """A part, with the catalog's rows that it needs and no others.

    Attributes:
        part: which frames.
        inputs: of its mark.
        catalog: rows from the part's first frame to the end of its shard.
    """

    part: Part
    inputs: Mapping[str, Any]
    catalog: Catalog

    def __str__(self) -> str:
        shard = self.part.shard
        return f"{shard.sequence}, frames {shard.start} to {shard.stop - 1}"


@dataclass(frozen=True)
class PartDone:
    """What became of a part.

    Attributes:
        frames: exported, or checked.
        num_bytes: of its files.
        rejects: place of each frame that is left out → why.
        faults: what does not read back as it should, a line each; a part with any is not marked.
    """

    frames: int = 0
    num_bytes: int = 0
    rejects: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def facts_path(shard: Shard) -> str:
    """Where the facts of a part's frames lie in the export's folder."""
    return f"{OWN_FOLDER}/facts/{shard.sequence}/{shard.index:05d}.json"


def encode_facts(facts: Mapping[int, Mapping[str, Any]]) -> bytes:
    """Facts by frame index as JSON. Raises TypeError or ValueError where a target's facts are none."""
    return (canonical_json([[index, dict(known)] for index, known in sorted(facts.items())]) + "\n").encode()


def read_facts(out: Folder, shard: Shard) -> dict[int, Mapping[str, Any]]:
    """Facts by frame index of a part that is exported.

    Raises:
        ExportError: the file is gone or damaged.
    """
    path = facts_path(shard)
    try:
        return {int(index): known for index, known in json.loads(out.read(path))}
    except (OSError, ValueError, TypeError) as error:
        todo = "run the same command with --overwrite"
        raise ExportError(f"can't be read ({error})", where=out.where(path), todo=todo) from error


def check_path(path: str, where: str) -> str:
    """A path that a target made, if it lies in the export's folder and beside what is the engine's.

    Raises:
        ExportError: it is absolute, climbs, or is the engine's own.
    """
    parts = PurePosixPath(path).parts
    outside = not parts or path.startswith("/") or ".." in parts or "\0" in path or "\\" in path
    if outside or parts[0] == OWN_FOLDER or path == CARD_FILE or parts[-1].endswith(".partial"):
        raise ExportError(f"a file would be called {path!r}", where=where, expected="a name inside the export's folder")
    return path


def check_paths(paths: Iterable[str], taken: Container[str], where: str) -> None:
    """`check_path` for each, none of which is taken. Raises ExportError."""
    for path in paths:
        if check_path(path, where) in taken:
            raise ExportError(f"another frame has the file {path} too", where=where, todo="export them to two folders")
