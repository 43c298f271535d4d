"""A catalog on disk: written whole by ingest, opened by every other job, read as far as a job looks at it."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from paintpipe.pipeline.row_groups import HeldRows, Rows
from paintpipe.pipeline.shards import Shard, ShardCost
from paintpipe.schemas.catalog import BoxRow, DatasetInfo, FrameRow, ImageRow, row_from_dict
from paintpipe.schemas.errors import WorkspaceError
from paintpipe.workflows.catalog_files import AGAIN, TABLES, absent, open_table, read_info, table_path
from paintpipe.workflows.catalog_places import Places, whole_numbers

OF_FRAMES = ("frames", "images", "boxes")
"""The tables whose rows belong to a frame."""


@dataclass(frozen=True)
class Catalog:
    """The tables of one dataset, and where each frame's rows lie in them.

    Every method that reads rows raises WorkspaceError where they are damaged.

    Attributes:
        info: what `dataset.json` says.
        tables: by name; of a catalog on disk, read by row group as rows are asked for.
        places: where each frame's rows lie.
        labelled: of a part, those of its sequences that have boxes, in the part or not; None for a whole catalog.
    """

    info: DatasetInfo
    tables: Mapping[str, Rows]
    places: Places
    labelled: tuple[str, ...] | None = None

    @property
    def sequences(self) -> list[str]:
        """Names in catalog order."""
        return list(self.places.runs)

    def frame_counts(self) -> dict[str, int]:
        """Frames by sequence."""
        return {name: run.count for name, run in self.places.runs.items()}

    def column(self, table: str, sequence: str, name: str, start: int = 0, stop: int | None = None) -> list[Any]:
        """One column of a sequence's rows, those of frames `start` to `stop` (exclusive; None: to the end)."""
        rows = self._rows(table, *self.places.span(table, sequence, start, stop), [name])
        values: list[Any] = rows.column(name).to_pylist()
        return values

    def part(self, sequence: str, start: int, stop: int) -> "Catalog":
        """A small catalog in memory with the rows of frames `start` to `stop` (exclusive) of a sequence alone.

        Rows keep their `index`, so that every method answers for those frames as this catalog does. Its pickle holds
        these rows and nothing else: it is what a task carries to a worker.
        """
        tables = {name: self._rows(name, *self.places.span(name, sequence, start, stop)) for name in OF_FRAMES}
        labelled = (sequence,) if self.has_boxes(sequence) else ()
        return catalog_of(self.info, tables, labelled)

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
        rows: list[dict[str, Any]] = self._rows(table, *self.places.span(table, sequence, start, stop)).to_pylist()
        return rows

    def has_boxes(self, sequence: str) -> bool:
        """Whether any frame of the sequence, in this part or not, has boxes; KITTI's `testing` is unlabelled."""
        if self.labelled is not None:
            return sequence in self.labelled
        first, stop = self.places.span("boxes", sequence)
        return stop > first

    def camera_names(self) -> tuple[str, ...]:
        """Every camera of the dataset, sorted."""
        found: set[str] = set()
        for rows in self.tables["images"].scan(["camera"]):
            found.update(rows.column("camera").unique().to_pylist())
        return tuple(sorted(found))

    def shard_costs(self, shards: Iterable[Shard]) -> Iterator[ShardCost]:
        """What each shard holds, in order; reads counts alone, however many the images."""
        points = [whole_numbers(rows.column("num_points")) for rows in self.tables["frames"].scan(["num_points"])]
        images = self.places.starts("images")
        before = np.concatenate([[0], np.cumsum(np.concatenate([[], *points]), dtype=np.int64)])
        for shard in shards:
            start, stop = self.places.span("frames", shard.sequence, shard.start, shard.stop)
            yield ShardCost(stop - start, int(images[stop] - images[start]), int(before[stop] - before[start]))

    def check(self) -> None:
        """Read every row. Raises WorkspaceError where any is damaged."""
        for table in self.tables.values():
            for _ in table.scan():
                pass
        for name in OF_FRAMES[1:]:
            self.places.starts(name)

    def rows_digest(self, sequence: str, start: int, stop: int) -> str:
        """sha256 over the frame, image and box rows of a run of frames."""
        rows = [self.raw_rows(table, sequence, start, stop) for table in ("frames", "images", "boxes")]
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()

    def _rows(self, table: str, start: int, stop: int, columns: list[str] | None = None) -> pa.Table:
        return self.tables[table].slice(start, stop, columns)


def open_catalog(folder: Path) -> Catalog:
    """The catalog in `folder`; reads the order of the frames, and rows when they are asked for.

    Raises:
        WorkspaceError: there is none, it is damaged, or it was written by another version.
    """
    if not folder.exists():
        raise absent(folder)
    info = read_info(folder / "dataset.json")
    tables = {name: open_table(table_path(folder, name), schema) for name, schema in TABLES.items()}
    for name, table in tables.items():
        if table.num_rows != info.counts[name]:
            what, expected = f"{table.num_rows} rows", f"{info.counts[name]}, as dataset.json says"
            raise WorkspaceError(what, where=str(table_path(folder, name)), expected=expected, todo=AGAIN)
    return Catalog(info, tables, Places(tables))


def catalog_of(info: DatasetInfo, tables: Mapping[str, pa.Table], labelled: tuple[str, ...] | None = None) -> Catalog:
    """A catalog in memory of these tables, each sorted as ingest does; see `Catalog.labelled`."""
    held = {name: HeldRows(table) for name, table in tables.items()}
    return Catalog(info, held, Places(held), labelled)
