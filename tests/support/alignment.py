"""A hand-made scene with a known answer: a box before a wall, seen by a LiDAR and by a camera at the same place."""

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, UInt8
from paintpipe.schemas.camera import CameraView
from paintpipe.stages.evaluate.alignment.offsets import camera_rotation

WIDTH_PX, HEIGHT_PX, FOCAL_PX = 640, 240, 480.0
K = np.array([[FOCAL_PX, 0.0, 320.0], [0.0, FOCAL_PX, 120.0], [0.0, 0.0, 1.0]])
FORWARD = np.array([[0.0, -1.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
"""camera_SE3_lidar[:3] of a camera at the LiDAR: the LiDAR's x is ahead, its y is left, its z is up."""
WALL_M, BOX_M = 30.0, 12.0
BOXES = ((-4.0, -2.5, -0.6, 0.9), (-0.8, 1.1, -1.2, 0.5), (2.6, 3.9, -0.9, 1.3))
"""Left and right in y, bottom and top in z of the boxes' faces, all at x = BOX_M."""


def view(angles_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> CameraView:
    """The camera, its projection turned by a planted error."""
    return CameraView("front", WIDTH_PX, HEIGHT_PX, K @ camera_rotation(*angles_deg) @ FORWARD)


def sweep(lines: int = 121, columns: int = 1800) -> Float32:
    """(N, 4) float32 a turn of a LiDAR in KITTI's order: line by line from the top, each from straight ahead leftwards.

    The wall goes round at WALL_M, so that only the boxes make jumps.
    """
    elevation = np.deg2rad(np.linspace(8.0, -8.0, lines))[:, None]
    azimuth = 2 * np.pi * np.arange(columns)[None, :] / columns
    rays = np.stack(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation) + 0 * azimuth], -1
    )
    reach = np.full(rays.shape[:2], WALL_M)
    with np.errstate(divide="ignore", invalid="ignore"):
        y, z = BOX_M * rays[..., 1] / rays[..., 0], BOX_M * rays[..., 2] / rays[..., 0]
    for left, right, bottom, top in BOXES:
        hit = (rays[..., 0] > 0.1) & (y > left) & (y < right) & (z > bottom) & (z < top)
        reach[hit] = BOX_M / rays[..., 0][hit]
    points = (rays * reach[..., None]).reshape(-1, 3)
    return np.column_stack([points, np.full(len(points), 0.5)]).astype(np.float32)


def photograph(noise: float = 4.0) -> UInt8:
    """(H, W, 3) uint8 of the same scene: darker boxes before a grey wall, with a little noise."""
    v, u = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX] + 0.5
    y, z = -(u - K[0, 2]) / FOCAL_PX * BOX_M, -(v - K[1, 2]) / FOCAL_PX * BOX_M
    image: Float64 = np.full((HEIGHT_PX, WIDTH_PX), 150.0)
    for number, (left, right, bottom, top) in enumerate(BOXES):
        image[(y > left) & (y < right) & (z > bottom) & (z < top)] = 60.0 + 30.0 * number
    noisy = image[..., None] + np.random.default_rng(0).normal(0.0, noise, (HEIGHT_PX, WIDTH_PX, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)
