"""What the sensors record of a world: pictures with a class per pixel, sweeps with a class per point."""

from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int64, UInt8
from paintpipe.stages.synth.ground import NOWHERE, ON_ROAD
from paintpipe.stages.synth.pinhole import Pinhole
from paintpipe.stages.synth.primitives import Solids
from paintpipe.stages.synth.settings import ROAD, SIDEWALK, SKY
from paintpipe.stages.synth.shade import shade
from paintpipe.stages.synth.spinner import Spinner
from paintpipe.stages.synth.sun import cast_light
from paintpipe.stages.synth.trace import Hits, trace
from paintpipe.stages.synth.world import World

_RANGE_SIGMA_M = 0.012
_LOST_SHARE = 0.03
_PIXEL_SIGMA = 0.008
_REFLECTIVITY = np.array([0.18, 0.30, 0.38, 0.45, 0.95, 0.42, 0.55, 0.35, 0.40, 0.0])


@dataclass(frozen=True)
class Picture:
    """One image.

    Attributes:
        image_bgr: (H, W, 3) uint8.
        labels: (H, W) uint8 class index.
        things: (H, W) index of the thing in the world, -1 where none.
    """

    image_bgr: UInt8
    labels: UInt8
    things: Int64


@dataclass(frozen=True)
class Sweep:
    """One turn of a LiDAR, in its own frame.

    Attributes:
        points_m: (N, 3) float32; intensity: (N,) float32 in 0 to 1; ring: (N,) index of the beam.
        labels: (N,) uint8 class index; things: (N,) index of the thing in the world, -1 for the ground.
    """

    points_m: Float32
    intensity: Float32
    ring: Int64
    labels: UInt8
    things: Int64


def photograph(
    world: World, camera: Pinhole, world_SE3_camera: Float64, time_s: float, noise_seed: list[int]
) -> Picture:
    """The world at a time through a camera: each pixel's class is that of the solid on the ray through its centre."""
    import cv2

    solids = world.solids_at(time_s)
    light = cast_light(world.weather, solids, _light_center(world, time_s))
    rays = camera.rays(world_SE3_camera)
    hits = trace(rays, solids, camera.windows(solids, world_SE3_camera), world.street)
    linear = cv2.GaussianBlur(shade(rays, hits, solids, world.street, light), (3, 3), 0.55)
    encoded = np.clip(1.4 * linear / (0.6 + linear), 0.0, 1.0) ** (1 / 1.8)
    noisy = encoded + np.random.default_rng(noise_seed).normal(0.0, _PIXEL_SIGMA, encoded.shape)
    image_bgr = np.clip(np.rint(noisy[..., ::-1] * 255), 0, 255).astype(np.uint8)
    return Picture(image_bgr, classes_of(hits, solids), things_of(hits, solids))


def sweep(world: World, lidar: Spinner, world_SE3_lidar: Float64, time_s: float, noise_seed: list[int]) -> Sweep:
    """The world at a time through a LiDAR, with a little noise along each ray; the sky and 3% of the rays give none."""
    rng = np.random.default_rng(noise_seed)
    solids = world.solids_at(time_s)
    rays = lidar.rays(world_SE3_lidar)
    hits = trace(rays, solids, lidar.windows(solids, world_SE3_lidar), world.street)
    lost = rng.random(hits.distance_m.shape) < _LOST_SHARE
    noise = rng.normal(0.0, _RANGE_SIGMA_M, hits.distance_m.shape)
    kept = (hits.distance_m < lidar.reach_m) & ~lost
    range_m = (hits.distance_m + noise)[kept]
    points = (rays.direction[kept] * range_m[:, None]) @ world_SE3_lidar[:3, :3]
    labels = classes_of(hits, solids)[kept]
    fade = np.clip(1.15 - range_m / 120, 0.2, 1.0)
    intensity = np.clip(_REFLECTIVITY[labels] * fade * rng.uniform(0.75, 1.2, len(labels)), 0.0, 0.99)
    ring = np.nonzero(kept)[0]
    things = things_of(hits, solids)[kept]
    return Sweep(points.astype(np.float32), intensity.astype(np.float32), ring, labels, things)


def classes_of(hits: Hits, solids: Solids) -> UInt8:
    """(H, W) uint8 class index of what each ray met; sky where nothing."""
    ground = np.where(hits.winner == ON_ROAD, ROAD, np.where(hits.winner == NOWHERE, SKY, SIDEWALK))
    labels = np.where(hits.winner >= 0, solids.label[np.maximum(hits.winner, 0)], ground)
    return labels.astype(np.uint8)


def things_of(hits: Hits, solids: Solids) -> Int64:
    """(H, W) index of the thing in the world that each ray met, -1 where none."""
    return np.where(hits.winner >= 0, solids.owner[np.maximum(hits.winner, 0)], -1)


def _light_center(world: World, time_s: float) -> Float64:
    ego = world.ego_pose(time_s)
    # steps of whole metres keep the edges of shadows from crawling from frame to frame
    return np.rint(ego[:3, 3] + 25.0 * ego[:3, 0])
