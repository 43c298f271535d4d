"""A catalog on disk: written whole by ingest, opened by every other job."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from paintpipe.pipeline.tables import read_json, read_parquet
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
from paintpipe.schemas.errors import PaintpipeError, WorkspaceError

TABLES = {"frames": FRAMES, "images": IMAGES, "boxes": BOXES, "rejected": REJECTED}
OLD = "catalog.old.partial"
"""Where ingest puts the catalog that it replaces, beside it, until the new one is in place."""
AGAIN = "run `paintpipe ingest` again"
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
        WorkspaceError: there is none, it is damaged, or it was written by another version.
    """
    if not folder.exists():
        raise _absent(folder)
    info = _read_info(folder / "dataset.json")
    tables = {name: _read_table(folder / f"{name}.parquet", schema) for name, schema in TABLES.items()}
    for name, table in tables.items():
        if table.num_rows != info.counts[name]:
            what, expected = f"{table.num_rows} rows", f"{info.counts[name]}, as dataset.json says"
            raise WorkspaceError(what, where=str(folder / f"{name}.parquet"), expected=expected, todo=AGAIN)
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


def _absent(folder: Path) -> WorkspaceError:
    where = str(folder.parent.resolve())
    if folder.with_name(OLD).exists():
        return WorkspaceError("ingest was stopped while it replaced the catalog", where=where, todo=AGAIN)
    todo = "run `paintpipe ingest DATASET ROOT` first, or name the folder with --workspace"
    return WorkspaceError("no catalog here", where=where, todo=todo)


def _read_info(path: Path) -> DatasetInfo:
    try:
        found = read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise WorkspaceError(f"the catalog is damaged ({_reason(error)})", where=str(path), todo=AGAIN) from error
    version = found.get("catalog_format") if isinstance(found, dict) else None
    if isinstance(version, int) and version != CATALOG_FORMAT:
        what = f"catalog format {version}"
        raise WorkspaceError(what, where=str(path), expected=str(CATALOG_FORMAT), todo=AGAIN)
    if not isinstance(found, dict) or not _describes(found):
        what, expected = "the catalog is damaged (other fields)", "what `paintpipe ingest` wrote"
        raise WorkspaceError(what, where=str(path), expected=expected, todo=AGAIN)
    return DatasetInfo(**found)


def _describes(found: dict[str, Any]) -> bool:
    """Whether these are the fields of a DatasetInfo, each of its type."""
    kinds: dict[str, Any] = dict.fromkeys(("dataset", "version", "root", "digest"), str)
    kinds |= dict.fromkeys(("labels_taxonomy", "boxes_taxonomy"), str | None)
    kinds |= {"synthetic": bool, "counts": dict, "options": dict, "catalog_format": int}
    if found.keys() != {item.name for item in fields(DatasetInfo)}:
        return False
    counts = found["counts"]
    return all(isinstance(found[name], kind) for name, kind in kinds.items()) and all(
        isinstance(counts.get(name), int) for name in (*TABLES, "sequences", "points")
    )


def _read_table(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        table = read_parquet(path)
    except OSError as error:
        raise WorkspaceError(f"the catalog is damaged ({_reason(error)})", where=str(path), todo=AGAIN) from error
    if not table.schema.equals(schema, check_metadata=False):
        what, expected = "the catalog is damaged (other columns)", f"the table of {path.stem}"
        raise WorkspaceError(what, where=str(path), expected=expected, todo=AGAIN)
    return table


def _reason(error: Exception) -> str:
    if isinstance(error, PaintpipeError):
        return error.what
    return "no such file" if isinstance(error, FileNotFoundError) else getattr(error, "strerror", None) or str(error)


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
