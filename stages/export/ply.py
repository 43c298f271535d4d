"""`--to ply`: a binary PLY file a frame, coloured by class, for CloudCompare, MeshLab, Open3D and Blender.

Format: Greg Turk, "The PLY Polygon File Format" (1994), binary little-endian; one element `vertex` with everything that
the store has of a point, bit by bit. A header of text and the rows as they lie in memory: that needs no library.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings, FrameExport
from paintpipe.stages.export.classes_table import CLASSES_FILE, classes_table
from paintpipe.stages.export.frame_names import file_name
from paintpipe.stages.export.parquet import SCORE, settle_points
from paintpipe.stages.export.records import side_by_side
from paintpipe.stages.export.target import DoneFrame, ReadFile

_KINDS = {"<f4": "float", "|u1": "uchar", "|i1": "char"}
_END = b"\nend_header\n"


@dataclass(frozen=True)
class PlyTarget:
    """See `FrameTarget`."""

    name: str = "ply"
    keyframes_only: bool = False

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        """The layer's own classes, all of them; raises ConfigError for sweeps."""
        return settle_points(settings, self.name)

    def frame_path(self, row: FrameRow, facts: ExportFacts) -> str:
        """See `FrameTarget.frame_path`."""
        return ply_path(row)

    def export(self, frame: ExportFrame, facts: ExportFacts) -> FrameExport:
        """The frame as one file."""
        table = vertex_table(frame, facts)
        return FrameExport({ply_path(frame.row): b"".join((_header(frame, facts, table), table.view(np.uint8)))})

    def finish(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> Mapping[str, bytes]:
        """The classes and their colours."""
        return {CLASSES_FILE: classes_table(facts)}

    def faults(self, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """The file by its header, every column as it is."""
        path, wanted = ply_path(frame.row), vertex_table(frame, facts)
        content = read(path)
        end = content.find(_END)
        rows = np.frombuffer(content, np.uint8)[end + len(_END) :]  # the points are not copied
        if end < 0 or _declared(content[:end]) != (len(wanted), wanted.dtype):
            yield f"{path}: the header does not tell of {len(wanted)} points with {', '.join(wanted.dtype.names)}"
        elif len(rows) != wanted.nbytes:
            yield f"{path}: {len(rows)} bytes of points, expected {wanted.nbytes}"
        elif not np.array_equal(rows, wanted.view(np.uint8)):
            there = rows.view(wanted.dtype)
            names = [name for name in wanted.dtype.names if there[name].tobytes() != wanted[name].tobytes()]
            yield f"{path}: column {', '.join(names)} differs"

    def finish_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """The classes as they are."""
        if read(CLASSES_FILE) != classes_table(facts):
            yield f"{CLASSES_FILE}: other classes"


def ply_path(row: FrameRow) -> str:
    """Where a frame's file lies. Raises ExportError for a frame whose name can't name a file."""
    return f"{row.sequence}/{file_name(row)}.ply"


def vertex_table(frame: ExportFrame, facts: ExportFacts) -> Any:
    """(N,) structured array: features, red green blue, score_<class>, label, camera, flags.

    Raises:
        ExportError: two columns would have the same name.
    """
    blocks: list[tuple[list[str], AnyArray]] = [
        (list(facts.features), frame.points),
        (["red", "green", "blue"], facts.taxonomy.palette()[frame.label]),
        ([SCORE + name for name in facts.channels], frame.scores),
        *(([name], getattr(frame, name)[:, np.newaxis]) for name in ("label", "camera", "flags")),
    ]
    blocks = [([_word(name) for name in names], values) for names, values in blocks]
    names = [name for block, _ in blocks for name in block]
    if len(set(names)) < len(names):
        raise ExportError("two columns would have the same name", where=", ".join(names), todo="name other --classes")
    table = np.empty(len(frame.points), dtype=[(name, values.dtype.str) for block, values in blocks for name in block])
    for block, values in blocks:
        side_by_side(table, block[0], len(block))[:] = values
    return table


def _word(name: str) -> str:
    """A name as one word of a PLY header, which is ASCII and split at spaces."""
    return re.sub(r"[^!-~]", "_", name)


def _header(frame: ExportFrame, facts: ExportFacts, table: Any) -> bytes:
    classes = [f"comment label {label} {_word(name)}" for label, name in enumerate(facts.taxonomy.classes)]
    properties = [f"property {_KINDS[table.dtype[name].str]} {name}" for name in table.dtype.names]
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment frame {_word(frame.row.frame_id)} of {_word(frame.row.sequence)}",
        *classes,
        f"element vertex {len(table)}",
        *properties,
    ]
    return "\n".join(lines).encode("ascii") + _END


def _declared(head: bytes) -> tuple[int, Any]:
    """How many points a header tells of, and their columns. Raises ValueError, LookupError for what is no header."""
    words = [line.split() for line in head.decode("ascii").splitlines()]
    if words[:2] != [["ply"], ["format", "binary_little_endian", "1.0"]]:
        raise ValueError("not a binary little-endian PLY file")
    kinds = {word: kind for kind, word in _KINDS.items()}
    columns = [(line[2], kinds[line[1]]) for line in words if line[:1] == ["property"]]
    counts = [int(line[2]) for line in words if line[:2] == ["element", "vertex"]]
    return counts[0], np.dtype(columns)
