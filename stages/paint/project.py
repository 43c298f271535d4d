"""Which points a camera sees, and at which pixel (PointPainting, arXiv 1911.10150, section 2.2)."""

from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int32
from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.errors import CalibrationError, PointsError
from paintpipe.schemas.settings import Projection
from paintpipe.stages.paint.project_kernels import locate_pixels, near_frustum


@dataclass(frozen=True)
class Projected:
    """The M points that one camera sees, in order of the point file.

    Attributes:
        index: (M,) int32 row in the point file, ascending.
        col: (M,) int32 pixel column, floor of the float64 u, in 0 … W-1.
        row: (M,) int32 pixel row, floor of the float64 v, in 0 … H-1.
        u_px: (M,) float32 horizontal image coordinate; pixel j covers [j, j + 1).
        v_px: (M,) float32 vertical image coordinate.
        depth_m: (M,) float32 depth that the preset tested: along the optical axis.
    """

    index: Int32
    col: Int32
    row: Int32
    u_px: Float32
    v_px: Float32
    depth_m: Float32

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class _Window:
    """What a preset keeps: depth > min_depth_m, low_px <= u < W - border_px, and v likewise."""

    min_depth_m: float
    low_px: float
    border_px: float


_WINDOWS: dict[Projection, _Window] = {
    "default": _Window(min_depth_m=0.0, low_px=0.0, border_px=0.0),
    # The devkit keeps 1 < u: the smallest number above 1 turns that into a closed bound.
    "nuscenes-devkit": _Window(min_depth_m=1.0, low_px=float(np.nextafter(1.0, 2.0)), border_px=1.0),
    "openpcdet": _Window(min_depth_m=0.0, low_px=0.0, border_px=0.0),
}


def project_points(points: Float32, view: CameraView, rule: Projection = "default") -> Projected:
    """The points that a camera sees under a named preset, with their pixels.

    All arithmetic is float64, depth is tested before anything is divided by it, and pixels are floored before any
    cast. Points with NaN or infinite coordinates are never selected.

    - `default`: depth > 0, 0 <= u < W, 0 <= v < H, with depth the third row of `image_from_lidar · X`.
    - `nuscenes-devkit`: depth > 1 m, 1 < u < W-1, 1 < v < H-1, as the devkit's `map_pointcloud_to_image`.
    - `openpcdet`: depth less P2[2, 3] both divides and is tested (> 0), as in OpenPCDet's `rect_to_img`.

    Args:
        points: (N, >=3) float32; x, y, z in metres in the LiDAR frame come first.
        view: the camera, whose `image_from_lidar` is (3, 4).
        rule: the preset.

    Raises:
        PointsError: `points` is not an (N, >=3) table.
        CalibrationError: the matrix is not (3, 4) or holds a number that is not finite.
    """
    if points.ndim != 2 or points.shape[1] < 3:
        raise PointsError(f"points have shape {points.shape}", expected="(N, 3 or more)")
    matrix = _checked_matrix(view)
    window = _WINDOWS[rule]
    offset_m = float(view.depth_offset_m) if rule == "openpcdet" else 0.0
    right_px, bottom_px = view.width_px - window.border_px, view.height_px - window.border_px
    table = np.ascontiguousarray(points, dtype=np.float32)
    near = near_frustum(table, matrix, offset_m, window.min_depth_m, right_px, bottom_px)
    return Projected(*locate_pixels(table, matrix, offset_m, window.low_px, right_px, bottom_px, near))


def _checked_matrix(view: CameraView) -> Float64:
    matrix = np.ascontiguousarray(view.image_from_lidar, dtype=np.float64)
    if matrix.shape != (3, 4) or not np.isfinite(matrix).all():
        raise CalibrationError(
            f"image_from_lidar {matrix.tolist()} can't project", where=view.camera, expected="3x4 finite numbers"
        )
    return matrix
