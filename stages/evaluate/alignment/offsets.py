"""The offsets that are tried: small rotations about the camera's axes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from paintpipe.schemas.arrays import Float64

Axes = tuple[Float64, Float64, Float64]
"""Values of roll, pitch and yaw, in degrees."""
WIDEST_DEG = 10.0
"""Further out a rotation is no small one any more."""
_STEPS = 10
_ROLL_STEPS = 5
_COARSE_STEPS = 5
"""Steps to either side: of pitch and yaw, of a camera's roll (felt least), of pitch and yaw beside a shift in time."""


@dataclass(frozen=True)
class Grid:
    """What is tried.

    Attributes:
        max_angle_deg: rotations reach so far to either side.
        roll_steps: to either side.
    """

    max_angle_deg: float = 1.0
    roll_steps: int = _ROLL_STEPS

    @property
    def of_lidar(self) -> "Grid":
        """The same for the LiDAR, whose roll is felt as much as its pitch: by cameras that look to the sides."""
        return Grid(self.max_angle_deg, _STEPS)

    @property
    def step_deg(self) -> float:
        """Between two values of pitch or yaw."""
        return self.max_angle_deg / _STEPS

    @cached_property
    def axes_deg(self) -> Axes:
        """Values of roll, pitch and yaw."""
        fine = np.linspace(-self.max_angle_deg, self.max_angle_deg, 2 * _STEPS + 1)
        return np.linspace(-self.max_angle_deg, self.max_angle_deg, 2 * self.roll_steps + 1), fine, fine

    @cached_property
    def coarse_axes_deg(self) -> Axes:
        """The same where shifts in time are tried as well."""
        coarse = np.linspace(-self.max_angle_deg, self.max_angle_deg, 2 * _COARSE_STEPS + 1)
        return np.zeros(1), coarse, coarse


def camera_rotation(roll_deg: float, pitch_deg: float, yaw_deg: float) -> Float64:
    """(3, 3) rotation in camera axes (x right, y down, z ahead): about x by pitch, then about y by yaw, then about z.

    Applied to points before they are projected, positive roll turns their pixels clockwise, positive pitch lifts them,
    and positive yaw moves them to the right.
    """
    one = (np.array([roll_deg]), np.array([pitch_deg]), np.array([yaw_deg]))
    turned: Float64 = rotations(one)[0, 0, 0]
    return turned


def rotations(axes_deg: Axes) -> Float64:
    """(R, P, Y, 3, 3) every combination; see `camera_rotation`."""
    (cr, sr), (cp, sp), (cy, sy) = ((np.cos(a), np.sin(a)) for a in map(np.deg2rad, axes_deg))
    about_x, about_y, about_z = (np.tile(np.eye(3), (len(axis), 1, 1)) for axis in (cp, cy, cr))
    about_x[:, 1, 1], about_x[:, 1, 2], about_x[:, 2, 1], about_x[:, 2, 2] = cp, -sp, sp, cp
    about_y[:, 0, 0], about_y[:, 0, 2], about_y[:, 2, 0], about_y[:, 2, 2] = cy, sy, -sy, cy
    about_z[:, 0, 0], about_z[:, 0, 1], about_z[:, 1, 0], about_z[:, 1, 1] = cr, -sr, sr, cr
    all_turns: Float64 = about_z[:, None, None] @ (about_y[None, None, :] @ about_x[None, :, None])
    return all_turns


def homographies(K: Float64, axes_deg: Axes) -> Float64:
    """(R · P · Y, 3, 3) how pixels move when a camera turns about its centre: K · rotation · K⁻¹, roll outermost."""
    moved: Float64 = K @ rotations(axes_deg).reshape(-1, 3, 3) @ np.linalg.inv(K)
    return moved


def turned(image_from_lidar: Float64, K: Float64, angles_deg: tuple[float, float, float]) -> Float64:
    """(3, 4) the projection after a rotation by roll, pitch and yaw about the camera's centre."""
    moved: Float64 = K @ camera_rotation(*angles_deg) @ np.linalg.solve(K, image_from_lidar)
    return moved
