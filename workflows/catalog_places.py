"""Where each frame's rows lie in a catalog's tables."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from paintpipe.pipeline.row_groups import Rows
from paintpipe.schemas.errors import WorkspaceError

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """The frames of one sequence.

    Attributes:
        offset: row of the first of them in the table of frames.
        first: its index in the sequence; 0 but in a part of a catalog.
        count: how many.
    """

    offset: int
    first: int
    count: int


class Places:
    """Where the rows of frames lie in tables that are sorted by sequence and index, as ingest writes them.

    The frames' order is read on creation, where the rows of another table lie when it is first asked for: 8 bytes a
    frame and table, whatever the number of images.

    Args:
        tables: `frames`, and others with columns `sequence` and `index`.

    Raises:
        WorkspaceError: the frames are not sorted.
    """

    def __init__(self, tables: Mapping[str, Rows]) -> None:
        self._tables = tables
        self._lock = threading.Lock()
        self._starts: dict[str, Int64] = {}
        self.runs = _runs(tables["frames"])
        self._num_frames = sum(run.count for run in self.runs.values())

    def __reduce__(self) -> tuple[Any, ...]:
        return Places, (self._tables,)

    def span(self, table: str, sequence: str, start: int = 0, stop: int | None = None) -> tuple[int, int]:
        """(first, last + 1) row of a table for frames `start` to `stop` (exclusive; None: the end) of a sequence."""
        run = self.runs.get(sequence, Run(0, 0, 0))
        low = run.offset + min(max(start - run.first, 0), run.count)
        high = run.offset + run.count if stop is None else run.offset + min(max(stop - run.first, 0), run.count)
        if table == "frames":
            return low, max(low, high)
        starts = self.starts(table)
        return int(starts[low]), int(starts[max(low, high)])

    def starts(self, table: str) -> Int64:
        """(frames + 1,) first row of each frame in a table, in order of the table of frames, and its end.

        Raises:
            WorkspaceError: the table's rows are not in the frames' order.
        """
        with self._lock:
            if table not in self._starts:
                counts = _rows_of_frames(self._tables[table], self.runs, self._num_frames, table)
                self._starts[table] = np.concatenate([[0], np.cumsum(counts)])
            return self._starts[table]


def _runs(frames: Rows) -> dict[str, Run]:
    found: dict[str, Run] = {}
    last, offset = "", 0
    for rows in frames.scan(["sequence", "index"]):
        names, codes, index = _columns(rows)
        edges = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)] if len(codes) else []
        for start, stop in pairwise(edges):
            name = names[int(codes[start])]
            if name not in found:
                found[name] = Run(offset + start, int(index[start]), 0)
            run = found[name]
            first = run.first + run.count
            whole = np.array_equal(index[start:stop], np.arange(first, first + stop - start))
            if not whole or (run.count and name != last):
                raise _unsorted("frames", name)
            last, found[name] = name, Run(run.offset, run.first, run.count + stop - start)
        offset += len(codes)
    return found


def _rows_of_frames(table: Rows, runs: Mapping[str, Run], num_frames: int, what: str) -> Int64:
    """(frames,) rows of each frame."""
    counts = np.zeros(num_frames, dtype=np.int64)
    last = 0
    for names, codes, index in map(_columns, table.scan(["sequence", "index"])):
        if not len(codes):
            continue
        absent = next((name for name in names if name not in runs), None)
        if absent is not None:
            raise _unsorted(what, absent)
        there = [runs[name] for name in names]
        shift, low, high = np.array([(run.offset - run.first, run.offset, run.offset + run.count) for run in there])[
            codes
        ].T
        frame = shift + index
        wrong = (frame < low) | (frame >= high) | (np.diff(frame, prepend=last) < 0)
        if wrong.any():
            raise _unsorted(what, names[int(codes[wrong.argmax()])])
        last = int(frame[-1])
        counts[frame[0] : last + 1] += np.bincount(frame - frame[0])
    return counts


def _columns(rows: pa.Table) -> tuple[list[str], Int64, Int64]:
    """The names of sequences in these rows; of each row, the number of its name and its frame's index."""
    encoded = rows.column("sequence").dictionary_encode().unify_dictionaries()
    codes = pa.chunked_array([chunk.indices for chunk in encoded.chunks], pa.int32())
    names = encoded.chunk(0).dictionary.to_pylist() if encoded.num_chunks else []
    return names, whole_numbers(codes), whole_numbers(rows.column("index"))


def whole_numbers(column: pa.ChunkedArray) -> Int64:
    """(rows,) the integers of a column without nulls; Arrow's own `to_numpy` imports pandas, half a second for nothing.

    Raises:
        WorkspaceError: a null among them.
    """
    if column.null_count:
        raise WorkspaceError("the catalog is damaged (a number is missing)", todo="run `paintpipe ingest` again")
    return np.concatenate([np.zeros(0, np.int64), *(np.from_dlpack(chunk).astype(np.int64) for chunk in column.chunks)])


def _unsorted(table: str, sequence: str) -> WorkspaceError:
    what = "the catalog is damaged (its rows are not in order)"
    return WorkspaceError(what, where=f"{table} of sequence {sequence}", todo="run `paintpipe ingest` again")
