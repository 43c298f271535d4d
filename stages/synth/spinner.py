"""A spinning LiDAR's rays, and the part of its turn in which each solid can be met."""

from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Bool, Float64, Int64
from paintpipe.stages.synth.pinhole import corners_in
from paintpipe.stages.synth.primitives import Solids
from paintpipe.stages.synth.trace import Rays

_MARGIN_RAD = 1e-3
_OVERHEAD_M = 0.2


@dataclass(frozen=True)
class Spinner:
    """A LiDAR whose rings each turn once; x ahead, y left, z up.

    Attributes:
        elevations_rad: (B,) of the rings, highest first.
        azimuths: rays a turn; they start ahead and run clockwise seen from above.
        reach_m: no return comes from beyond.
    """

    elevations_rad: Float64
    azimuths: int
    reach_m: float

    def rays(self, world_SE3_lidar: Float64) -> Rays:
        """(B, A) rays of a whole turn, all from one instant."""
        azimuth = -2 * np.pi * np.arange(self.azimuths) / self.azimuths
        flat, up = np.cos(self.elevations_rad)[:, None], np.sin(self.elevations_rad)[:, None]
        parts = [flat * np.cos(azimuth), flat * np.sin(azimuth), np.broadcast_to(up, (len(up), self.azimuths))]
        directions = np.ascontiguousarray(np.stack(parts, axis=-1) @ world_SE3_lidar[:3, :3].T)
        return Rays(world_SE3_lidar[:3, 3].reshape(1, 1, 3).copy(), directions)

    def windows(self, solids: Solids, world_SE3_lidar: Float64) -> Int64:
        """(N, 4) first and last ring and column of each solid, ends excluded; columns may run past the turn's end."""
        corners = corners_in(solids, np.linalg.inv(world_SE3_lidar))
        middle = np.arctan2(corners[:, :, 1].mean(axis=1), corners[:, :, 0].mean(axis=1))
        swing = np.arctan2(corners[:, :, 1], corners[:, :, 0]) - middle[:, None]
        swing = (swing + np.pi) % (2 * np.pi) - np.pi
        around = np.ptp(swing, axis=1) > np.pi - 0.1
        step = 2 * np.pi / self.azimuths
        first = np.floor(-(middle + swing.max(axis=1) + _MARGIN_RAD) / step).astype(np.int64)
        last = np.ceil(-(middle + swing.min(axis=1) - _MARGIN_RAD) / step).astype(np.int64) + 1
        rings = self._rings(corners, around)
        columns = np.where(around[:, None], [[0, self.azimuths]], np.stack([first, last], axis=1) + self.azimuths)
        reach = np.linalg.norm(corners - corners.mean(axis=1, keepdims=True), axis=2).max(axis=1) + self.reach_m
        near = np.linalg.norm(corners.mean(axis=1), axis=1) < reach
        return np.where(near[:, None], np.concatenate([rings, columns], axis=1), 0)

    def _rings(self, corners_m: Float64, around: Bool) -> Int64:
        """(N, 2) rings between the steepest looks at each box's top and bottom."""
        flat = np.linalg.norm(corners_m[:, :, :2], axis=2)
        # the box's nearest side may be nearer than its nearest corner
        edges = np.linalg.norm(np.ptp(corners_m[:, :, :2], axis=1), axis=1)
        nearest = np.sqrt(np.maximum(flat.min(axis=1) ** 2 - (edges / 2) ** 2, _OVERHEAD_M**2))
        nearest = np.where(around, _OVERHEAD_M, nearest)
        low, high = corners_m[:, :, 2].min(axis=1), corners_m[:, :, 2].max(axis=1)
        top = np.arctan2(high, np.where(high > 0, nearest, flat.max(axis=1))) + _MARGIN_RAD
        bottom = np.arctan2(low, np.where(low < 0, nearest, flat.max(axis=1))) - _MARGIN_RAD
        first = np.searchsorted(-self.elevations_rad, -top)
        last = np.searchsorted(-self.elevations_rad, -bottom, side="right")
        return np.stack([first, last], axis=1)
