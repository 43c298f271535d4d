"""A camera's rays, and the part of its image that each solid can cover."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from paintpipe.schemas.arrays import Float64, Int64
from paintpipe.stages.synth.primitives import Solids
from paintpipe.stages.synth.trace import Rays

CORNERS = np.array(list(product((-1.0, 1.0), repeat=3)))
"""(8, 3) corners of the cube that every unit solid lies in."""
_EDGES = np.array([(a, b) for a in range(8) for b in range(a + 1, 8) if bin(a ^ b).count("1") == 1])
_NEAR_M = 0.05


@dataclass(frozen=True)
class Pinhole:
    """A camera: x right, y down, z ahead; pixel (i, j) covers [j, j+1) × [i, i+1)."""

    K: Float64
    width_px: int
    height_px: int

    def rays(self, world_SE3_camera: Float64) -> Rays:
        """One ray through the centre of each pixel."""
        u, v = np.meshgrid(np.arange(self.width_px) + 0.5, np.arange(self.height_px) + 0.5)
        pixels = np.stack([u, v, np.ones_like(u)], axis=-1)
        directions = pixels @ np.linalg.inv(self.K).T
        directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
        turned = np.ascontiguousarray(directions @ world_SE3_camera[:3, :3].T)
        return Rays(world_SE3_camera[:3, 3].reshape(1, 1, 3).copy(), turned)

    def windows(self, solids: Solids, world_SE3_camera: Float64) -> Int64:
        """(N, 4) first and last row and column that each solid can cover, ends excluded; empty where out of sight."""
        ends = corners_in(solids, np.linalg.inv(world_SE3_camera))[:, _EDGES]
        depth = ends[..., 2]
        seen = (depth >= _NEAR_M).any(axis=(1, 2))
        share = (_NEAR_M - depth[..., 0]) / np.where(depth[..., 1] == depth[..., 0], 1.0, depth[..., 1] - depth[..., 0])
        cut = ends[:, :, 0] + np.clip(share, 0.0, 1.0)[..., None] * (ends[:, :, 1] - ends[:, :, 0])
        kept = np.where((depth < _NEAR_M)[..., None], cut[:, :, None], ends)
        kept = np.where((depth < _NEAR_M).all(axis=2)[:, :, None, None], np.nan, kept)
        pixels = kept @ self.K.T
        pixels[~seen] = 1.0
        u, v = pixels[..., 0] / pixels[..., 2], pixels[..., 1] / pixels[..., 2]
        limits = (v, self.height_px), (u, self.width_px)
        columns = [column for values, size in limits for column in span(values.reshape(len(u), -1), size)]
        return np.where(seen[:, None], np.stack(columns, axis=1), 0)


def corners_in(solids: Solids, frame_SE3_world: Float64) -> Float64:
    """(N, 8, 3) corners of each solid's bounding box in a frame."""
    world = CORNERS @ np.transpose(solids.world_from_unit[:, :, :3], (0, 2, 1)) + solids.world_from_unit[:, None, :, 3]
    moved: Float64 = world @ frame_SE3_world[:3, :3].T + frame_SE3_world[:3, 3]
    return moved


def span(values_px: Float64, size_px: int) -> tuple[Int64, Int64]:
    """First and last (excluded) index of a grid that (N, K) continuous positions reach, a margin of one kept."""
    low = np.clip(np.floor(np.nanmin(values_px, axis=1)) - 1, 0, size_px)
    high = np.clip(np.ceil(np.nanmax(values_px, axis=1)) + 1, 0, size_px)
    return low.astype(np.int64), high.astype(np.int64)
