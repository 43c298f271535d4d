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
        )
        return FrameExport({parquet_path(frame.row): sink.getvalue()})

    def finish(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> Mapping[str, bytes]:
        """The classes, their colours and their columns."""
        return {CLASSES_FILE: classes_table(facts)}

    def faults(self, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """The file's rows against the frame, bit by bit; checksums of its pages are looked at."""
        path = parquet_path(frame.row)
        with pq.ParquetFile(pa.BufferReader(read(path)), page_checksum_verification=True) as file:
            if file.num_row_groups != 1:
                yield f"{path}: {file.num_row_groups} row groups, expected 1"
            there = file.read(use_threads=False)  # parts are read at the same time already
        wanted = frame_table(frame, facts)
        if not there.schema.equals(wanted.schema):
            yield f"{path}: columns {there.schema.names}, expected {wanted.schema.names}"
            return
        for name in wanted.column_names:
            if not _same(there[name], wanted[name]):
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
    return pa.table(columns)


def _none(row: FrameRow, count: int) -> AnyArray:
    return np.full(count, row.timestamp_us is None)


def _repeated(text: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int32)), pa.array([text], pa.string()))


def _named(indices: AnyArray, absent: AnyArray, names: tuple[str, ...]) -> pa.Array:
    places = pa.array(np.where(absent, 0, indices).astype(np.int32), mask=absent)
    return pa.DictionaryArray.from_arrays(places, pa.array(names, pa.string()))


def _same(there: pa.ChunkedArray, wanted: pa.ChunkedArray) -> bool:
    """Equality in which a NaN equals itself, and 0 does not equal -0."""
    if pa.types.is_dictionary(wanted.type):
        return bool((_codes(there, wanted) == _codes(wanted, wanted)).all())
    if pa.types.is_floating(wanted.type):
        return there.null_count == 0 and there.to_numpy().tobytes() == wanted.to_numpy().tobytes()
    return bool(there.equals(wanted))


def _codes(column: pa.ChunkedArray, wanted: pa.ChunkedArray) -> AnyArray:
    """(N,) places in `wanted`'s dictionary, -1 for null and -2 for a word that is not in it.

    Parquet keeps the words that occur, in an order of its own.
    """
    places = {word: place for place, word in enumerate(wanted.chunk(0).dictionary.to_pylist())} if len(wanted) else {}
    found = [np.zeros(0, dtype=np.int64)]
    for chunk in column.chunks:
        own = np.array([places.get(word, -2) for word in chunk.dictionary.to_pylist()] + [-1])
        found.append(own[chunk.indices.fill_null(len(own) - 1).to_numpy(zero_copy_only=False)])
    return np.concatenate(found)
