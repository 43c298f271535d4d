"""What a custom dataset has once for a sequence: poses, times and boxes."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.errors import InputFileError
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest import checks
from paintpipe.stages.ingest.collect import Collector
from paintpipe.stages.ingest.custom_boxes import CustomBox, parse_boxes
from paintpipe.stages.ingest.custom_spec import US_PER_UNIT, CustomFiles, CustomSpec
from paintpipe.stages.ingest.kitti_text import MAX_NUMBER, check_last_row, parse_poses, parse_times_us
from paintpipe.stages.ingest.npy import decode_npy


@dataclass(frozen=True)
class SequenceExtras:
    """Poses (n, 4, 4) and times (n,) in the order of the point files, None where there are none; boxes by frame."""

    global_SE3_lidar: Float64 | None
    times_us: Float64 | None
    boxes: dict[str, list[CustomBox]]


def read_extras(rows: Collector, spec: CustomSpec, sequence: str, frame_ids: list[str]) -> SequenceExtras:
    """All that a sequence has beside its frames; a file that can't be used is a rejected row."""
    return SequenceExtras(
        global_SE3_lidar=_one_a_frame(rows, spec.poses, sequence, len(frame_ids), _poses),
        times_us=_one_a_frame(rows, spec.timestamps, sequence, len(frame_ids), _times_us),
        boxes=_read_boxes(rows, spec.boxes, sequence, set(frame_ids)),
    )


def _one_a_frame(
    rows: Collector,
    files: CustomFiles | None,
    sequence: str,
    count: int,
    read: Callable[[Root, CustomFiles, str], Float64],
) -> Float64 | None:
    """`count` poses or times."""
    if files is None:
        return None
    path = files.pattern.fill(sequence=sequence)
    try:
        values = read(rows.root, files, path)
        if len(values) != count:
            raise InputFileError(f"{len(values)} of them", where=path, expected=f"{count}, one for each point file")
    except InputFileError as error:
        rows.reject(path, error)
        return None
    return values


def _times_us(root: Root, files: CustomFiles, path: str) -> Float64:
    return parse_times_us(checks.read_text(root, path), path, US_PER_UNIT[files.format])


def _poses(root: Root, files: CustomFiles, path: str) -> Float64:
    return _npy_poses(root, path) if files.format == "npy" else parse_poses(checks.read_text(root, path), path)


def _npy_poses(root: Root, path: str) -> Float64:
    """(n, 4, 4) transforms from an array of (n, 4, 4) or (n, 3, 4)."""
    array = decode_npy(checks.read_bytes(root, path), path)
    if array.ndim != 3 or array.shape[1:] not in ((4, 4), (3, 4)) or array.dtype.kind != "f":
        expected = "(n, 4, 4) or (n, 3, 4) of float"
        raise InputFileError(f"an array {array.shape} of {array.dtype}", where=path, expected=expected)
    if not (np.abs(array) <= MAX_NUMBER).all():
        raise InputFileError(f"a number is above {MAX_NUMBER:g} or not finite", where=path, expected="finite poses")
    check_last_row(array.astype(np.float64), path)
    poses = np.tile(np.eye(4), (len(array), 1, 1))
    poses[:, :3] = array[:, :3]
    return poses


def _read_boxes(
    rows: Collector, files: CustomFiles | None, sequence: str, frame_ids: set[str]
) -> dict[str, list[CustomBox]]:
    """Frame → boxes."""
    by_frame: dict[str, list[CustomBox]] = defaultdict(list)
    if files is None:
        return by_frame
    path = files.pattern.fill(sequence=sequence)
    for box in rows.read_needed(path, parse_boxes) or ():
        by_frame[box.frame_id].append(box)
    strange = sorted(set(by_frame) - frame_ids)
    if strange:
        what = f"boxes of {len(strange)} frames without points, such as {strange[0]!r}: left out"
        rows.reject(path, InputFileError(what, where=path, expected=f"frames such as {min(frame_ids)!r}"))
    return by_frame
