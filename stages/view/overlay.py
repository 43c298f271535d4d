"""What the camera saw, in class colours: per pixel, and per projected point."""

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, Float32, Int32, Int64, UInt8
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.view.style import UNPAINTED_RING, display_palette

_SHIFT = 3
"""Bits of sub-pixel precision that `cv2.circle` takes radii with."""


def overlay_labels(image: UInt8, labels: UInt8, taxonomy: Taxonomy, alpha: float = 0.5) -> UInt8:
    """(H, W, 3) uint8 RGB: the image blended with each pixel's class colour; pixels labelled 255 stay as they are.

    Args:
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8 class index, 255 where none.
        taxonomy: colours, as `display_palette` gives them.
        alpha: weight of the class colour, 0 to 1; rounded to the nearest 256th.
    """
    color = display_palette(taxonomy)[labels].astype(np.uint32)
    weight = round(alpha * 256)
    # 32 bits wide: numpy 1 multiplies a uint8 array with a small scalar in 8 bits.
    blend = (color * weight + image.astype(np.uint32) * (256 - weight) + 128) >> 8
    return np.where((labels == UNPAINTED)[..., None], image, blend.astype(np.uint8))


def overlay_points(
    image: UInt8,
    col: Int32,
    row: Int32,
    label: UInt8,
    depth_m: Float32,
    taxonomy: Taxonomy,
    *,
    brightness: float = 0.6,
    scale: float = 1.0,
) -> UInt8:
    """(H, W, 3) uint8 RGB: projected points as discs over the darkened image, the nearer the larger and on top.

    Painted points are filled in their class colour; unpainted ones are grey circles. Points whose pixel lies outside
    the image, or whose depth is not a positive finite number, are left out.

    Args:
        image: (H, W, 3) uint8 RGB.
        col: (N,) int32 pixel column, any value outside the image for points that the camera does not see.
        row: (N,) int32 pixel row.
        label: (N,) uint8 class index, 255 where unpainted.
        depth_m: (N,) float32.
        taxonomy: colours, as `display_palette` gives them.
        brightness: factor on the image, so that the points stand out.
        scale: factor on the radii, above 1 where the picture will be shown smaller than it is.
    """
    import cv2

    height_px, width_px = image.shape[:2]
    canvas = cv2.convertScaleAbs(image, alpha=brightness) if image.size else image.copy()
    order = _far_to_near(col, row, depth_m, width_px, height_px)
    radii = _radii(depth_m[order], width_px, scale)
    colors = display_palette(taxonomy)[label[order]]
    whole = 1 << _SHIFT
    rows = zip(col[order].tolist(), row[order].tolist(), radii, label[order].tolist(), colors.tolist(), strict=True)
    for x, y, radius, value, color in rows:
        center, reach = (x * whole, y * whole), round(radius * whole)
        if value == UNPAINTED:
            cv2.circle(canvas, center, reach, UNPAINTED_RING, 1, cv2.LINE_AA, _SHIFT)
        else:
            cv2.circle(canvas, center, reach, color, cv2.FILLED, cv2.LINE_AA, _SHIFT)
    return np.asarray(canvas, dtype=np.uint8)


def _far_to_near(col: Int32, row: Int32, depth_m: Float32, width_px: int, height_px: int) -> Int64:
    """Indices of the points that can be drawn, the farthest first."""
    inside = (col >= 0) & (col < width_px) & (row >= 0) & (row < height_px)
    drawn = np.flatnonzero(inside & np.isfinite(depth_m) & (depth_m > 0))
    return drawn[np.argsort(-depth_m[drawn], kind="stable")].astype(np.int64)


def _radii(depth_m: Float32, width_px: int, scale: float) -> list[float]:
    """Radii in pixels: 2 px at 8 m on a KITTI image (1242 px wide), falling with the root of the depth."""
    nominal = 2.0 * np.sqrt(8.0 / np.maximum(depth_m, 1.0)) * (width_px / 1242.0)
    radii: list[float] = np.clip(nominal * scale, 0.9, 40.0).tolist()
    return radii
