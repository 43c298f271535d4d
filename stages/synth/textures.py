"""What surfaces look like: a factor or a colour for a place on a unit solid."""

import numba
import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.stages.synth.ground import Street, center_line, crossing_distance_m, offset_m
from paintpipe.stages.synth.hit import leaf_density
from paintpipe.stages.synth.noise import cell_noise, cloud_noise, value_noise
from paintpipe.stages.synth.primitives import BARK, BODY, CLOTH, FACADE, LEAVES, ROOF, SIGN, TYRE

_LANE_M = 3.5


@numba.njit(cache=True)
def facade_color(color: Float64, across_m: float, up_m: float, pattern: float, out: Float64) -> bool:
    """A wall with rows of windows; returns whether the place is glass."""
    pitch, storey = 2.2 + 1.6 * pattern, 3.0
    u, v = across_m / pitch, up_m / storey
    du, dv = u - np.floor(u) - 0.5, v - np.floor(v) - 0.55
    wide = 0.20 + 0.1 * cell_noise(pattern * 91, 3, 1)
    frame = abs(du) < wide + 0.05 and abs(dv) < 0.31
    glass = abs(du) < wide and abs(dv) < 0.27
    lit = cell_noise(np.floor(u), np.floor(v), 1000 * pattern)
    grime = 0.82 + 0.25 * cloud_noise(0.7 * across_m, 0.7 * up_m, 50 * pattern)
    bricks = 1.0
    if pattern > 0.5:
        row = np.floor(up_m / 0.35)
        bricks = 0.9 + 0.2 * cell_noise(across_m / 0.7 + 0.5 * (row % 2), row, 7 * pattern)
    for k in range(3):
        out[k] = color[k] * grime * bricks
        if glass:
            out[k] = 0.05 + 0.12 * lit + 0.02 * k
        elif frame:
            out[k] = 0.75 if pattern < 0.7 else 0.3 * color[k]
    if not glass and dv > 0.38 and pattern < 0.4:
        out[:] *= 0.8
    return glass


@numba.njit(cache=True)
def sign_color(color: Float64, x: float, y: float, z: float, pattern: float, out: Float64) -> None:
    """A traffic sign's face (z > 0): a ring, a bar, an arrow or a border; grey at its back."""
    if z < 0.0:
        out[:] = 0.25
        return
    radius = np.sqrt(x * x + y * y)
    rim = max(abs(x), abs(y)) > 0.82 if pattern >= 0.5 else radius > 0.72
    out[:] = color
    if pattern < 0.25:
        if not rim:
            out[:] = 0.85
        if abs(y) < 0.35 and 0.12 < abs(x) < 0.42:
            out[:] = 0.05
    elif pattern < 0.5:
        if abs(y) < 0.2 and abs(x) < 0.65:
            out[:] = 0.9
    elif rim:
        out[:] = 0.9 if pattern < 0.75 else 0.05
    elif abs(x - 0.5 * y) < 0.18:
        out[:] = 0.9 if pattern < 0.75 else 0.08


@numba.njit(cache=True)
def solid_color(
    texture: int, color: Float64, unit: tuple[float, float, float], half: Float64, pattern: float, out: Float64
) -> bool:
    """Colour at a place on a unit solid, into `out`; returns whether it mirrors the sky."""
    x, y, z = unit
    out[:] = color
    if texture == FACADE:
        if abs(z) > 0.9999:
            out[:] *= 0.6
            return False
        along_y = abs(x) > abs(y)
        return facade_color(color, (y * half[1] if along_y else x * half[0]), (z + 1) * half[2], pattern, out)
    if texture == SIGN:
        sign_color(color, x, y, z, pattern, out)
    elif texture == LEAVES:
        out[:] *= 0.35 + 1.1 * leaf_density(2.3 * x, 2.3 * y, 2.3 * z, pattern) * (0.75 + 0.25 * z)
    elif texture == ROOF:
        out[:] *= 0.8 + 0.25 * cell_noise(x * half[0] / 0.4, y * half[1] / 0.3, 9 * pattern)
    elif texture == BODY:
        _body_color(color, unit, out)
        return z > 0.9
    elif texture == TYRE:
        if abs(z) > 0.99 and x * x + y * y < 0.36:
            out[:] = 0.45
    elif texture == CLOTH:
        out[:] *= 0.8 + 0.4 * value_noise(4 * x + 9 * pattern, 4 * y, 4 * z)
    elif texture == BARK:
        out[:] *= 0.7 + 0.6 * value_noise(9 * x, 9 * y, 6 * z + 9 * pattern)
    return False


@numba.njit(cache=True)
def _body_color(color: Float64, unit: tuple[float, float, float], out: Float64) -> None:
    """A car's lower body: sills, lamps at both ends, a number plate."""
    x, y, z = unit
    if z < -0.55:
        out[:] = 0.06
    if abs(x) > 0.97 and 0.0 < z < 0.55 and abs(y) > 0.62:
        out[0], out[1], out[2] = (0.9, 0.9, 0.8) if x > 0 else (0.6, 0.03, 0.03)
    if abs(x) > 0.97 and abs(y) < 0.3 and -0.35 < z < -0.05:
        out[:] = 0.8
    if abs(x) < 0.97 and z < 0.9 and (abs(x + 0.02) < 0.006 or abs(x - 0.5) < 0.006):
        out[:] = 0.4 * color


@numba.njit(cache=True)
def road_color(street: Street, x_m: float, y_m: float, out: Float64) -> None:
    """Asphalt with patches, dashed and solid lines, and a zebra crossing before each side street."""
    tone = 0.10 + 0.05 * cloud_noise(0.35 * x_m, 0.35 * y_m, 3.0) + 0.03 * cell_noise(12 * x_m, 12 * y_m, 0.0)
    out[0], out[1], out[2] = tone, tone, 1.04 * tone
    left = offset_m(street, x_m, y_m)
    side = crossing_distance_m(street, x_m) - street.half_crossing_m
    if side < 0.0:
        return
    center, edge = abs(left), abs(abs(left) - _LANE_M)
    if 1.0 < side < 4.0:
        if center < street.half_road_m - 0.4 and (left % 1.0) < 0.5:
            out[:] = 0.5
    elif (center < 0.07 and (x_m % 6.0) < 3.0) or edge < 0.06:
        out[:] = 0.45 + 0.15 * value_noise(3 * x_m, 3 * y_m, 8.0)


@numba.njit(cache=True)
def sidewalk_color(street: Street, x_m: float, y_m: float, kerb: bool, out: Float64) -> None:
    """Paving slabs with joints; the kerb is of lighter stone."""
    y, _ = center_line(street, x_m)
    u, v = x_m / 0.8, (y_m - y) / 0.8
    joint = min(u - np.floor(u), v - np.floor(v)) < 0.06
    tone = 0.30 + 0.07 * cell_noise(u, v, 2.0) + 0.08 * cloud_noise(0.4 * x_m, 0.4 * y_m, 5.0)
    if kerb or abs(abs(offset_m(street, x_m, y_m)) - street.half_road_m) < 0.18:
        tone, joint = 0.46, False
    tone *= 0.8 if joint else 1.0
    out[0], out[1], out[2] = 1.06 * tone, 0.98 * tone, 0.9 * tone
