"""What is taken to be turned: one camera about its centre, or the LiDAR about its own for all cameras at once."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.stages.evaluate.alignment.offsets import Axes, camera_rotation, homographies, rotations

_FRONT_R_CAR = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""From the car's axes (x ahead, y left, z up) to those of a camera that looks straight ahead (x right, y down)."""


class Turns(Protocol):
    """A way to turn a projection by small angles."""

    def projections(self, image_from_lidar: Float64, axes_deg: Axes) -> Float64:
        """(R · P · Y, 3, 4) the projection under every combination of angles, roll outermost."""


@dataclass(frozen=True)
class CameraTurns:
    """A camera turns about its centre, in its own axes.

    Attributes:
        K: (3, 3).
    """

    K: Float64

    def projections(self, image_from_lidar: Float64, axes_deg: Axes) -> Float64:
        """See `Turns`: pixels move by a homography, whatever their depth."""
        moved: Float64 = homographies(self.K, axes_deg) @ image_from_lidar
        return moved


@dataclass(frozen=True)
class LidarTurns:
    """The LiDAR turns about its origin, in the axes of a camera that looks straight ahead.

    So yaw means the same for all cameras, while a roll of the LiDAR is a pitch for those that look to the sides: what
    one of them can't tell, another can.

    Attributes:
        front_R_lidar: (3, 3).
    """

    front_R_lidar: Float64

    def projections(self, image_from_lidar: Float64, axes_deg: Axes) -> Float64:
        """See `Turns`."""
        turns = self.front_R_lidar.T @ rotations(axes_deg).reshape(-1, 3, 3) @ self.front_R_lidar
        found = np.empty((len(turns), 3, 4))
        found[:, :, :3], found[:, :, 3] = image_from_lidar[:, :3] @ turns, image_from_lidar[:, 3]
        return found


def front_R_lidar(ego_SE3_lidar: Float64 | None) -> Float64:
    """(3, 3) from the LiDAR's axes to those of a camera that looks straight ahead.

    Args:
        ego_SE3_lidar: (4, 4); None where unknown: the LiDAR's x is ahead and its z up then, as KITTI's are.
    """
    found: Float64 = _FRONT_R_CAR if ego_SE3_lidar is None else _FRONT_R_CAR @ ego_SE3_lidar[:3, :3]
    return found


def lidar_turned(image_from_lidar: Float64, front: Float64, angles_deg: tuple[float, float, float]) -> Float64:
    """(3, 4) the projection after the LiDAR turned about its origin.

    Args:
        image_from_lidar: (3, 4).
        front: (3, 3), see `front_R_lidar`.
        angles_deg: roll, pitch and yaw.
    """
    moved = image_from_lidar.copy()
    moved[:, :3] = image_from_lidar[:, :3] @ front.T @ camera_rotation(*angles_deg) @ front
    return moved
