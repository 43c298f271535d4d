"""Per-point predictions that any LiDAR network wrote to disk."""

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, AnyArray, Float32, UInt8
from paintpipe.schemas.errors import InputFileError, LabelsError
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.ingest.npy import decode_npy
from paintpipe.stages.paint.oracle import oracle_from_labels

_SUM_TOLERANCE = 1e-2
"""Probabilities stored as float16 or with few digits still sum to 1 within this."""
_SUFFIXES = ".label (SemanticKITTI), .bin (nuScenes lidarseg) or .npy"


def decode_predictions(data: bytes, suffix: str, num_points: int, taxonomy: Taxonomy, where: str) -> UInt8 | Float32:
    """(N,) uint8 class indices with 255 where unset, or (N, C) float32 probabilities with rows of 0 where unset.

    - `.label`: uint32 a point, SemanticKITTI's own ids as its submissions hold them, through `taxonomy.raw_ids`.
    - `.bin`: uint8 a point, nuScenes lidarseg's *challenge* indices as its submissions hold them: 1 … C are the
      taxonomy's classes in order, 0 is unset. (The ground truth's files hold 32 other ids: `--oracle` reads those.)
    - `.npy`: (N,) integers, the taxonomy's class indices and 255; or (N, C) floats, probabilities.

    Args:
        data: the file's bytes.
        suffix: `.label`, `.bin` or `.npy`.
        num_points: N of the point file.
        taxonomy: of the layer.
        where: the file's name, for messages.

    Raises:
        LabelsError: another number of points or classes, a class outside the taxonomy, numbers that are no
            probabilities, or an unknown suffix.
        InputFileError: a damaged .npy file.
    """
    if suffix == ".npy":
        return _from_array(decode_npy(data, where), num_points, len(taxonomy), where)
    if suffix not in (".label", ".bin"):
        raise LabelsError(f"predictions as {suffix!r}", where=where, expected=_SUFFIXES)
    width = 4 if suffix == ".label" else 1
    if len(data) != width * num_points:
        expected = f"{width * num_points}: {width} a point, {num_points} points"
        raise LabelsError(f"{len(data)} bytes", where=where, expected=expected)
    if suffix == ".label":
        return oracle_from_labels(np.frombuffer(data, dtype="<u4"), taxonomy)
    # Taking 1 away turns 0 into 255, which is unset here.
    return checked_classes(np.frombuffer(data, dtype=np.uint8) - np.uint8(1), len(taxonomy), where, LabelsError)


def checked_classes(values: AnyArray, num_classes: int, where: str, error: type[InputFileError]) -> UInt8:
    """Integers as uint8 class indices; raises `error` where one is neither a class nor 255."""
    wrong = (values != UNPAINTED) & ((values < 0) | (values >= num_classes))
    if wrong.any():
        raise error(
            f"class {int(values[wrong][0])} is not in the taxonomy",
            where=where,
            expected=f"0 to {num_classes - 1}, or {UNPAINTED} for none",
            todo="name the taxonomy of these classes with --taxonomy",
        )
    return values.astype(np.uint8)


def _from_array(values: AnyArray, num_points: int, num_classes: int, where: str) -> UInt8 | Float32:
    if values.ndim not in (1, 2) or len(values) != num_points:
        expected = f"({num_points},) classes or ({num_points}, {num_classes}) probabilities"
        raise LabelsError(f"an array of shape {values.shape}", where=where, expected=expected)
    if values.ndim == 1:
        if values.dtype.kind not in "iu":
            raise LabelsError(f"classes of type {values.dtype}", where=where, expected="integers")
        return checked_classes(values, num_classes, where, LabelsError)
    if values.dtype.kind != "f" or values.shape[1] != num_classes:
        found = f"scores of type {values.dtype} and {values.shape[1]} classes"
        raise LabelsError(found, where=where, expected=f"floats of {num_classes} classes")
    return _checked_probabilities(values, where)


def _checked_probabilities(values: AnyArray, where: str) -> Float32:
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large for float32 is refused as infinite
        scores: Float32 = values.astype(np.float32)
        sums = scores.sum(axis=1)
    valid = np.isfinite(sums) & ~(scores < 0.0).any(axis=1) & ((np.abs(sums - 1.0) <= _SUM_TOLERANCE) | (sums == 0.0))
    if not valid.all():
        row = int(np.flatnonzero(~valid)[0])
        raise LabelsError(
            f"scores of point {row} are no probabilities (they sum to {sums[row]:.4g})",
            where=where,
            expected="finite numbers of at least 0 that sum to 1 a point, or all 0 where there is no prediction",
            todo="take the soft-max of logits before saving them",
        )
    return scores
