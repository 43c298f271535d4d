"""The loops that read an image's class scores at the points' pixels."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int32, UInt8
from paintpipe.stages.paint.fast_math import exp_nonpositive
from paintpipe.stages.paint.kernel import kernel


@kernel
def grid_position(pixel: int, grid_size: int, extent_px: int, align_corners: bool) -> Any:
    """Lower cell, upper cell and weight of the upper one, for a pixel of an axis resized from grid to extent.

    The mapping is that of `torch.nn.functional.interpolate`: with align_corners the first and last cells lie on the
    first and last pixels; without, cell and pixel are areas and the outermost half cell repeats the edge.
    """
    if align_corners:
        at = pixel * ((grid_size - 1.0) / (extent_px - 1.0)) if extent_px > 1 else 0.0
    else:
        at = max((pixel + 0.5) * (grid_size / extent_px) - 0.5, 0.0)
    lower = min(int(at), grid_size - 1)
    upper = min(lower + 1, grid_size - 1)
    return lower, upper, at - lower


@kernel
def _interpolate(
    grid: Float32, row: int, col: int, height_px: int, width_px: int, align_corners: bool, values: Float64
) -> None:
    """Fill (C,) float64 `values` with the (h, w, C) grid's bilinear values at one pixel."""
    top, bottom, down = grid_position(row, grid.shape[0], height_px, align_corners)
    left, right, along = grid_position(col, grid.shape[1], width_px, align_corners)
    w00, w01 = (1.0 - down) * (1.0 - along), (1.0 - down) * along
    w10, w11 = down * (1.0 - along), down * along
    v00, v01, v10, v11 = grid[top, left], grid[top, right], grid[bottom, left], grid[bottom, right]
    for k in range(values.shape[0]):
        values[k] = w00 * v00[k] + w01 * v01[k] + w10 * v10[k] + w11 * v11[k]


@kernel
def _soft_max(logits: Float64, scores: Float32) -> Any:
    """Fill (C,) `scores` with e^(logit - largest); returns their sum."""
    largest = -np.inf
    for k in range(logits.shape[0]):
        largest = max(largest, logits[k])
    for k in range(logits.shape[0]):
        scores[k] = exp_nonpositive(np.float32(logits[k] - largest))
    total = np.float32(0.0)
    for k in range(logits.shape[0]):
        total += scores[k]
    return total


@kernel
def _copy(values: Float64, scores: Float32) -> Any:
    """Fill (C,) `scores` with probabilities, negative ones as 0; returns their sum."""
    total = np.float32(0.0)
    for k in range(values.shape[0]):
        scores[k] = np.float32(0.0) if values[k] < 0.0 else np.float32(values[k])
        total += scores[k]
    return total


@kernel
def scores_at(
    grid: Float32, is_logits: bool, align_corners: bool, height_px: int, width_px: int, row: Int32, col: Int32
) -> Any:
    """(M, C) float32 rows that sum to 1, and (M,) bool: False (and a row of 0) where the grid holds nothing finite.

    `grid` is (h, w, C) in any memory order. Interpolation and the largest logit's subtraction are float64, so that
    large logits lose no digits; what is left is at most 0 and float32 is enough.
    """
    scores = np.empty((row.shape[0], grid.shape[2]), np.float32)
    painted = np.empty(row.shape[0], np.bool_)
    values = np.empty(grid.shape[2], np.float64)
    for i in range(row.shape[0]):
        _interpolate(grid, row[i], col[i], height_px, width_px, align_corners, values)
        total = _soft_max(values, scores[i]) if is_logits else _copy(values, scores[i])
        painted[i] = total > 0.0 and total < np.inf
        factor = np.float32(1.0) / total if painted[i] else np.float32(0.0)
        for k in range(values.shape[0]):
            scores[i, k] = scores[i, k] * factor if painted[i] else np.float32(0.0)
    return scores, painted


@kernel
def labels_at(labels: UInt8, row: Int32, col: Int32) -> Any:
    """(M,) uint8 labels of an (H, W) label map at the points' pixels."""
    found = np.empty(row.shape[0], np.uint8)
    for i in range(row.shape[0]):
        found[i] = labels[row[i], col[i]]
    return found


@kernel
def one_hot(labels: UInt8, num_classes: int) -> Any:
    """(M, C) float32 with a 1 at each label below C, and (M,) bool where there was one."""
    scores = np.zeros((labels.shape[0], num_classes), np.float32)
    painted = np.zeros(labels.shape[0], np.bool_)
    for i in range(labels.shape[0]):
        if labels[i] < num_classes:
            scores[i, labels[i]] = np.float32(1.0)
            painted[i] = True
    return scores, painted
