"""Several painted frames of one sweep made into one: what each layer says of a point, weighed by a rule."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, get_args

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, Bool, Float32, Int8, UInt8, UInt16
from paintpipe.schemas.errors import ConfigError, TaxonomyError
from paintpipe.schemas.painted import Flag, PaintedFrame
from paintpipe.stages.paint.fast_math import half_bits
from paintpipe.stages.paint.kernel import kernel
from paintpipe.stages.paint.temperature import FLOOR

FusionRule = Literal["average", "product", "per-class"]
_AVERAGE, _PRODUCT, _PER_CLASS = range(3)


def fuse_frames(frames: Sequence[PaintedFrame], rule: FusionRule, owners: Sequence[int] = ()) -> PaintedFrame:
    """One painted frame from two or more of the same sweep, in the same classes and with the same camera numbers.

    A point that one frame alone paints keeps that frame's scores, bit for bit. Where several paint it:

    - `average`: the mean of their scores;
    - `product`: the product of their scores, one of 0 counting as `FLOOR`;
    - `per-class`: each class's score from the frame that owns the class, or from the first that paints the point where
      the owner does not; `average` where all of these are 0.

    Then the row is divided by its sum. Neither `average` nor `product` depends on the order of the frames. The label
    is the arg-max as stored, the lowest class on a tie; the camera is that of the first frame which paints the point
    and knows a camera, else of the first that knows one; VISIBLE, OVERLAP, OCCLUDED and DEPTH_EDGE are set where any
    frame sets them. There is no provenance: `camera` says whose pixel may be looked for in which layer.

    Args:
        frames: at least two, (N, C) scores each.
        rule: see above.
        owners: (C,) position in `frames` for each class, for `per-class`.

    Raises:
        ConfigError: one frame, an unknown rule, or owners that don't fit.
        TaxonomyError: frames of other shapes.
    """
    if len(frames) < 2 or rule not in get_args(FusionRule):
        raise ConfigError(
            f"{rule} of {len(frames)} layers", expected=f"{', '.join(get_args(FusionRule))} of two or more"
        )
    shapes = {frame.scores.shape for frame in frames}
    if len(shapes) != 1:
        raise TaxonomyError(f"scores have shapes {sorted(shapes)}", expected="as many points and classes in each layer")
    num_classes = frames[0].scores.shape[1]
    number = get_args(FusionRule).index(rule)
    if number == _PER_CLASS and not (len(owners) == num_classes and set(owners) <= set(range(len(frames)))):
        raise ConfigError(f"owners {list(owners)}", expected=f"one of {len(frames)} layers for each of {num_classes}")
    stack = np.stack([np.ascontiguousarray(frame.scores).view(np.uint16) for frame in frames])
    painted = np.stack([(frame.flags & Flag.PAINTED) != 0 for frame in frames])
    owner = np.asarray(owners if number == _PER_CLASS else [0] * num_classes, dtype=np.int8)
    bits, label = _fuse(stack, painted, number, owner, _value_of())
    return PaintedFrame(bits.view(np.float16), label, _camera(frames, painted), _flags(frames, label))


def renumbered(camera: Int8, own: Sequence[str], common: Sequence[str]) -> Int8:
    """(N,) int8 camera numbers in `common` of numbers in `own`, every name of which `common` has; -1 stays."""
    numbers = np.array([*(common.index(name) for name in own), -1], dtype=np.int8)
    return numbers[camera]  # -1 takes the last


def _camera(frames: Sequence[PaintedFrame], painted: Bool) -> Int8:
    camera = np.full(painted.shape[1], -1, np.int8)
    for needs_paint in (False, True):  # later ones win: those that paint the point, the first of them last of all
        for frame, mask in reversed(list(zip(frames, painted, strict=True))):
            known = (frame.camera >= 0) & (mask if needs_paint else True)
            camera = np.where(known, frame.camera, camera)
    return camera


def _flags(frames: Sequence[PaintedFrame], label: UInt8) -> UInt8:
    flags = np.bitwise_or.reduce([frame.flags for frame in frames])
    painted = np.where(label != UNPAINTED, np.uint8(Flag.PAINTED), np.uint8(0))
    found: UInt8 = (flags & np.uint8(~Flag.PAINTED & 0xFF)) | painted
    return found


@cache
def _value_of() -> Float32:
    """(65536,) float32 value of each float16 (numba has none)."""
    return np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)


@kernel
def _fuse(stack: UInt16, painted: Bool, rule: int, owner: Int8, value_of: Float32) -> Any:
    """(N, C) float16 bits and (N,) labels of (L, N, C) float16 bits."""
    layers, points, classes = stack.shape
    bits, label = np.zeros((points, classes), np.uint16), np.full(points, np.uint8(255), np.uint8)
    row, factors = np.empty(classes, np.float64), np.empty(layers, np.float64)
    for i in range(points):
        first, count = -1, 0
        for layer in range(layers):
            if painted[layer, i]:
                first, count = (layer if count == 0 else first), count + 1
        if count == 0:
            continue
        total = 0.0
        if count > 1 and rule == _PRODUCT:
            total = _product(stack, painted, i, value_of, factors, row)
        elif count > 1 and rule == _PER_CLASS:
            total = _per_class(stack, painted, i, owner, first, value_of, row)
        if count > 1 and total == 0.0:
            total = _sum(stack, painted, i, value_of, row)
        best = 0
        for k in range(classes):
            bits[i, k] = stack[first, i, k] if count == 1 else half_bits(np.float32(row[k] / total))
            best = k if bits[i, k] > bits[i, best] else best
        label[i] = best
    return bits, label


@kernel
def _sum(stack: UInt16, painted: Bool, i: int, value_of: Float32, row: Any) -> Any:
    """Fill `row` with point i's sum over layers; exact, for float64 holds any sum of float16 numbers up to 1."""
    total = 0.0
    for k in range(stack.shape[2]):
        row[k] = 0.0
        for layer in range(stack.shape[0]):
            if painted[layer, i]:
                row[k] += value_of[stack[layer, i, k]]
        total += row[k]
    return total


@kernel
def _product(stack: UInt16, painted: Bool, i: int, value_of: Float32, factors: Any, row: Any) -> Any:
    """Fill `row` with point i's product over layers, smallest factor first, so that their order does not matter."""
    total = 0.0
    for k in range(stack.shape[2]):
        for layer in range(stack.shape[0]):
            score: Any = value_of[stack[layer, i, k]] if painted[layer, i] else np.float32(1.0)
            factor, place = max(np.float64(score), np.float64(FLOOR)), layer
            while place > 0 and factors[place - 1] > factor:  # numba's own sort takes long to compile
                factors[place] = factors[place - 1]
                place -= 1
            factors[place] = factor
        row[k] = 1.0
        for layer in range(stack.shape[0]):
            row[k] *= factors[layer]
        total += row[k]
    return total


@kernel
def _per_class(stack: UInt16, painted: Bool, i: int, owner: Int8, first: int, value_of: Float32, row: Any) -> Any:
    """Fill `row` with each class's score of point i by its owner, or by the first layer that paints the point."""
    total = 0.0
    for k in range(stack.shape[2]):
        row[k] = value_of[stack[owner[k] if painted[owner[k], i] else first, i, k]]
        total += row[k]
    return total
