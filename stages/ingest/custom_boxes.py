"""Boxes of a custom dataset: one CSV file a sequence, in the LiDAR frame."""

import csv
import io
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from paintpipe.schemas.catalog import BoxRow, FrameRow
from paintpipe.schemas.errors import InputFileError
from paintpipe.stages.ingest.kitti_text import MAX_LINES, MAX_NUMBER

COLUMNS = ("frame", "class", "x", "y", "z", "l", "w", "h", "yaw")


@dataclass(frozen=True)
class CustomBox:
    """One line: geometric centre and size in metres, yaw in radians about +z from +x."""

    frame_id: str
    class_name: str
    center_m: tuple[float, float, float]
    size_lwh_m: tuple[float, float, float]
    yaw_rad: float


def parse_boxes(text: str, where: str) -> list[CustomBox]:
    """The boxes of a CSV file whose first line is `frame,class,x,y,z,l,w,h,yaw`, in any order.

    Raises:
        InputFileError: other columns, or a line that is no box.
    """
    if text.count("\n") > MAX_LINES:
        raise InputFileError(f"more than {MAX_LINES:,} lines", where=where, expected="a line for each box")
    reader = csv.DictReader(io.StringIO(text))
    try:
        if sorted(reader.fieldnames or ()) != sorted(COLUMNS):
            found = ",".join(reader.fieldnames or ()) or "nothing"
            raise InputFileError(f"the first line is {found}", where=where, expected=",".join(COLUMNS))
        return [_parse_box(row, f"{where}: line {reader.line_num}") for row in reader]
    except csv.Error as error:
        raise InputFileError(f"not CSV ({error})", where=f"{where}: line {reader.line_num}") from None


def box_row(box: CustomBox, frame: FrameRow) -> BoxRow:
    """A box of the catalog."""
    return BoxRow(
        sequence=frame.sequence,
        index=frame.index,
        frame_id=frame.frame_id,
        class_name=box.class_name,
        center_m=np.array(box.center_m),
        size_lwh_m=np.array(box.size_lwh_m),
        yaw_rad=box.yaw_rad,
    )


def _parse_box(row: dict[str | Any, str | Any], where: str) -> CustomBox:
    expected = "9 fields; x to yaw finite, l, w and h above zero"
    try:
        x, y, z, length, width, height, yaw = (float(row[name]) for name in COLUMNS[2:])
    except (TypeError, ValueError) as error:
        raise InputFileError(str(error), where=where, expected=expected) from None
    numbers = (x, y, z, length, width, height, yaw)
    fits = all(map(isfinite, numbers)) and max(map(abs, numbers)) <= MAX_NUMBER and min(length, width, height) > 0
    if None in row or None in row.values() or not fits:
        raise InputFileError("not a box", where=where, expected=expected)
    return CustomBox(row["frame"].strip(), row["class"].strip(), (x, y, z), (length, width, height), yaw)
