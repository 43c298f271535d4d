"""Where a ray meets a unit solid."""

import numba
import numpy as np

from paintpipe.stages.synth.noise import value_noise
from paintpipe.stages.synth.primitives import BLOCK, ROUND

_NEAR = 1e-6
_LEAF_CELLS = 5.0


@numba.njit(cache=True)
def hit_block(o: tuple[float, float, float], d: tuple[float, float, float], tx: float, ty: float) -> float:
    """Ray parameter at which a ray enters the tapered cube, inf where it misses."""
    near, far = -np.inf, np.inf
    for side in range(6):
        axis, sign = side >> 1, 1.0 - 2.0 * (side & 1)
        lean = 0.0 if axis == 2 else 0.5 * (tx if axis == 0 else ty)
        # sign·p[axis] + lean·(z + 1) ≤ 1
        slope = sign * d[axis] + lean * d[2]
        room = 1.0 - sign * o[axis] - lean * (o[2] + 1.0)
        if slope == 0.0:
            if room < 0.0:
                return np.inf
        elif slope < 0.0:
            near = max(near, room / slope)
        else:
            far = min(far, room / slope)
        if near > far:
            return np.inf
    return near if near > _NEAR else np.inf


@numba.njit(cache=True)
def hit_round(o: tuple[float, float, float], d: tuple[float, float, float], taper: float, hole: float) -> float:
    """Ray parameter at the nearest point of a cylinder, cone or ring about z, inf where it misses."""
    best, lean = np.inf, 0.5 * taper
    radius = 1.0 - lean - lean * o[2]
    a = d[0] * d[0] + d[1] * d[1] - lean * lean * d[2] * d[2]
    b = o[0] * d[0] + o[1] * d[1] + lean * radius * d[2]
    c = o[0] * o[0] + o[1] * o[1] - radius * radius
    root = b * b - a * c
    if abs(a) > 1e-12 and root >= 0.0:
        for sign in (-1.0, 1.0):
            t = (-b + sign * np.sqrt(root)) / a
            if _NEAR < t < best and abs(o[2] + t * d[2]) <= 1.0:
                best = t
    if abs(d[2]) > 1e-12:
        for top in (-1.0, 1.0):
            t = (top - o[2]) / d[2]
            x, y, rim = o[0] + t * d[0], o[1] + t * d[1], 1.0 - lean - lean * top
            if _NEAR < t < best and hole * hole <= x * x + y * y <= rim * rim:
                best = t
    return best


@numba.njit(cache=True)
def hit_ball(o: tuple[float, float, float], d: tuple[float, float, float], holes: float, pattern: float) -> float:
    """Ray parameter at the unit sphere's skin, through its holes if it has any, inf where it misses."""
    a = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    b = o[0] * d[0] + o[1] * d[1] + o[2] * d[2]
    root = b * b - a * (o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - 1.0)
    if root < 0.0:
        return np.inf
    for sign in (-1.0, 1.0):
        t = (-b + sign * np.sqrt(root)) / a
        if t > _NEAR:
            x, y, z = o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2]
            if holes == 0.0 or leaf_density(x, y, z, pattern) > holes:
                return t
    return np.inf


@numba.njit(cache=True)
def leaf_density(x: float, y: float, z: float, pattern: float) -> float:
    """How thick the leaves are at a place on a unit crown, 0 to 1."""
    shift = 97.0 * pattern
    return value_noise(_LEAF_CELLS * x + shift, _LEAF_CELLS * y - shift, _LEAF_CELLS * z + 2 * shift)


@numba.njit(cache=True)
def hit_unit(
    kind: int, o: tuple[float, float, float], d: tuple[float, float, float], tx: float, ty: float, pattern: float
) -> float:
    """Ray parameter at the unit solid of a kind, inf where it misses. The ray starts outside the solid."""
    if kind == BLOCK:
        return hit_block(o, d, tx, ty)
    if kind == ROUND:
        return hit_round(o, d, tx, ty)
    return hit_ball(o, d, tx, pattern)


@numba.njit(cache=True)
def unit_normal(kind: int, x: float, y: float, z: float, tx: float, ty: float) -> tuple[float, float, float]:
    """Outward gradient of the unit solid's surface at a point on it, not normalised."""
    if kind == BLOCK:
        side_x, side_y, side_z = abs(x) + 0.5 * tx * (z + 1.0), abs(y) + 0.5 * ty * (z + 1.0), abs(z)
        if side_z >= side_x and side_z >= side_y:
            return 0.0, 0.0, np.sign(z)
        if side_x >= side_y:
            return np.sign(x), 0.0, 0.5 * tx
        return 0.0, np.sign(y), 0.5 * ty
    if kind == ROUND:
        rim = 1.0 - 0.5 * tx * (z + 1.0)
        if abs(z) > 0.9999:
            return 0.0, 0.0, np.sign(z)
        return x, y, 0.5 * tx * rim
    return x, y, z
