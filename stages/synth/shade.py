"""Pictures from ray hits: texture, sun and shadow, sky light, mirrors, haze."""

import numba
import numpy as np

from paintpipe.schemas.arrays import Float64, Int64
from paintpipe.stages.synth.ground import NOWHERE, ON_KERB, ON_ROAD, Street
from paintpipe.stages.synth.hit import unit_normal
from paintpipe.stages.synth.noise import cloud_noise
from paintpipe.stages.synth.primitives import GLASS, LEAVES, Solids
from paintpipe.stages.synth.sun import Sunlight
from paintpipe.stages.synth.textures import road_color, sidewalk_color, solid_color
from paintpipe.stages.synth.trace import Hits, Rays

_SHADOW_BIAS_M = 0.12
_LIFT_M = 0.18
"""How far off its surface a place looks for the sun, so that a surface does not shade itself."""


def shade(rays: Rays, hits: Hits, solids: Solids, street: Street, light: Sunlight) -> Float64:
    """(H, W, 3) linear RGB of what each ray met. The rays share one origin."""
    image = np.zeros((*rays.shape, 3))
    _shade(rays.origin_m[0, 0], rays.direction, hits.distance_m, hits.winner, solids, street, light, image)
    return image


@numba.njit(cache=True)
def _shade(
    eye: Float64,
    directions: Float64,
    distance_m: Float64,
    winner: Int64,
    solids: Solids,
    street: Street,
    light: Sunlight,
    image: Float64,
) -> None:
    place, normal = np.zeros(3), np.zeros(3)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            view, color = directions[i, j], image[i, j]
            if winner[i, j] == NOWHERE:
                sky_color(light, view, color)
                continue
            for k in range(3):
                place[k] = eye[k] + distance_m[i, j] * view[k]
            mirror = surface(winner[i, j], place, solids, street, color, normal)
            illuminate(light, view, place, normal, mirror, color)
            veil = np.exp(-distance_m[i, j] / light.haze_m)
            for k in range(3):
                color[k] = veil * color[k] + (1 - veil) * light.haze[k]


@numba.njit(cache=True)
def surface(winner: int, place: Float64, solids: Solids, street: Street, color: Float64, normal: Float64) -> float:
    """Albedo and unit normal of the surface at a place; returns the share of sky that it mirrors."""
    if winner < 0:
        normal[0], normal[1], normal[2] = 0.0, 0.0, 1.0
        if winner == ON_ROAD:
            road_color(street, place[0], place[1], color)
        else:
            sidewalk_color(street, place[0], place[1], winner == ON_KERB, color)
        return 0.0
    m = solids.unit_from_world[winner]
    x = m[0, 0] * place[0] + m[0, 1] * place[1] + m[0, 2] * place[2] + m[0, 3]
    y = m[1, 0] * place[0] + m[1, 1] * place[1] + m[1, 2] * place[2] + m[1, 3]
    z = m[2, 0] * place[0] + m[2, 1] * place[1] + m[2, 2] * place[2] + m[2, 3]
    taper = solids.taper[winner]
    a, b, c = unit_normal(solids.kind[winner], x, y, z, taper[0], taper[1])
    for k in range(3):
        normal[k] = m[0, k] * a + m[1, k] * b + m[2, k] * c
    normal /= np.sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2) + 1e-12
    texture, half = solids.texture[winner], solids.half_m[winner]
    mirrors = solid_color(texture, solids.color[winner], (x, y, z), half, solids.pattern[winner], color)
    if texture == LEAVES:
        normal[2] = 0.5 * normal[2] + 0.5
    return 0.3 if texture == GLASS else (0.12 if mirrors else 0.0)


@numba.njit(cache=True)
def illuminate(light: Sunlight, view: Float64, place: Float64, normal: Float64, mirror: float, color: Float64) -> None:
    """Turn albedo into light that reaches the eye."""
    facing = normal[0] * light.to_sun[0] + normal[1] * light.to_sun[1] + normal[2] * light.to_sun[2]
    sun = facing * sunlit(light, place, normal) if facing > 0.0 else 0.0
    open_sky = 0.6 + 0.4 * normal[2]
    for k in range(3):
        color[k] *= light.ambient[k] * open_sky + light.color[k] * sun
    if mirror > 0.0:
        along = 2.0 * (view[0] * normal[0] + view[1] * normal[1] + view[2] * normal[2])
        up = max(view[2] - along * normal[2], 0.0)
        for k in range(3):
            color[k] = (1 - mirror) * color[k] + mirror * (0.25 + 0.75 * min(2 * up, 1.0)) * light.haze[k]


@numba.njit(cache=True)
def sunlit(light: Sunlight, surface_place: Float64, normal: Float64) -> float:
    """Share of the four nearest texels of the shadow map that see the sun; 1 outside the map."""
    m, size, place = light.sun_SE3_world, light.depth_m.shape[0], surface_place + _LIFT_M * normal
    u = (m[0, 0] * place[0] + m[0, 1] * place[1] + m[0, 2] * place[2] + m[0, 3]) / light.texel_m + size / 2 - 0.5
    v = (m[1, 0] * place[0] + m[1, 1] * place[1] + m[1, 2] * place[2] + m[1, 3]) / light.texel_m + size / 2 - 0.5
    depth = m[2, 0] * place[0] + m[2, 1] * place[1] + m[2, 2] * place[2] + m[2, 3] - _SHADOW_BIAS_M
    j, i = int(np.floor(u)), int(np.floor(v))
    if i < 0 or j < 0 or i + 1 >= size or j + 1 >= size:
        return 1.0
    a, b, total = u - j, v - i, 0.0
    for di in range(2):
        for dj in range(2):
            if light.depth_m[i + di, j + dj] > depth:
                total += (b if di else 1 - b) * (a if dj else 1 - a)
    return total


@numba.njit(cache=True)
def sky_color(light: Sunlight, view: Float64, color: Float64) -> None:
    """Haze at the horizon, blue above, clouds, a bright patch around the sun."""
    up = max(view[2], 0.0)
    reach = 1.0 / (up + 0.15)
    cloud = cloud_noise(2.0 * view[0] * reach, 2.0 * view[1] * reach, light.haze_m * 0.01)
    cloud = min(max(3.0 * (cloud - 0.45), 0.0), 1.0) * min(4 * up, 1.0)
    glow = max(view[0] * light.to_sun[0] + view[1] * light.to_sun[1] + view[2] * light.to_sun[2], 0.0) ** 24
    blue = min(1.6 * up, 1.0) ** 0.6
    for k in range(3):
        clear = (1 - blue) * light.haze[k] + blue * light.ambient[k] * 0.75
        color[k] = (1 - 0.8 * cloud) * clear + 0.8 * cloud * 1.05 * (0.6 + 0.4 * light.haze[k]) + 0.5 * glow
