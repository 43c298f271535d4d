"""Cars, pedestrians and cyclists as groups of solids; x ahead, y left, z up from the ground, in metres."""

import numpy as np

from paintpipe.stages.synth import primitives as solids
from paintpipe.stages.synth.primitives import Color, Primitive, affine, along, upright
from paintpipe.stages.synth.settings import CAR, CYCLIST, PEDESTRIAN

Rng = np.random.Generator
Point = tuple[float, float, float]

_PAINT: tuple[Color, ...] = (
    (0.75, 0.75, 0.77),
    (0.05, 0.05, 0.06),
    (0.35, 0.37, 0.40),
    (0.55, 0.05, 0.05),
    (0.06, 0.12, 0.42),
    (0.12, 0.30, 0.18),
    (0.80, 0.55, 0.08),
    (0.30, 0.45, 0.60),
)
_SKIN: tuple[Color, ...] = ((0.72, 0.50, 0.38), (0.45, 0.28, 0.19), (0.80, 0.60, 0.48), (0.28, 0.17, 0.11))
_WHEEL_AXES = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Columns turn a unit cylinder's axis from z to y."""


def car(rng: Rng) -> list[Primitive]:
    """A saloon or an estate of 3.9 to 4.7 m: body, cabin of glass, roof, four wheels."""
    length, width, height = rng.uniform(3.9, 4.7), rng.uniform(1.7, 1.85), rng.uniform(1.42, 1.62)
    paint = _shade_of(rng, _PAINT)
    waist, estate = 0.58 * height, rng.random() < 0.4
    cabin_half, cabin_x = (0.33 * length, -0.14 * length) if estate else (0.27 * length, -0.06 * length)
    lean = (0.35 if estate else 0.55, 0.24)
    top = height - 0.06
    cabin = upright((cabin_x, 0.0, (waist + top) / 2), (cabin_half, width / 2 - 0.04, (top - waist) / 2))
    roof_half = (cabin_half * (1 - lean[0]) + 0.06, (width / 2 - 0.04) * (1 - lean[1]) + 0.02, 0.04)
    body = upright((0.0, 0.0, 0.22 + (waist - 0.22) / 2), (length / 2, width / 2, (waist - 0.22) / 2))
    parts = [
        Primitive(solids.BLOCK, CAR, paint, body, (0.04, 0.06), solids.BODY),
        Primitive(solids.BLOCK, CAR, (0.04, 0.05, 0.06), cabin, lean, solids.GLASS),
        Primitive(solids.BLOCK, CAR, paint, upright((cabin_x, 0.0, top), roof_half)),
    ]
    for x in (-0.31 * length, 0.31 * length):
        for y in (-width / 2 + 0.1, width / 2 - 0.1):
            axle = affine(_WHEEL_AXES * (0.32, 0.32, 0.12), (x, y, 0.32))
            parts.append(Primitive(solids.ROUND, CAR, (0.02, 0.02, 0.02), axle, texture=solids.TYRE))
    return parts


def pedestrian(rng: Rng) -> list[Primitive]:
    """Somebody of 1.55 to 1.9 m in mid-stride: legs, coat, arms, head, hair."""
    height, stride = rng.uniform(1.55, 1.9), rng.uniform(-0.35, 0.35)
    coat, trousers = _cloth(rng), _cloth(rng)
    hip, shoulder = 0.50 * height, 0.82 * height
    parts = _limbs(PEDESTRIAN, trousers, 0.085, ((0.0, 0.1, hip), (stride, 0.1, 0.05), (-stride, 0.1, 0.05)))
    torso = upright((0.0, 0.0, (hip + shoulder) / 2), (0.15, 0.23, (shoulder - hip) / 2 + 0.06))
    parts.append(Primitive(solids.BALL, PEDESTRIAN, coat, torso, texture=solids.CLOTH, pattern=rng.random()))
    hand = hip - 0.02
    parts += _limbs(
        PEDESTRIAN, coat, 0.055, ((0.0, 0.23, shoulder - 0.04), (-0.7 * stride, 0.27, hand), (0.7 * stride, 0.27, hand))
    )
    return parts + _head(rng, PEDESTRIAN, (0.02, 0.0, height - 0.12))


def cyclist(rng: Rng) -> list[Primitive]:
    """A rider on a bicycle: two ringed wheels, a frame of rods, a leaning body, a head with a helmet."""
    paint, jersey, trousers = _shade_of(rng, _PAINT), _cloth(rng), _cloth(rng)
    parts = []
    for x in (-0.52, 0.52):
        wheel = affine(_WHEEL_AXES * (0.34, 0.34, 0.025), (x, 0.0, 0.34))
        parts.append(Primitive(solids.ROUND, CYCLIST, (0.03, 0.03, 0.03), wheel, (0.0, 0.86)))
    saddle, crank, bars = (-0.2, 0.0, 0.92), (-0.08, 0.0, 0.32), (0.4, 0.0, 1.0)
    rear, front = (-0.52, 0.0, 0.34), (0.52, 0.0, 0.34)
    for start, end in ((rear, crank), (rear, saddle), (crank, saddle), (crank, bars), (saddle, bars), (bars, front)):
        parts.append(Primitive(solids.ROUND, CYCLIST, paint, along(start, end, 0.025)))
    grip = Primitive(solids.ROUND, CYCLIST, (0.05, 0.05, 0.05), along((0.4, -0.28, 1.02), (0.4, 0.28, 1.02), 0.025))
    shoulder = (0.12, 0.0, 1.45)
    back = Primitive(solids.ROUND, CYCLIST, jersey, along((-0.2, 0.0, 0.95), shoulder, 0.17), texture=solids.CLOTH)
    chest = Primitive(solids.BALL, CYCLIST, jersey, upright((0.1, 0.0, 1.38), (0.16, 0.22, 0.2)), texture=solids.CLOTH)
    parts += [grip, back, chest]
    parts += _limbs(CYCLIST, trousers, 0.08, ((-0.2, 0.09, 0.95), (0.1, 0.1, 0.3), (0.0, 0.1, 0.55)))
    parts += _limbs(CYCLIST, jersey, 0.05, ((0.12, 0.2, 1.42), (0.4, 0.24, 1.04), (0.4, 0.24, 1.04)))
    return parts + _head(rng, CYCLIST, (0.22, 0.0, 1.64))


def _limbs(label: int, color: Color, radius_m: float, ends: tuple[Point, Point, Point]) -> list[Primitive]:
    """A left and a right limb from one joint, given on the left, to two ends."""
    (x, y, z), left, right = ends
    return [
        Primitive(solids.ROUND, label, color, along((x, y, z), left, radius_m), texture=solids.CLOTH),
        Primitive(
            solids.ROUND,
            label,
            color,
            along((x, -y, z), (right[0], -right[1], right[2]), radius_m),
            texture=solids.CLOTH,
        ),
    ]


def _head(rng: Rng, label: int, center_m: Point) -> list[Primitive]:
    x, y, z = center_m
    hair = _shade_of(rng, _PAINT) if label == CYCLIST else (0.08, 0.05, 0.03)
    skin = _SKIN[int(rng.integers(len(_SKIN)))]
    return [
        Primitive(solids.BALL, label, skin, upright((x, y, z), (0.1, 0.09, 0.13))),
        Primitive(
            solids.BALL, label, hair, upright((x - 0.02, y, z + 0.05), (0.115, 0.105, 0.1)), texture=solids.PLAIN
        ),
    ]


def _shade_of(rng: Rng, palette: tuple[Color, ...]) -> Color:
    base = palette[int(rng.integers(len(palette)))]
    r, g, b = np.clip(np.asarray(base) * rng.uniform(0.8, 1.2) + rng.uniform(-0.02, 0.02, 3), 0.01, 1.0)
    return float(r), float(g), float(b)


def _cloth(rng: Rng) -> Color:
    r, g, b = rng.uniform(0.03, 0.3) + rng.uniform(0.0, 0.45, 3) * rng.integers(0, 2, 3)
    return float(r), float(g), float(b)
