"""How LiDAR points reach an image: the matrices of one camera, composed in float64."""

from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.geometry import image_from_lidar, se3


@dataclass(frozen=True)
class CameraGeometry:
    """The matrices of one camera, as the catalog's image rows hold them; see `ImageRow` for what each is."""

    K: Float64
    camera_SE3_lidar: Float64
    image_from_lidar: Float64
    P_rect: Float64 | None = None
    R_rect: Float64 | None = None
    cam_SE3_velo: Float64 | None = None
    velo_SE3_imu: Float64 | None = None


def pinhole_camera(K: Float64, camera_SE3_lidar: Float64) -> CameraGeometry:
    """A camera that is given by its (3, 3) intrinsics and its (4, 4) place."""
    return CameraGeometry(K, camera_SE3_lidar, image_from_lidar(K, camera_SE3_lidar))


def kitti_camera(
    P_rect: Float64, cam_SE3_velo: Float64, R_rect: Float64 | None = None, velo_SE3_imu: Float64 | None = None
) -> CameraGeometry:
    """A camera of the KITTI family: `image_from_lidar` = P_rect · R_rect · cam_SE3_velo.

    P_rect (3, 4) projects from the rectified frame of camera 0 and holds the baseline of its own camera in the last
    column: P = K · [I | t] with t = K⁻¹ · P[:, 3], so camera_SE3_rect0 is a translation by t.

    Args:
        P_rect: (3, 4) `P2` or `P_rect_02`.
        cam_SE3_velo: (4, 4) from the LiDAR to camera 0, not rectified (rectified where `R_rect` is None).
        R_rect: (3, 3) `R0_rect` or `R_rect_00`; None for SemanticKITTI, whose `Tr` has it inside.
        velo_SE3_imu: (4, 4), kept for the record.
    """
    rect0_SE3_velo = cam_SE3_velo if R_rect is None else se3(R_rect, (0.0, 0.0, 0.0)) @ cam_SE3_velo
    K = P_rect[:, :3]
    camera_SE3_rect0 = se3(np.eye(3), np.linalg.solve(K, P_rect[:, 3]))
    return CameraGeometry(
        K=K,
        camera_SE3_lidar=camera_SE3_rect0 @ rect0_SE3_velo,
        image_from_lidar=P_rect @ rect0_SE3_velo,
        P_rect=P_rect,
        R_rect=R_rect,
        cam_SE3_velo=cam_SE3_velo,
        velo_SE3_imu=velo_SE3_imu,
    )
