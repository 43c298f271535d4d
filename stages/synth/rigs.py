"""Where the sensors sit on the car: a rig like KITTI's and one like nuScenes', with calibration of our own."""

from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.geometry import invert_se3, se3
from paintpipe.stages.synth.pinhole import Pinhole
from paintpipe.stages.synth.settings import DEFAULT_AZIMUTHS, DEFAULT_BEAMS, DEFAULT_IMAGE_PX, Layout, SynthSettings
from paintpipe.stages.synth.spinner import Spinner

_CAMERA_AXES = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Turns camera axes (x right, y down, z ahead) to vehicle axes (x ahead, y left, z up)."""


@dataclass(frozen=True)
class Mount:
    """One camera of a rig.

    Attributes:
        pinhole: its rays.
        ego_SE3_camera: where it sits.
        delay_us: how long after the LiDAR's time it fires (negative: before).
    """

    pinhole: Pinhole
    ego_SE3_camera: Float64
    delay_us: int = 0


@dataclass(frozen=True)
class Rig:
    """A LiDAR and its cameras. `ray_SE3_lidar` turns the LiDAR's published axes to the spinner's own."""

    lidar: Spinner
    ego_SE3_lidar: Float64
    ray_SE3_lidar: Float64
    mounts: dict[str, Mount]


@dataclass(frozen=True)
class KittiCalibration:
    """`calib.txt`: P0 … P3 (3, 4) by index, and Tr (4, 4), `cam0_SE3_velo`."""

    P: tuple[Float64, Float64, Float64, Float64]
    cam0_SE3_velo: Float64

    def cam0_SE3_cam(self, index: int) -> Float64:
        """(4, 4) from a rectified camera to camera 0: what P's last column says."""
        P = self.P[index]
        return se3(np.eye(3), (-np.linalg.inv(P[:, :3]) @ P[:, 3]).tolist())


def kitti_calibration(width_px: int, height_px: int) -> KittiCalibration:
    """A calibration like a KITTI drive's, for images of a size; the horizontal field of view is 82 degrees."""
    focal, center_u, center_v = 0.578 * width_px, 0.4893 * width_px, 0.4927 * height_px
    offsets = ((0.0, 0.0, 0.0), (-0.537 * focal, 0.0, 0.0), (0.0633 * focal, -0.00031 * focal, 0.0038))
    shifts = (*offsets, (-0.469 * focal, 0.0031 * focal, 0.0049))
    K = np.array([[focal, 0.0, center_u], [0.0, focal, center_v], [0.0, 0.0, 1.0]])
    projections = tuple(np.column_stack([K, shift]) for shift in shifts)
    tilt = _turn(0.0072, -0.0005, 0.0078)
    Tr = se3(tilt @ _CAMERA_AXES.T, [-0.012, -0.055, -0.291])
    return KittiCalibration((projections[0], projections[1], projections[2], projections[3]), Tr)


def kitti_rig(settings: SynthSettings) -> tuple[Rig, KittiCalibration]:
    """A 64-beam LiDAR on the roof and `image_2`, which fires at the LiDAR's time."""
    height_px, width_px = image_size(settings, "semantickitti")
    calibration = kitti_calibration(width_px, height_px)
    ego_SE3_lidar = se3(np.eye(3), [0.76, 0.0, 1.73])
    cam0_SE3_cam2 = calibration.cam0_SE3_cam(2)
    ego_SE3_camera = ego_SE3_lidar @ invert_se3(calibration.cam0_SE3_velo) @ cam0_SE3_cam2
    # a projection's third row adds P[2, 3] to the depth, which cam0_SE3_cam holds too
    pinhole = Pinhole(calibration.P[2][:, :3], width_px, height_px)
    lidar = spinner(settings, "semantickitti", 2.0, -24.8)
    return Rig(lidar, ego_SE3_lidar, np.eye(4), {"image_2": Mount(pinhole, ego_SE3_camera)}), calibration


_RING = {
    "CAM_FRONT": (0.0, (1.72, 0.00, 1.51), 0.792, -36_000),
    "CAM_FRONT_RIGHT": (-56.0, (1.58, -0.50, 1.50), 0.788, -27_500),
    "CAM_BACK_RIGHT": (-111.0, (1.05, -0.48, 1.56), 0.786, -19_500),
    "CAM_BACK": (180.0, (0.05, 0.00, 1.57), 0.508, -10_000),
    "CAM_BACK_LEFT": (109.0, (1.04, 0.48, 1.58), 0.786, -1_000),
    "CAM_FRONT_LEFT": (55.0, (1.55, 0.50, 1.51), 0.794, -43_500),
}
"""Yaw (degrees), place (m), focal length over image width, and when it fires after the LiDAR's stamp (µs)."""


def nuscenes_rig(settings: SynthSettings) -> Rig:
    """A 32-beam LiDAR (x right, y ahead) and six cameras around the car, each fired as the spin sweeps it."""
    height_px, width_px = image_size(settings, "nuscenes")
    mounts = {}
    for number, (camera, (yaw_deg, place_m, focal, delay_us)) in enumerate(_RING.items()):
        wobble = 0.004 * np.sin(1.7 * number + np.arange(3))
        rotation = _turn(0.0, 0.0, np.deg2rad(yaw_deg)) @ _CAMERA_AXES @ _turn(*wobble.tolist())
        center = (width_px * (0.508 + 0.004 * np.sin(number)), height_px * (0.545 + 0.006 * np.cos(number)))
        K = np.array([[focal * width_px, 0.0, center[0]], [0.0, focal * width_px, center[1]], [0.0, 0.0, 1.0]])
        mounts[camera] = Mount(Pinhole(K, width_px, height_px), se3(rotation, place_m), delay_us)
    ray_SE3_lidar = se3(_turn(0.0, 0.0, -np.pi / 2), [0.0, 0.0, 0.0])
    ego_SE3_ray = se3(_turn(0.006, 0.012, 0.001), [0.94, 0.0, 1.84])
    return Rig(spinner(settings, "nuscenes", 10.67, -30.67), ego_SE3_ray @ ray_SE3_lidar, ray_SE3_lidar, mounts)


def spinner(settings: SynthSettings, layout: Layout, top_deg: float, bottom_deg: float) -> Spinner:
    """The layout's LiDAR, its rings spread evenly between two elevations."""
    beams = settings.beams or DEFAULT_BEAMS[layout]
    rings = np.deg2rad(np.linspace(top_deg, bottom_deg, beams))
    return Spinner(rings, settings.azimuths or DEFAULT_AZIMUTHS[layout], 80.0)


def image_size(settings: SynthSettings, layout: Layout) -> tuple[int, int]:
    """(height, width) of the layout's images."""
    return settings.image_size_px or DEFAULT_IMAGE_PX[layout]


def _turn(roll_rad: float, pitch_rad: float, yaw_rad: float) -> Float64:
    """(3, 3) rotation about x, then y, then z."""
    (cr, sr), (cp, sp), (cy, sy) = ((np.cos(a), np.sin(a)) for a in (roll_rad, pitch_rad, yaw_rad))
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1.0]])
    turned: Float64 = about_z @ about_y @ about_x
    return turned
