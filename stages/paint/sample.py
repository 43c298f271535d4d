"""Reading what a network says about a point's pixel, at the network's own resolution."""

import numpy as np

from paintpipe.schemas.arrays import Bool, Float32, UInt8
from paintpipe.schemas.errors import ImageError
from paintpipe.schemas.pixels import PixelClasses, PixelLabels, PixelScores
from paintpipe.stages.paint.project import Projected
from paintpipe.stages.paint.sample_kernels import labels_at, one_hot, scores_at

_CELLS_A_POINT = 4
"""Classes are brought together per cell, unless there are more cells than this for each point: then reading them
where they lie is cheaper than moving them all."""


def sample_pixels(pixels: PixelClasses, projected: Projected) -> tuple[Float32, Bool]:
    """(M, C) float32 class scores of the points in view, and (M,) bool where there are any.

    Raises:
        ImageError: a point's pixel lies outside the scores or the label map.
    """
    if isinstance(pixels, PixelLabels):
        return sample_labels(pixels, projected)
    if isinstance(pixels, PixelScores):
        return sample_scores(pixels, projected)
    _check_inside(projected, *pixels.extent_px)
    return pixels.sample(projected.row, projected.col)


def sample_scores(scores: PixelScores, projected: Projected) -> tuple[Float32, Bool]:
    """(M, C) float32 probabilities at each point's pixel, and (M,) bool where the network said anything finite.

    One bilinear step from the network's grid to the image's, read at the pixel (row, col), then the soft-max (or, for
    probabilities, division by their sum). It equals resizing the whole image first, which would cost 15 times more.

    Raises:
        ImageError: a point's pixel lies outside the area that the grid spans.
    """
    height_px, width_px = scores.extent_px
    _check_inside(projected, height_px, width_px)
    grid = scores.values.transpose(1, 2, 0)
    if grid.shape[0] * grid.shape[1] <= _CELLS_A_POINT * max(1, len(projected)):
        grid = np.ascontiguousarray(grid)
    found: tuple[Float32, Bool] = scores_at(
        grid, scores.kind == "logits", scores.align_corners, height_px, width_px, projected.row, projected.col
    )
    return found


def sample_labels(labels: PixelLabels, projected: Projected) -> tuple[Float32, Bool]:
    """(M, C) float32 one-hot rows of the label map at each point's pixel, and (M,) bool, False where it is unset.

    Raises:
        ImageError: a point's pixel lies outside the label map.
    """
    found: tuple[Float32, Bool] = one_hot(hard_labels(labels, projected), labels.num_classes)
    return found


def hard_labels(labels: PixelLabels, projected: Projected) -> UInt8:
    """(M,) uint8 label of each point's pixel, 255 where the map is unset.

    Raises:
        ImageError: a point's pixel lies outside the label map.
    """
    _check_inside(projected, *labels.values.shape)
    found: UInt8 = labels_at(labels.values, projected.row, projected.col)
    return found


def _check_inside(projected: Projected, height_px: int, width_px: int) -> None:
    if len(projected) and (projected.row.max() >= height_px or projected.col.max() >= width_px):
        raise ImageError(
            f"class scores span {width_px}x{height_px} px, and a point lies at column {projected.col.max()}, "
            f"row {projected.row.max()}",
            expected="scores of the whole image",
        )
