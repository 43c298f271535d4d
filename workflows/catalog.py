"""A catalog on disk: written whole by ingest, opened by every other job."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from paintpipe.pipeline.tables import read_parquet
from paintpipe.schemas.catalog import (
    BOXES,
    CATALOG_FORMAT,
    FRAMES,
    IMAGES,
    REJECTED,
    BoxRow,
    DatasetInfo,
    FrameRow,
    ImageRow,
    row_from_dict,
)
from paintpipe.schemas.errors import WorkspaceError

TABLES = {"frames": FRAMES, "images": IMAGES, "boxes": BOXES, "rejected": REJECTED}
Spans = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Catalog:
    """The tables of one dataset, and where each sequence lies in them."""

    info: DatasetInfo
    tables: dict[str, pa.Table]
    spans: dict[str, Spans] = field(default_factory=dict)

    @property
    def sequences(self) -> list[str]:
        """Names in catalog order."""
        return list(self.spans["frames"])

    def frame_counts(self) -> dict[str, int]:
        """Frames by sequence."""
        return {name: stop - start for name, (start, stop) in self.spans["frames"].items()}

    def column(self, table: str, sequence: str, name: str) -> list[Any]:
        """One column of a sequence's rows."""
        start, stop = self.spans[table].get(sequence, (0, 0))
        values: list[Any] = self.tables[table].column(name).slice(start, stop - start).to_pylist()
        return values

    def frames(self, sequence: str, start: int, stop: int) -> list[FrameRow]:
        """Frames `start` to `stop` (exclusive) of a sequence."""
        return [row_from_dict(FrameRow, row) for row in self.raw_rows("frames", sequence, start, stop)]

    def images(self, sequence: str, start: int, stop: int) -> list[ImageRow]:
        """All images of those frames, in order of frame and camera."""
        return [row_from_dict(ImageRow, row) for row in self.raw_rows("images", sequence, start, stop)]

    def boxes(self, sequence: str, start: int, stop: int) -> list[BoxRow]:
        """All boxes of those frames."""
        return [row_from_dict(BoxRow, row) for row in self.raw_rows("boxes", sequence, start, stop)]

    def raw_rows(self, table: str, sequence: str, start: int, stop: int) -> list[dict[str, Any]]:
        """Rows of a table for frames `start` to `stop` of a sequence, as dicts."""
        first, last = self.spans[table].get(sequence, (0, 0))
        index = np.asarray(self.tables[table].column("index").slice(first, last - first))
        low, high = np.searchsorted(index, [start, stop])
        rows: list[dict[str, Any]] = self.tables[table].slice(first + int(low), int(high - low)).to_pylist()
        return rows

    def camera_names(self) -> tuple[str, ...]:
        """Every camera of the dataset, sorted."""
        return tuple(sorted(self.tables["images"].column("camera").unique().to_pylist()))

    def rows_digest(self, sequence: str, start: int, stop: int) -> str:
        """sha256 over the frame, image and box rows of a run of frames."""
        rows = [self.raw_rows(table, sequence, start, stop) for table in ("frames", "images", "boxes")]
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def open_catalog(folder: Path) -> Catalog:
    """The catalog in `folder`.

    Raises:
        WorkspaceError: there is none, or it was written by another version.
    """
    described = folder / "dataset.json"
    if not described.is_file():
        todo = "run `paintpipe ingest DATASET ROOT` first, or name the folder with --workspace"
        raise WorkspaceError("no catalog here", where=str(folder.parent.resolve()), todo=todo)
    info = DatasetInfo(**json.loads(described.read_text(encoding="utf-8")))
    if info.catalog_format != CATALOG_FORMAT:
        what = f"catalog format {info.catalog_format}"
        raise WorkspaceError(what, where=str(folder), expected=str(CATALOG_FORMAT), todo="run `paintpipe ingest` again")
    tables = {name: read_parquet(folder / f"{name}.parquet") for name in TABLES}
    return Catalog(info, tables, {name: _spans(tables[name]) for name in ("frames", "images", "boxes")})


def tables_digest(tables: dict[str, pa.Table]) -> str:
    """sha256 over the content of the tables, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tables):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, tables[name].schema) as stream:
            stream.write_table(tables[name].combine_chunks())
        digest.update(sink.getvalue())
    return digest.hexdigest()


def info_json(info: DatasetInfo) -> dict[str, Any]:
    """What `dataset.json` holds."""
    return asdict(info)


def _spans(table: pa.Table) -> Spans:
    return dict(_runs(table.column("sequence").combine_chunks()))


def _runs(column: pa.Array) -> Iterator[tuple[str, tuple[int, int]]]:
    """(value, (start, stop)) of each run of equal values in a sorted column."""
    encoded = column.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = np.asarray(encoded.indices)
    edges = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)] if len(codes) else [0]
    for start, stop in pairwise(edges):
        yield encoded.dictionary[int(codes[start])].as_py(), (start, stop)
