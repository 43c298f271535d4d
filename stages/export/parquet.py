"""`--to parquet`: painted points as tables for DuckDB, Polars, pandas and Spark.

Hive's layout: `points/split=train/sequence=00/000000.parquet`, a file and in it one row group for each frame, a row
for each point. `classes.csv` names what `label` counts in.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from paintpipe.schemas.arrays import UNPAINTED, AnyArray
from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings, FrameExport
from paintpipe.stages.export.classes_table import CLASSES_FILE, classes_table
from paintpipe.stages.export.frame_names import file_name
from paintpipe.stages.export.options import flags
from paintpipe.stages.export.target import DoneFrame, ReadFile

SCORE = "score_"
"""What the names of score columns begin with."""
_NULLABLE = ("timestamp_us", "class", "camera")
"""Columns that may lack a value; those that never do are `required`, which halves the time of writing and reading."""
_BATCH_ROWS = 1 << 16
"""Encoded at a time: Arrow's usual 1,024 cost a tenth of the writing."""


@dataclass(frozen=True)
class ParquetTarget:
    """See `FrameTarget`."""

    name: str = "parquet"
    keyframes_only: bool = False

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        """The layer's own classes, all of them; raises ConfigError for sweeps."""
        return settle_points(settings, self.name)

    def frame_path(self, row: FrameRow, facts: ExportFacts) -> str:
        """See `FrameTarget.frame_path`."""
        return parquet_path(row)

    def export(self, frame: ExportFrame, facts: ExportFacts) -> FrameExport:
        """The frame's table as one file."""
        sink = io.BytesIO()
        pq.write_table(
            frame_table(frame, facts),
            sink,
            row_group_size=max(1, len(frame.points)),
            compression="lz4",
            use_dictionary=["frame_id", "class", "camera"],
            write_statistics=True,
            write_page_checksum=True,
            write_batch_size=_BATCH_ROWS,
        )
        return FrameExport({parquet_path(frame.row): sink.getvalue()})

    def finish(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> Mapping[str, bytes]:
        """The classes, their colours and their columns."""
        return {CLASSES_FILE: classes_table(facts)}

    def faults(self, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """The file's rows against the frame, bit by bit; checksums of its pages are looked at."""
        path, columns = parquet_path(frame.row), _columns(frame, facts)
        source = pa.BufferReader(read(path))
        # Parts are read at the same time already, and all of the file is in memory.
        with pq.ParquetFile(source, page_checksum_verification=True, pre_buffer=False) as file:
            if file.num_row_groups != 1:
                yield f"{path}: {file.num_row_groups} row groups, expected 1"
            there = file.read(use_threads=False)
        wanted = frame_table(_no_points(frame), facts).schema
        if not there.schema.equals(wanted):
            yield f"{path}: columns {there.schema.names}, expected {wanted.names}"
        elif len(there) != len(frame.points):
            yield f"{path}: {len(there)} rows, expected {len(frame.points)}"
        else:
            for name, column in columns:
                if not _same(there[name], column):
                    yield f"{path}: column {name} differs"

    def finish_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """The classes as they are."""
        if read(CLASSES_FILE) != classes_table(facts):
            yield f"{CLASSES_FILE}: other classes"


def settle_points(settings: ExportSettings, target: str) -> ExportSettings:
    """Settings of a target that holds whatever points there are, without sweeps. Raises ConfigError."""
    flags(settings, {}, target)
    if settings.sweeps:
        todo = "paint the sweeps as frames: they are exported like any other"
        raise ConfigError(f"--sweeps does nothing with --to {target}", todo=todo)
    return replace(settings, background="keep" if settings.background == "auto" else settings.background, sweeps=0)


def parquet_path(row: FrameRow) -> str:
    """Where a frame's table lies. Raises ExportError for a frame whose name can't name a file."""
    return f"points/split={row.split}/sequence={row.sequence}/{file_name(row)}.parquet"


def frame_table(frame: ExportFrame, facts: ExportFacts) -> pa.Table:
    """A row a point: frame, point, features, scores, label, class, camera, flags.

    `point` counts rows of the point file, and is left out where only those in view are kept.
    """
    count, row = len(frame.points), frame.row
    columns: dict[str, pa.Array] = {
        "frame": pa.array(np.full(count, row.index, dtype=np.int32)),
        "frame_id": _repeated(row.frame_id, count),
        "timestamp_us": pa.array(np.full(count, row.timestamp_us or 0), pa.int64(), mask=_none(row, count)),
    }
    if not facts.settings.fov_only:
        columns["point"] = pa.array(np.arange(count, dtype=np.int32))
    columns |= {name: pa.array(frame.points[:, at]) for at, name in enumerate(facts.features)}
    columns |= {SCORE + name: pa.array(frame.scores[:, at]) for at, name in enumerate(facts.channels)}
    columns["label"] = pa.array(frame.label)
    columns["class"] = _named(frame.label, frame.label == UNPAINTED, facts.taxonomy.classes)
    columns["camera"] = _named(frame.camera, frame.camera < 0, facts.camera_names)
    columns["flags"] = pa.array(frame.flags)
    fields = [pa.field(name, column.type, nullable=name in _NULLABLE) for name, column in columns.items()]
    return pa.table(list(columns.values()), schema=pa.schema(fields))


def _none(row: FrameRow, count: int) -> AnyArray:
    return np.full(count, row.timestamp_us is None)


def _repeated(text: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int32)), pa.array([text], pa.string()))


def _named(indices: AnyArray, absent: AnyArray, names: tuple[str, ...]) -> pa.Array:
    places = pa.array(np.where(absent, 0, indices).astype(np.int32), mask=absent)
    return pa.DictionaryArray.from_arrays(places, pa.array(names, pa.string()))


@dataclass(frozen=True)
class _Words:
    """A column of words: (N,) places in `words`, below 0 where there is none."""

    places: AnyArray
    words: tuple[str, ...]


_Column = AnyArray | _Words | None
"""What a column must hold, told by the frame's own arrays; None for nothing but nulls."""


def _columns(frame: ExportFrame, facts: ExportFacts) -> Iterator[tuple[str, _Column]]:
    """What `frame_table` holds, told without a table."""
    count, row = len(frame.points), frame.row
    yield "frame", np.full(count, row.index, dtype=np.int32)
    yield "frame_id", _Words(np.zeros(count, dtype=np.int32), (row.frame_id,))
    yield "timestamp_us", None if row.timestamp_us is None else np.full(count, row.timestamp_us)
    if not facts.settings.fov_only:
        yield "point", np.arange(count, dtype=np.int32)
    yield from zip(facts.features, frame.points.T, strict=True)
    yield from zip((SCORE + name for name in facts.channels), frame.scores.T, strict=True)
    yield "label", frame.label
    yield "class", _Words(np.where(frame.label == UNPAINTED, np.int16(-1), frame.label), facts.taxonomy.classes)
    yield "camera", _Words(frame.camera, facts.camera_names)
    yield "flags", frame.flags


def _no_points(frame: ExportFrame) -> ExportFrame:
    """The frame without its points: its table has the same columns."""
    arrays = {name: getattr(frame, name)[:0] for name in ("points", "scores", "label", "camera", "flags")}
    return replace(frame, **arrays)


def _same(there: pa.ChunkedArray, wanted: _Column) -> bool:
    """Equality of bits: a NaN equals itself, and 0 does not equal -0."""
    if wanted is None:
        return bool(there.null_count == len(there))
    if isinstance(wanted, _Words):
        return np.array_equal(_places(there, wanted.words), np.maximum(wanted.places, -1))
    found = there.to_numpy()
    if there.null_count or found.dtype != wanted.dtype:
        return False
    bits = f"u{wanted.itemsize}"
    return np.array_equal(found.view(bits), wanted.view(bits))


def _places(column: pa.ChunkedArray, words: tuple[str, ...]) -> AnyArray:
    """(N,) places in `words`, -1 for null and -2 for a word that is not among them.

    Parquet keeps the words that occur, in an order of its own.
    """
    places = {word: place for place, word in enumerate(words)}
    found = [np.zeros(0, dtype=np.int16)]
    for chunk in column.chunks:
        own = [places.get(word, -2) for word in chunk.dictionary.to_pylist()]
        table = np.array([*own, -1], dtype=np.int16)
        found.append(table[chunk.indices.fill_null(len(own)).to_numpy(zero_copy_only=False)])
    return np.concatenate(found)
