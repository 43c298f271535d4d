"""Small cameras, points and scores for the tests of painting."""

from pathlib import Path
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Bool, Float32, Float64
from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.catalog import BoxRow
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.paint.project import Projected
from paintpipe.stages.paint.views import CameraSample, ProjectedView

FORWARD = np.array([[0.0, -1.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
"""camera_SE3_lidar[:3] of a camera at the LiDAR that looks along +x: its x is -y, its y is -z, its depth is x."""


def make_view(**overrides: Any) -> CameraView:
    """100x60 px, focal length 50 px, optical axis through (50, 30): u = 50 - 50 y / x, v = 30 - 50 z / x."""
    K = np.array([[50.0, 0.0, 50.0], [0.0, 50.0, 30.0], [0.0, 0.0, 1.0]])
    fields: dict[str, Any] = {"camera": "front", "width_px": 100, "height_px": 60, "image_from_lidar": K @ FORWARD}
    return CameraView(**{**fields, **overrides})


def cloud(*rows: tuple[float, ...]) -> Float32:
    """(N, 3 or more) float32 points."""
    return np.array(rows, dtype=np.float32).reshape(len(rows), -1)


def make_projected(index: AnyArray, u_px: AnyArray, v_px: AnyArray, depth_m: AnyArray | float = 10.0) -> Projected:
    u, v = np.asarray(u_px, dtype=np.float64), np.asarray(v_px, dtype=np.float64)
    depth = np.broadcast_to(np.asarray(depth_m, dtype=np.float32), u.shape)
    col, row = np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)
    return Projected(
        np.asarray(index, np.int32), col, row, u.astype(np.float32), v.astype(np.float32), np.ascontiguousarray(depth)
    )


def pixels_at(row: AnyArray, col: AnyArray) -> Projected:
    """One point in the middle of each pixel."""
    return make_projected(np.arange(len(row)), np.asarray(col) + 0.5, np.asarray(row) + 0.5)


def make_sample(
    camera: int,
    index: AnyArray,
    scores: AnyArray,
    painted: AnyArray | None = None,
    dt_us: int | None = None,
    depth_edge: Bool | None = None,
) -> CameraSample:
    """A camera that sees the points of `index` at u = 10 · camera + row, v = row, depth = camera + 1."""
    rows = np.arange(len(index))
    projected = make_projected(index, 10.0 * camera + rows, rows.astype(np.float64), camera + 1.0)
    edge = np.zeros(len(index), np.bool_) if depth_edge is None else depth_edge
    view = ProjectedView(camera, f"camera_{camera}", projected, edge, dt_us)
    valid = np.ones(len(index), np.bool_) if painted is None else np.asarray(painted, np.bool_)
    return CameraSample(view, np.where(valid[:, None], np.asarray(scores, np.float32), np.float32(0)), valid)


def make_box(**overrides: Any) -> BoxRow:
    """A car 4 m long, 2 m wide and 1 m high around the origin."""
    fields: dict[str, Any] = {"sequence": "0", "index": 0, "frame_id": "0", "class_name": "Car", "yaw_rad": 0.0}
    shape = {"center_m": np.zeros(3), "size_lwh_m": np.array([4.0, 2.0, 1.0])}
    return BoxRow(**{**fields, **shape, **overrides})


def make_taxonomy(**overrides: Any) -> Taxonomy:
    classes = ("car", "person", "background")
    fields: dict[str, Any] = {"name": "toy", "classes": classes, "colors_rgb": ((0, 0, 0),) * 3}
    extra = {"background": "background", "raw_ids": {10: 0, 30: 1, 40: 2}, "aliases": {"Car": "car"}}
    return Taxonomy(**{**fields, **extra, **overrides})


def kitti_numbers(path: Path) -> dict[str, Float64]:
    """The rows of a KITTI calibration file that hold numbers."""
    found = {}
    for line in path.read_text().splitlines():
        key, _, rest = line.partition(":")
        try:
            found[key] = np.array(rest.split(), dtype=np.float64)
        except ValueError:
            continue
    return found


def png_size(path: Path) -> tuple[int, int]:
    """(width, height) from a PNG's header."""
    head = path.read_bytes()[16:24]
    return int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")


def kitti_object(real_data: Path, frame: str) -> tuple[Float32, CameraView, Float64]:
    """Points, image_2's view and rect_SE3_lidar of a KITTI object frame, straight from the published text."""
    folder = real_data / "kitti" / "training"
    calib = kitti_numbers(folder / "calib" / f"{frame}.txt")
    R0, Tr = np.eye(4), np.eye(4)
    R0[:3, :3], Tr[:3] = calib["R0_rect"].reshape(3, 3), calib["Tr_velo_to_cam"].reshape(3, 4)
    P2 = calib["P2"].reshape(3, 4)
    width, height = png_size(folder / "image_2" / f"{frame}.png")
    points = np.fromfile(folder / "velodyne" / f"{frame}.bin", np.float32).reshape(-1, 4)
    return points, CameraView("image_2", width, height, P2 @ R0 @ Tr, depth_offset_m=P2[2, 3]), R0 @ Tr
