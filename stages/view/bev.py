"""The bird's-eye view: painted points from above, forward up."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from paintpipe.schemas.arrays import UNPAINTED, Float32, Float64, Int64, UInt8
from paintpipe.schemas.catalog import BoxRow
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.view.style import GRID, GROUND, MUTED, TEXT, display_palette
from paintpipe.stages.view.text import font

_SHIFT = 4
_SMALL_BOX_PX = 16
"""A box shorter than this has no room for the line that shows its front."""


def painted_reach_m(points: Float32, label: UInt8) -> float:
    """How far a bird's-eye view should reach: most painted points of a sweep, between 20 and 60 m.

    Args:
        points: (N, 2 or more) float32, x y in the LiDAR frame.
        label: (N,) uint8 class index, 255 where unpainted.
    """
    painted = points[label != UNPAINTED][:, :2]
    reach_m = float(np.nanpercentile(np.abs(painted).max(axis=1), 97)) if len(painted) else 40.0
    return float(np.clip(np.ceil(reach_m / 10.0) * 10.0, 20.0, 60.0))


def birds_eye(
    points: Float32,
    label: UInt8,
    taxonomy: Taxonomy,
    extent_m: float,
    size_px: int,
    boxes: Sequence[BoxRow] = (),
    *,
    box_classes: Mapping[str, tuple[int, ...]] | None = None,
    ego_SE3_lidar: Float64 | None = None,
) -> UInt8:
    """(size_px, size_px, 3) uint8 RGB: the sweep from above, the sensor in the middle, forward up and left left.

    Unpainted points are dim and lie beneath; among painted points the higher one is on top. Points that are not finite
    or lie outside are left out.

    Args:
        points: (N, 3 or more) float32, x y z in the LiDAR frame.
        label: (N,) uint8 class index, 255 where unpainted.
        taxonomy: colours, as `display_palette` gives them.
        extent_m: from the middle to the edge.
        size_px: side of the picture.
        boxes: outlined, with a line from the middle to the front, in a paler shade of their class: the first that
            `box_classes` has, else that of the same name or alias; grey where there is none.
        box_classes: box category → classes that are right inside it.
        ego_SE3_lidar: (4, 4); turns the view so that the vehicle's +x is up. Without it the LiDAR's +x is up, which is
            forward for KITTI and to the right for nuScenes.

    Raises:
        ConfigError: the extent or the size is not positive.
    """
    if not (np.isfinite(extent_m) and extent_m > 0 and size_px > 0):
        raise ConfigError(f"bird's-eye view of {extent_m} m in {size_px} px", expected="a positive extent and size")
    turn = _turn(ego_SE3_lidar)
    canvas = np.full((size_px, size_px, 3), GROUND, dtype=np.uint8)
    step_m = _ring_step_m(extent_m)
    _draw_rings(canvas, extent_m, step_m)
    _draw_points(canvas, points, label, display_palette(taxonomy), turn, extent_m)
    for box in boxes:
        index = next(iter((box_classes or {}).get(box.class_name, ())), taxonomy.index(box.class_name))
        _draw_box(canvas, box, MUTED if index is None else display_palette(taxonomy)[index], turn, extent_m)
    _draw_ego(canvas)
    return _with_ring_labels(canvas, extent_m, step_m)


def _turn(ego_SE3_lidar: Float64 | None) -> Float64:
    """(2, 2) rotation about +z from the LiDAR's x, y to forward, left."""
    yaw_rad = 0.0 if ego_SE3_lidar is None else float(np.arctan2(ego_SE3_lidar[1, 0], ego_SE3_lidar[0, 0]))
    return np.array([[np.cos(yaw_rad), -np.sin(yaw_rad)], [np.sin(yaw_rad), np.cos(yaw_rad)]])


def _pixels(forward_left_m: Float64, extent_m: float, size_px: int) -> Float64:
    """(N, 2) column and row, pixel edges at whole numbers, from (N, 2) forward and left in metres."""
    return np.stack([extent_m - forward_left_m[:, 1], extent_m - forward_left_m[:, 0]], axis=1) * (
        size_px / (2.0 * extent_m)
    )


def _draw_points(canvas: UInt8, points: Float32, label: UInt8, palette: UInt8, turn: Float64, extent_m: float) -> None:
    size_px = len(canvas)
    kept = np.flatnonzero(np.isfinite(points[:, :3]).all(axis=1) & (np.abs(points[:, :2]) < 2.0 * extent_m).all(axis=1))
    painted = label[kept] != UNPAINTED
    kept = kept[np.lexsort((points[kept, 2], painted))]
    pixel = np.floor(_pixels(points[kept, :2].astype(np.float64) @ turn.T, extent_m, size_px)).astype(np.int64)
    inside = ((pixel >= 0) & (pixel < size_px)).all(axis=1)
    pixel, shown = pixel[inside], label[kept[inside]]
    bare = int(np.count_nonzero(shown == UNPAINTED))
    _stamp(canvas, pixel[:bare], palette[shown[:bare]], 1)
    _stamp(canvas, pixel[bare:], palette[shown[bare:]], 1 + round(size_px / 700))


def _stamp(canvas: UInt8, pixel: Int64, color: UInt8, side_px: int) -> None:
    """Squares of `side_px` in the order given: numpy keeps the last of repeated indices, so later ones are on top."""
    size_px = len(canvas)
    steps = np.arange(side_px) - (side_px - 1) // 2
    dy, dx = (grid.reshape(-1) for grid in np.meshgrid(steps, steps, indexing="ij"))
    rows = np.clip(pixel[:, 1, None] + dy, 0, size_px - 1)
    cols = np.clip(pixel[:, 0, None] + dx, 0, size_px - 1)
    canvas[rows, cols] = color[:, None, :]


def _draw_box(canvas: UInt8, box: BoxRow, color: ArrayLike, turn: Float64, extent_m: float) -> None:
    import cv2

    length_m, width_m = float(box.size_lwh_m[0]), float(box.size_lwh_m[1])
    local = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1], [0, 0], [1, 0]]) * (length_m / 2.0, width_m / 2.0)
    cos, sin = np.cos(box.yaw_rad), np.sin(box.yaw_rad)
    lidar_xy_m = local @ np.array([[cos, sin], [-sin, cos]]) + box.center_m[:2]
    if not np.isfinite(lidar_xy_m).all() or np.abs(lidar_xy_m).max() > 4.0 * extent_m:
        return
    pixel = _pixels(lidar_xy_m @ turn.T, extent_m, len(canvas)) - 0.5
    corners = np.rint(pixel * (1 << _SHIFT)).astype(np.int32)
    outline = (0.6 * np.asarray(color, dtype=np.float64) + 0.4 * 255.0).tolist()
    thick = max(1, round(len(canvas) / 450))
    cv2.polylines(canvas, [corners[:4]], True, outline, thick, cv2.LINE_AA, _SHIFT)
    if length_m * len(canvas) / (2 * extent_m) >= _SMALL_BOX_PX:
        cv2.polylines(canvas, [corners[4:]], False, outline, thick, cv2.LINE_AA, _SHIFT)


def _ring_step_m(extent_m: float) -> float:
    """A round distance (1, 2 or 5 times a power of ten) that gives at most 6 rings."""
    power = 10.0 ** np.floor(np.log10(extent_m / 6.0))
    return float(next((power * step for step in (1, 2, 5) if power * step * 6 >= extent_m), power * 10))


def _rings_m(extent_m: float, step_m: float) -> list[float]:
    return [step_m * number for number in range(1, int(extent_m / step_m * (1 + 1e-9)) + 1)]


def _draw_rings(canvas: UInt8, extent_m: float, step_m: float) -> None:
    import cv2

    size_px = len(canvas)
    middle = round((size_px - 1) / 2 * (1 << _SHIFT))
    for ring_m in _rings_m(extent_m, step_m):
        radius = round(ring_m * size_px / (2 * extent_m) * (1 << _SHIFT))
        cv2.circle(canvas, (middle, middle), radius, GRID, 1, cv2.LINE_AA, _SHIFT)
    canvas[size_px // 2, :] = GRID
    canvas[:, size_px // 2] = GRID


def _draw_ego(canvas: UInt8) -> None:
    """An arrow head in the middle that points forward."""
    import cv2

    middle, reach = (len(canvas) - 1) / 2, max(4.0, len(canvas) / 70)
    tip = np.array([[0.0, -1.2], [0.75, 0.9], [0.0, 0.45], [-0.75, 0.9]]) * reach + middle
    shape = np.rint(tip * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(canvas, [shape], TEXT, cv2.LINE_AA, _SHIFT)
    cv2.polylines(canvas, [shape], True, GROUND, 1, cv2.LINE_AA, _SHIFT)


def _with_ring_labels(canvas: UInt8, extent_m: float, step_m: float) -> UInt8:
    """Metres beside each ring, to the upper right, on a patch of ground so that points do not run through them."""
    from PIL import Image, ImageDraw

    size_px = len(canvas)
    letters_px = max(10, round(size_px / 55))
    picture = Image.fromarray(canvas)
    draw = ImageDraw.Draw(picture)
    for ring_m in _rings_m(extent_m, step_m):
        reach = ring_m * size_px / (2 * extent_m) * np.sqrt(0.5)
        place = (size_px / 2 + reach, size_px / 2 - reach)
        words = f"{ring_m:g} m"
        left, top, right, bottom = draw.textbbox(place, words, font(letters_px), "mm")
        draw.rounded_rectangle((left - 4, top - 3, right + 3, bottom + 3), 4, GROUND)
        draw.text(place, words, MUTED, font(letters_px), "mm")
    return np.array(picture, dtype=np.uint8)
