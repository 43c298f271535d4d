"""Writing a catalog's tables while its sequences are read."""

from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from types import TracebackType

from paintpipe.pipeline.faults import write_error
from paintpipe.pipeline.row_groups import Rows
from paintpipe.pipeline.row_writer import RowWriter
from paintpipe.schemas.catalog import RejectedRow, SequenceRows, rows_to_table
from paintpipe.workflows.catalog_files import TABLES, open_table, table_path
from paintpipe.workflows.counted import FIRST_REJECTS


class CatalogWriter:
    """The tables of a catalog, in a new folder; on leaving without an error they are durable.

    Needs memory for one sequence, however many there are.

    Args:
        folder: is created.

    Attributes:
        counts: rows of each table, `sequences` that have frames, and `points` of all frames.
        rejected: the first of the rejected rows, to be told; all of them are in the table.

    Raises:
        StoreError: the disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        self.counts = dict.fromkeys((*TABLES, "sequences", "points"), 0)
        self.rejected: list[RejectedRow] = []
        self._folder = folder
        self._last = ""
        self._files = ExitStack()

    def __enter__(self) -> "CatalogWriter":
        try:
            self._folder.mkdir(parents=True)
        except OSError as error:
            raise write_error(error, self._folder) from error
        with ExitStack() as files:
            paths = {name: table_path(self._folder, name) for name in TABLES}
            self._writers = {name: files.enter_context(RowWriter(paths[name], TABLES[name])) for name in TABLES}
            self._files = files.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.__exit__(kind, error, trace)

    def add(self, rows: SequenceRows) -> None:
        """Append what was found in one sequence, all of it or a run of its frames. Raises StoreError."""
        for name, schema in TABLES.items():
            found = getattr(rows, name)
            self.counts[name] += len(found)
            self._writers[name].add(rows_to_table(found, schema))
        self.counts["points"] += sum(frame.num_points for frame in rows.frames)
        if rows.frames and rows.frames[0].sequence != self._last:
            self.counts["sequences"] += 1
            self._last = rows.frames[0].sequence
        self.rejected += islice(rows.rejected, FIRST_REJECTS - len(self.rejected))

    def tables(self) -> dict[str, Rows]:
        """What was written, read back."""
        return {name: open_table(table_path(self._folder, name), schema) for name, schema in TABLES.items()}
