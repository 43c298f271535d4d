"""Tables that are too large to hold: Parquet read by row group as rows are asked for, or the same in memory."""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from paintpipe.schemas.errors import StoreError


class Rows(Protocol):
    """A table's rows by number, and its columns as a stream."""

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        ...

    @property
    def num_rows(self) -> int:
        """How many."""
        ...

    def slice(self, start: int, stop: int, columns: list[str] | None = None) -> pa.Table:
        """Rows `start` to `stop` (exclusive), of some columns. Raises StoreError where they are damaged."""
        ...

    def scan(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """All rows in order, some thousand at a time. Raises StoreError where they are damaged."""
        ...


@dataclass(frozen=True)
class HeldRows:
    """Rows in memory; a pickle holds these rows alone, compressed, and not what they were sliced from."""

    table: pa.Table

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self.table.schema

    @property
    def num_rows(self) -> int:
        """How many."""
        count: int = self.table.num_rows
        return count

    def slice(self, start: int, stop: int, columns: list[str] | None = None) -> pa.Table:
        """See `Rows.slice`."""
        rows = self.table.slice(start, stop - start)
        return rows if columns is None else rows.select(columns)

    def scan(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """See `Rows.scan`."""
        yield self.slice(0, self.num_rows, columns)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpack, _pack(self.table)


class RowGroups:
    """A Parquet file whose row groups are read when asked for; safe for several threads.

    The file stays open: one that is replaced meanwhile goes on being read as it was. Opening reads the footer alone, so
    that damage of a row group is told when it is read; pages are checked against their CRC where they have one.

    Args:
        path: the file.
        held: row groups kept in memory as they were decoded, those used last.

    Raises:
        FileNotFoundError: there is no such file.
        StoreError: the footer is damaged.
    """

    def __init__(self, path: Path, held: int = 4) -> None:
        import pyarrow.parquet as pq

        if not path.is_file():
            raise FileNotFoundError(str(path))
        self.path = path
        self._most = held
        self._held: OrderedDict[int, pa.Table] = OrderedDict()
        self._lock = threading.Lock()
        try:
            self._file = pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False)
            self.schema: pa.Schema = self._file.schema_arrow
            about = self._file.metadata
            sizes = [about.row_group(group).num_rows for group in range(about.num_row_groups)]
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _damaged(error, path) from error
        self._starts = [0]
        for size in sizes:
            self._starts.append(self._starts[-1] + size)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self._most)

    @property
    def num_rows(self) -> int:
        """How many, as the footer says."""
        return self._starts[-1]

    def slice(self, start: int, stop: int, columns: list[str] | None = None) -> pa.Table:
        """See `Rows.slice`. Decodes the row groups that hold them; a long run of some columns, those columns alone."""
        groups = range(self._group(start), self._group(stop - 1) + 1) if start < stop else range(0)
        whole = columns is None or len(groups) <= self._most
        parts = []
        for group in groups:
            rows = self._decoded(group) if whole else self.read_group(group, columns)
            first = max(start - self._starts[group], 0)
            parts.append(rows.slice(first, stop - self._starts[group] - first))
        table = pa.concat_tables(parts) if parts else self.schema.empty_table()
        return table if columns is None else table.select(columns)

    def scan(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """See `Rows.scan`. One row group at a time, none of which is kept."""
        for group in range(len(self._starts) - 1):
            yield self.read_group(group, columns)

    def _group(self, row: int) -> int:
        return bisect_right(self._starts, row) - 1

    def _decoded(self, group: int) -> pa.Table:
        with self._lock:
            if group in self._held:
                self._held.move_to_end(group)
                return self._held[group]
        rows = self.read_group(group)
        with self._lock:
            self._held[group] = rows
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return rows

    def read_group(self, group: int, columns: list[str] | None = None) -> pa.Table:
        """The rows of one row group. Raises StoreError where it is damaged."""
        try:
            with self._lock:
                rows = self._file.read_row_group(group, columns=columns, use_threads=False)
            rows.validate()
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _damaged(error, self.path) from error
        if rows.num_rows != self._starts[group + 1] - self._starts[group]:
            raise StoreError("can't be read (a row group is cut short)", where=str(self.path))
        return rows


def _damaged(error: Exception, path: Path) -> StoreError:
    reason = " ".join(str(error).split())
    return StoreError(f"can't be read ({reason})", where=str(path), expected="a Parquet table")


def _pack(table: pa.Table) -> tuple[int, bytes]:
    """Arrow IPC and its size, compressed as one: ten times as fast as buffer by buffer, and a quarter smaller."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    plain = sink.getvalue()
    return plain.size, pa.Codec("zstd").compress(plain, asbytes=True)


def _unpack(size: int, packed: bytes) -> HeldRows:
    with pa.ipc.open_stream(pa.Codec("zstd").decompress(packed, size)) as stream:
        return HeldRows(stream.read_all())
