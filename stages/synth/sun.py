"""Sunlight: a shadow map, traced from the sun through the same solids."""

from typing import NamedTuple

import numpy as np

from paintpipe.schemas.arrays import Float64, Int64
from paintpipe.stages.synth.pinhole import corners_in, span
from paintpipe.stages.synth.primitives import Solids
from paintpipe.stages.synth.trace import Rays, trace_solids

_SIZE_TEXELS = 560
_TEXEL_M = 0.25
_HEIGHT_M = 150.0


class Sunlight(NamedTuple):
    """The light of one instant, for numba.

    Attributes:
        to_sun: (3,) unit vector.
        color: (3,) of direct light; ambient: (3,) of the sky.
        haze: (3,) colour of the far distance; haze_m: distance at which it takes 63%.
        sun_SE3_world: (4, 4) frame whose z axis runs with the light, x and y in the shadow map.
        depth_m: (S, S) distance from the sun's plane to the first solid, inf where none.
        texel_m: size of the map's texels.
    """

    to_sun: Float64
    color: Float64
    ambient: Float64
    haze: Float64
    haze_m: float
    sun_SE3_world: Float64
    depth_m: Float64
    texel_m: float


class Weather(NamedTuple):
    """The light of a whole drive: as in Sunlight, before any shadow."""

    to_sun: Float64
    color: Float64
    ambient: Float64
    haze: Float64
    haze_m: float


def cast_light(weather: Weather, solids: Solids, center_m: Float64) -> Sunlight:
    """The light around a place, with the shadows of all solids near it."""
    world_SE3_sun = _sun_frame(weather.to_sun, center_m)
    steps = (np.arange(_SIZE_TEXELS) + 0.5 - _SIZE_TEXELS / 2) * _TEXEL_M
    x, y = np.meshgrid(steps, steps)
    origins = np.stack([x, y, np.zeros_like(x)], axis=-1) @ world_SE3_sun[:3, :3].T + world_SE3_sun[:3, 3]
    rays = Rays(np.ascontiguousarray(origins), -weather.to_sun.reshape(1, 1, 3))
    sun_SE3_world = np.linalg.inv(world_SE3_sun)
    depth_m = trace_solids(rays, solids, _windows(solids, sun_SE3_world))
    return Sunlight(*weather, sun_SE3_world, depth_m, _TEXEL_M)


def _sun_frame(to_sun: Float64, center_m: Float64) -> Float64:
    side = np.cross([0.0, 0.0, 1.0], to_sun)
    side /= np.linalg.norm(side)
    frame = np.eye(4)
    frame[:3, :3] = np.column_stack([side, np.cross(-to_sun, side), -to_sun])
    frame[:3, 3] = center_m + to_sun * _HEIGHT_M
    return frame


def _windows(solids: Solids, sun_SE3_world: Float64) -> Int64:
    texels = corners_in(solids, sun_SE3_world) / _TEXEL_M + _SIZE_TEXELS / 2
    spans = span(texels[:, :, 1], _SIZE_TEXELS) + span(texels[:, :, 0], _SIZE_TEXELS)
    return np.stack(spans, axis=1)
