"""Writing a Parquet table that grows: row groups of one size, whatever the pieces it came in."""

import os
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from paintpipe.pipeline.faults import write_error

ROWS_PER_GROUP = 1024
"""Measured on 41,000 image rows as nuScenes has them: a row group is read in 1 ms and holds 0.7 MB decoded, and the six
million images of a million frames have a footer of 12 MB. Smaller ones cost footer, larger ones memory where a table is
written, and every look at a frame."""
_PAGE_BYTES = 1 << 16
"""Arrow's default of 1 MiB makes writing a row group keep three times as much memory; reading one takes no longer."""


class RowWriter:
    """Writes a table's rows as they come, as a context manager; on leaving without an error the file is durable.

    The same rows give the same bytes, however they were handed in. Needs memory for one row group.

    Args:
        path: a new file; its folder exists.
        schema: of every table that is added.

    Raises:
        StoreError: the disk is full, read-only or refuses.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self.num_rows = 0
        self._path, self._schema, self._waiting = path, schema, schema.empty_table()
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise write_error(error, path) from error
        # A dictionary of matrices is built in vain and makes files a quarter larger.
        plain = [field.name for field in schema if not pa.types.is_list(field.type)]
        self._writer = pq.ParquetWriter(
            self._file,
            schema,
            compression="zstd",
            use_dictionary=plain,
            write_page_checksum=True,
            data_page_size=_PAGE_BYTES,
            memory_pool=pa.system_memory_pool(),  # Arrow's own pool keeps 20 MB of what encoding a row group took
        )

    def __enter__(self) -> "RowWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._file, self._writer:
                if kind is None:
                    self._finish()
        except OSError as fault:
            raise write_error(fault, self._path) from fault

    def add(self, table: pa.Table) -> None:
        """Append rows. Raises StoreError."""
        self.num_rows += table.num_rows
        self._waiting = pa.concat_tables([self._waiting, table])
        try:
            while self._waiting.num_rows >= ROWS_PER_GROUP:
                self._write(self._waiting.slice(0, ROWS_PER_GROUP))
                self._waiting = self._waiting.slice(ROWS_PER_GROUP)
        except OSError as error:
            raise write_error(error, self._path) from error

    def _finish(self) -> None:
        if self._waiting.num_rows:
            self._write(self._waiting)
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())

    def _write(self, rows: pa.Table) -> None:
        # Bytes depend on how rows are chunked unless they are put together first.
        self._writer.write_table(rows.combine_chunks(pa.system_memory_pool()), row_group_size=ROWS_PER_GROUP)
