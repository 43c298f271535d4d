"""Frames that would share a file in an export, found before anything is written: names come from datasets."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ExportError
from paintpipe.stages.export.target import FrameTarget
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.export_job import where_of
from paintpipe.workflows.export_plan import Part
from paintpipe.workflows.export_targets import by_sequence

if TYPE_CHECKING:
    from paintpipe.workflows.export_prepare import Prepared

_NAMES = ("frame_id", "points_path", "sample_token", "sweep_token", "split", "is_keyframe")
"""Columns that files are named after."""


def check_names(run: "Prepared", parts: Iterable[Part]) -> None:
    """Raises ExportError where two frames of the export, asked for now or exported before, would share a file.

    A frame whose name can't name a file at all is none of them: it is left out alone, with that reason.
    """
    if by_sequence(run.target):
        return
    owner: dict[str, tuple[str, int]] = {}
    for row in _rows(run, parts):
        path, place = _path(run, row), (row.sequence, row.index)
        other = owner.setdefault(path, place) if path else place
        if other != place:
            same = other[0] == row.sequence
            todo = "rename one in the dataset and ingest again" if same else "export them to two folders: --sequences"
            first = where_of(run.catalog.frames(other[0], other[1], other[1] + 1)[0])
            raise ExportError(f"frames {first} and {where_of(row)} would share the file {path}", todo=todo)


def _path(run: "Prepared", row: FrameRow) -> str:
    try:
        return cast("FrameTarget", run.target).frame_path(run.source.row(row), run.source.facts)
    except ExportError:
        return ""


def _rows(run: "Prepared", parts: Iterable[Part]) -> Iterator[FrameRow]:
    """Every frame with its names alone: reading matrices too takes ten times as long."""
    frames: dict[str, list[int]] = {}
    for part in parts:
        frames.setdefault(part.shard.sequence, []).extend(part.frames)
    for sequence, indices in frames.items():
        yield from _named(run.catalog, sequence, indices)


def _named(catalog: Catalog, sequence: str, indices: list[int]) -> Iterator[FrameRow]:
    columns = {name: catalog.column("frames", sequence, name) for name in _NAMES}
    for index in indices:
        names = {name: values[index] for name, values in columns.items()}
        yield FrameRow(sequence=sequence, index=index, num_points=0, point_features=(), **names)
