"""`--to las`: a LAS 1.4 file a frame, coloured by class, for CloudCompare, QGIS and PDAL.

Format: LAS Specification 1.4-R15 (ASPRS), point data record format 7. Coordinates are int32 steps of `STEP_M`;
everything else that the store has lies in extra bytes as it is, each column under its own name.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, AnyArray, Float64
from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ExportError, MissingExtraError
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings, FrameExport
from paintpipe.stages.export.classes_table import CLASSES_FILE, classes_table
from paintpipe.stages.export.frame_names import file_name
from paintpipe.stages.export.parquet import SCORE, settle_points
from paintpipe.stages.export.records import side_by_side
from paintpipe.stages.export.target import DoneFrame, ReadFile

STEP_M = 1e-5
"""Coordinates are rounded to 0.01 mm: below what float32 can tell apart from 84 m on, and far below what LiDAR can."""
USER_CLASSES = 64
"""First classification code that the specification leaves to users; label 0 is 64."""
UNCLASSIFIED = 1
_MOST_STEPS = 2**31 - 1
_MOST_NAME = 32
"""Bytes of an extra column's name."""


@dataclass(frozen=True)
class LasTarget:
    """See `FrameTarget`."""

    name: str = "las"
    keyframes_only: bool = False

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        """The layer's own classes, all of them; raises ConfigError for sweeps."""
        _laspy()
        return settle_points(settings, self.name)

    def frame_path(self, row: FrameRow, facts: ExportFacts) -> str:
        """See `FrameTarget.frame_path`."""
        return las_path(row)

    def export(self, frame: ExportFrame, facts: ExportFacts) -> FrameExport:
        """The frame as one file. Raises ExportError for coordinates that are not finite, or beyond 21 km."""
        return FrameExport({las_path(frame.row): _encode(frame, facts)})

    def finish(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> Mapping[str, bytes]:
        """The classes and their colours."""
        return {CLASSES_FILE: classes_table(facts)}

    def faults(self, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """The file by laspy: coordinates within half a step, every other column as it is."""
        path, laspy = las_path(frame.row), _laspy()
        try:
            las = laspy.read(io.BytesIO(read(path)))
        except laspy.errors.LaspyException as error:
            yield f"{path}: no LAS file ({error})"
            return
        if len(las.points) != len(frame.points):
            yield f"{path}: {len(las.points)} points, expected {len(frame.points)}"
            return
        off_m = np.abs(las.xyz - frame.points[:, :3].astype(np.float64)).max(initial=0.0)
        if off_m > STEP_M * 0.5001:
            yield f"{path}: coordinates are off by up to {off_m:g} m"
        if (np.asarray(las.classification) != _classification(frame)).any():
            yield f"{path}: classification differs"
        yield from (f"{path}: {fault}" for fault in _extra_faults(las.points.array, frame, facts))

    def finish_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """The classes as they are."""
        if read(CLASSES_FILE) != classes_table(facts):
            yield f"{CLASSES_FILE}: other classes"


def las_path(row: FrameRow) -> str:
    """Where a frame's file lies. Raises ExportError for a frame whose name can't name a file."""
    return f"{row.sequence}/{file_name(row)}.las"


def extra_columns(frame: ExportFrame, facts: ExportFacts) -> list[tuple[list[str], AnyArray]]:
    """The columns that LAS has no field for: `raw_<feature>`, `score_<class>`, label, camera, paint_flags.

    Returns:
        Names of columns of one dtype, and the (N, names) array that holds them; in the file's order.

    Raises:
        ExportError: two of them have the same first 32 bytes.
    """
    blocks: list[tuple[list[str], AnyArray]] = [
        ([f"raw_{name}" for name in facts.features[3:]], frame.points[:, 3:]),
        ([SCORE + name for name in facts.channels], frame.scores),
        (["label"], frame.label[:, np.newaxis]),
        (["camera"], frame.camera[:, np.newaxis]),
        (["paint_flags"], frame.flags[:, np.newaxis]),
    ]
    columns = [name for names, _ in blocks for name in names]
    if len({_short(name) for name in columns}) < len(columns):
        what = "two columns have the same first 32 characters, which is all that LAS keeps of a name"
        raise ExportError(what, where=", ".join(columns), todo="name other --classes")
    return [([_short(name) for name in names], values) for names, values in blocks if names]


def _short(name: str) -> str:
    return name.encode("ascii", "replace")[:_MOST_NAME].decode()


def _extra_faults(records: AnyArray, frame: ExportFrame, facts: ExportFacts) -> Iterator[str]:
    """Extra columns that are not as they should be, bit by bit, in the records that laspy read."""
    wanted = extra_columns(frame, facts)
    kinds = {name: values.dtype for names, values in wanted for name in names}
    there = (records.dtype.names or ())[-len(kinds) :]
    if there != tuple(kinds) or any(records.dtype[name] != kind for name, kind in kinds.items()):
        yield f"extra columns {', '.join(there)}, expected {', '.join(kinds)}"
        return
    for names, values in wanted:
        bits = f"u{values.dtype.itemsize}"
        differ = (side_by_side(records, names[0], len(names)).view(bits) != values.view(bits)).any(axis=0)
        yield from (f"column {name} differs" for name, is_other in zip(names, differ, strict=True) if is_other)


def _encode(frame: ExportFrame, facts: ExportFacts) -> bytes:
    laspy = _laspy()
    extra = extra_columns(frame, facts)
    header = laspy.LasHeader(point_format=7, version="1.4")
    header.scales, header.offsets = np.full(3, STEP_M), np.zeros(3)
    header.creation_date, header.uuid = date(2000, 1, 1), UUID(int=0)  # the same frame gives the same bytes
    header.generating_software = "paintpipe"
    header.add_extra_dims([laspy.ExtraBytesParams(name, values.dtype) for names, values in extra for name in names])
    points = laspy.ScaleAwarePointRecord.zeros(len(frame.points), header=header)
    side_by_side(points.array, "X", 3)[:] = _steps(frame)
    points["return_number"][:] = 1
    points["number_of_returns"][:] = 1
    points["classification"] = _classification(frame)
    points["gps_time"][:] = (frame.row.timestamp_us or 0) * 1e-6
    for names, values in extra:
        side_by_side(points.array, names[0], len(names))[:] = values
    side_by_side(points.array, "red", 3)[:] = facts.taxonomy.palette().astype(np.uint16)[frame.label] * 257
    return _written(laspy.LasData(header, points))


def _steps(frame: ExportFrame) -> AnyArray:
    """(N, 3) int32 coordinates in steps."""
    steps: Float64 = np.rint(frame.points[:, :3].astype(np.float64) / STEP_M)
    if not (np.abs(steps) <= _MOST_STEPS).all():
        what = "a coordinate is not finite, or too far from the sensor"
        expected = f"at most {_MOST_STEPS * STEP_M:,.0f} m"
        raise ExportError(what, where=f"{frame.row.sequence}/{frame.row.frame_id}", expected=expected)
    return steps.astype(np.int32)


def _classification(frame: ExportFrame) -> AnyArray:
    known = frame.label <= UNPAINTED - USER_CLASSES
    return np.where(known, frame.label.astype(np.uint16) + USER_CLASSES, UNCLASSIFIED).astype(np.uint8)


def _written(las: Any) -> bytes:
    sink = io.BytesIO()
    las.write(sink)
    return sink.getvalue()


def _laspy() -> Any:
    try:
        import laspy
    except ImportError as error:
        raise MissingExtraError("LAS files need laspy", todo='pip install "paintpipe[files]"') from error
    return laspy
