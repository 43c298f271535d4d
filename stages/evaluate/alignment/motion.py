"""Where the LiDAR was a moment before or after a sweep, from the poses of its neighbours."""

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.geometry import invert_se3, se3
from paintpipe.stages.ingest.quaternion import quaternion_from_rotation

LONGEST_GAP_US = 2_000_000
"""Between neighbours further apart nothing is known of the motion."""


def motion_known(now: FrameRow, other: FrameRow | None) -> bool:
    """Whether two frames tell how the LiDAR moved between them."""
    if other is None or now.timestamp_us is None or other.timestamp_us is None:
        return False
    if now.global_SE3_lidar is None or other.global_SE3_lidar is None:
        return False
    return 0 < abs(other.timestamp_us - now.timestamp_us) <= LONGEST_GAP_US


def then_SE3_now(now: FrameRow, before: FrameRow | None, after: FrameRow | None, shift_us: float) -> Float64 | None:
    """(4, 4) from the LiDAR's frame at a sweep to its frame `shift_us` later (earlier where negative).

    The motion from or to the neighbour on that side goes on at a constant turn rate and speed; where that neighbour
    can't be used, the other's serves. None where neither can.
    """
    for other in (after, before) if shift_us > 0 else (before, after):
        if other is None or not motion_known(now, other):
            continue
        assert now.timestamp_us is not None
        assert other.timestamp_us is not None
        assert now.global_SE3_lidar is not None
        assert other.global_SE3_lidar is not None
        share = shift_us / (other.timestamp_us - now.timestamp_us)
        return moved_by(invert_se3(other.global_SE3_lidar) @ now.global_SE3_lidar, share)
    return None


def moved_by(later_SE3_earlier: Float64, share: float) -> Float64:
    """(4, 4) that share of a rigid motion, at a constant turn rate and speed (the exponential of its twist)."""
    turn_rad, along = _twist(later_SE3_earlier)
    rotation, path = _exponential(share * turn_rad)
    return se3(rotation, path @ (share * along))


def _twist(motion: Float64) -> tuple[Float64, Float64]:
    """(3,) rotation vector in radians and (3,) linear part of a motion's logarithm."""
    w, *axis = quaternion_from_rotation(motion[:3, :3]).tolist()
    sine = float(np.linalg.norm(axis))
    angle = 2.0 * float(np.arctan2(sine, w))
    turn_rad = np.array(axis) * (angle / sine if sine > 1e-12 else 2.0)
    _, path = _exponential(turn_rad)
    along: Float64 = np.linalg.solve(path, motion[:3, 3])
    return turn_rad, along


def _exponential(turn_rad: Float64) -> tuple[Float64, Float64]:
    """(3, 3) rotation of a rotation vector (Rodrigues), (3, 3) what takes a twist's linear part to a translation."""
    angle = float(np.linalg.norm(turn_rad))
    x, y, z = turn_rad
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    if angle < 1e-9:
        return np.eye(3) + cross, np.eye(3) + cross / 2
    sine, versine = np.sin(angle) / angle, (1.0 - np.cos(angle)) / angle**2
    rotation = np.eye(3) + sine * cross + versine * cross @ cross
    return rotation, np.eye(3) + versine * cross + (1.0 - sine) / angle**2 * cross @ cross
