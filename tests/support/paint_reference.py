"""Painting in plain float64 numpy, written from the rules and not from the code under test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Bool, Float64, Int64
from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.pixels import PixelScores


def visible(points: AnyArray, view: CameraView, rule: str = "default") -> tuple[Int64, Float64]:
    """Indices of the points in view, and their (M, 3) u, v and depth."""
    x, y, z = (points[:, axis].astype(np.float64) for axis in range(3))
    offset_m = view.depth_offset_m if rule == "openpcdet" else 0.0
    with np.errstate(all="ignore"):
        a, b, depth = (row[0] * x + row[1] * y + row[2] * z + row[3] for row in view.image_from_lidar)
        depth = depth - offset_m
        u, v = a / depth, b / depth
        if rule == "nuscenes-devkit":
            keep = (depth > 1) & (u > 1) & (u < view.width_px - 1) & (v > 1) & (v < view.height_px - 1)
        else:
            keep = (depth > 0) & (u >= 0) & (u < view.width_px) & (v >= 0) & (v < view.height_px)
    keep &= np.isfinite(points[:, :3]).all(axis=1) & np.isfinite(depth)
    return np.flatnonzero(keep), np.stack([u, v, depth], axis=1)[keep]


def resized(grid: Float64, extent_px: tuple[int, int], align_corners: bool) -> Float64:
    """(C, H, W) of a (C, h, w) grid: one bilinear step, axis by axis, with full matrices."""
    down, along = (_axis(size, extent, align_corners) for size, extent in zip(grid.shape[1:], extent_px, strict=True))
    return np.einsum("Hh,chw,Ww->cHW", down, grid, along, optimize=True)


def _axis(size: int, extent: int, align_corners: bool) -> Float64:
    """(extent, size) interpolation matrix: row i holds the hat functions of the cells at pixel i's place."""
    pixel = np.arange(extent)
    if align_corners:
        place = pixel * (size - 1) / max(1, extent - 1)
    else:
        place = np.clip((pixel + 0.5) * size / extent - 0.5, 0, size - 1)
    return np.clip(1 - np.abs(place[:, None] - np.arange(size)), 0, 1)


def scores_at(scores: PixelScores, row: AnyArray, col: AnyArray) -> Float64:
    """(M, C): the whole image resized, then read, then the soft-max or the division by the sum."""
    values = resized(scores.values.astype(np.float64), scores.extent_px, scores.align_corners)[:, row, col].T
    if scores.kind == "logits":
        values = np.exp(values - values.max(axis=1, keepdims=True))
    return values / values.sum(axis=1, keepdims=True)


def depth_edges(u_px: AnyArray, v_px: AnyArray, depth_m: AnyArray) -> Bool:
    """(M,): every pair looked at."""
    u, v, depth = (array.astype(np.float64) for array in (u_px, v_px, depth_m))
    near = (u[:, None] - u) ** 2 + (v[:, None] - v) ** 2 <= 25.0
    step = np.maximum(0.5, 0.05 * depth)[:, None]
    return (near & (np.abs(depth[:, None] - depth) > step)).any(axis=1)


@dataclass(frozen=True)
class Say:
    """What one camera says of one point; scores None where it sees the point and has no class for it."""

    camera: int
    dt_us: int | None
    scores: Float64 | None


def settle(says: Sequence[Say], overlap: str) -> tuple[Float64 | None, int]:
    """Scores and camera of one point by the `margin`, `first`, `mean` or `max` rule."""
    known = [say for say in says if say.scores is not None]
    pool = known or list(says)
    far = float("inf")
    if overlap == "first":
        best = min(pool, key=lambda say: say.camera)
    else:
        best = min(pool, key=lambda say: (-_margin(say), far if say.dt_us is None else abs(say.dt_us), say.camera))
    if not known or overlap in ("margin", "first"):
        return best.scores, best.camera
    stack = np.stack([say.scores for say in known if say.scores is not None])
    blended = stack.mean(axis=0) if overlap == "mean" else stack.max(axis=0)
    return blended / blended.sum(), best.camera


def _margin(say: Say) -> float:
    if say.scores is None:
        return 0.0
    top = np.sort(say.scores)[::-1]
    return float(top[0] - top[1])
