"""Points and point labels from the bytes of one file, and how many of them a file of some size holds.

Formats of points: `float32` (raw little-endian records, as KITTI's `.bin` and nuScenes' `.pcd.bin` hold them) and
`npy`. Formats of labels: `semantickitti` (uint32: class in the low 16 bits, instance in the high ones), `uint8`
(nuScenes lidarseg) and `npy`.
"""

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Float32, UInt32
from paintpipe.schemas.errors import ConfigError, InputFileError, LabelsError, PointsError
from paintpipe.stages.ingest.npy import NpyHeader, decode_npy

POINTS_FORMATS = ("float32", "npy")
LABEL_BYTES = {"semantickitti": 4, "uint8": 1}
"""Bytes of one label, for the raw formats."""
LABELS_FORMATS = (*LABEL_BYTES, "npy")
MAX_POINTS = 10_000_000
"""Of one sweep: no sensor measures so many, and a sparse file of any size is made in an instant."""


def decode_points(data: bytes, num_features: int, where: str, points_format: str = "float32") -> Float32:
    """(N, num_features) float32 points of one sweep, N at least 1, in the file's order; an own, writable array.

    Points may hold NaN and infinity: real sensors write them, and projection leaves them out.

    Raises:
        PointsError: the file is empty, not a whole number of records, or not what the format promises.
    """
    if points_format == "float32":
        count_records(len(data), num_features, where)
        return np.frombuffer(data, dtype="<f4").astype(np.float32).reshape(-1, num_features)
    if points_format != "npy":
        raise ConfigError(f"unknown points format {points_format!r}", expected="one of " + ", ".join(POINTS_FORMATS))
    try:
        array = decode_npy(data, where)
    except InputFileError as error:
        raise PointsError(error.what, where=where, expected=error.expected) from None
    check_points_array(array.shape, array.dtype, num_features, where)
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, which projection leaves out
        return np.ascontiguousarray(array, dtype=np.float32)


def count_records(num_bytes: int, num_features: int, where: str) -> int:
    """How many points a raw float32 file of `num_bytes` holds, at least 1.

    Raises:
        PointsError: none, or not a whole number.
    """
    record = 4 * num_features
    if num_bytes == 0:
        raise PointsError("empty sweep, the file has no bytes", where=where, expected=f"records of {record} bytes")
    if num_bytes % record:
        expected = f"a multiple of {record} ({num_features} float32 a point)"
        raise PointsError(f"truncated, {num_bytes} bytes", where=where, expected=expected, todo="fetch the file again")
    return _check_count(num_bytes // record, where)


def check_points_array(shape: tuple[int, ...], dtype: np.dtype[np.generic], num_features: int, where: str) -> int:
    """How many points an array holds, at least 1.

    Raises:
        PointsError: the array is not (N, num_features) of real numbers.
    """
    if len(shape) != 2 or shape[1] != num_features or dtype.kind not in "fiu":
        expected = f"(N, {num_features}) of float or int"
        raise PointsError(f"an array {shape} of {dtype}", where=where, expected=expected)
    if shape[0] == 0:
        raise PointsError("empty sweep, the array has no rows", where=where, expected=f"(N, {num_features})")
    return _check_count(shape[0], where)


def _check_count(num_points: int, where: str) -> int:
    if num_points > MAX_POINTS:
        raise PointsError(f"a sweep of {num_points:,} points", where=where, expected=f"at most {MAX_POINTS:,}")
    return num_points


def decode_labels(data: bytes, labels_format: str, num_points: int, where: str) -> UInt32:
    """(num_points,) uint32 raw class ids, in the order of the points; instance ids are dropped.

    Raises:
        LabelsError: not one label for each point, or not what the format promises.
    """
    if labels_format == "semantickitti":
        check_num_labels(len(data), 4, num_points, where)
        return np.frombuffer(data, dtype="<u4") & np.uint32(0xFFFF)
    if labels_format == "uint8":
        check_num_labels(len(data), 1, num_points, where)
        return np.frombuffer(data, dtype=np.uint8).astype(np.uint32)
    if labels_format != "npy":
        raise ConfigError(f"unknown labels format {labels_format!r}", expected="one of " + ", ".join(LABELS_FORMATS))
    return _npy_labels(data, num_points, where)


def check_num_labels(num_bytes: int, label_bytes: int, num_points: int, where: str) -> None:
    """Check that a raw label file of `num_bytes` has one label for each point.

    Raises:
        LabelsError: it has more or fewer, or not a whole number.
    """
    if num_bytes != label_bytes * num_points:
        count = f"{num_bytes / label_bytes:g} labels for {num_points} points"
        expected = f"{num_points} labels of {label_bytes} bytes"
        raise LabelsError(count, where=where, expected=expected, todo="fetch the label and the point file again")


def check_labels_header(header: NpyHeader, num_points: int, where: str) -> None:
    """Check that a `.npy` file has one whole number for each point; raises LabelsError."""
    if header.shape != (num_points,) or header.dtype.kind not in "iu":
        what = f"an array {header.shape} of {header.dtype}"
        raise LabelsError(what, where=where, expected=f"({num_points},) of int, one label for each point")


def _npy_labels(data: bytes, num_points: int, where: str) -> UInt32:
    try:
        array: AnyArray = decode_npy(data, where)
    except InputFileError as error:
        raise LabelsError(error.what, where=where, expected=error.expected) from None
    check_labels_header(NpyHeader(array.shape, array.dtype, len(data)), num_points, where)
    if array.size and (array.min() < 0 or array.max() > np.iinfo(np.uint32).max):
        raise LabelsError(f"a label {array.min()}", where=where, expected="labels from 0 to 2**32 - 1")
    return array.astype(np.uint32)
