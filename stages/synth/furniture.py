"""What stands along a street: houses, trees, hedges, lamps and signs; x along the street, z up from the ground."""

import numpy as np

from paintpipe.stages.synth import primitives as solids
from paintpipe.stages.synth.primitives import Color, Primitive, affine, along, upright
from paintpipe.stages.synth.settings import BUILDING, POLE, TRAFFIC_SIGN, VEGETATION

Rng = np.random.Generator

_WALLS: tuple[Color, ...] = (
    (0.55, 0.24, 0.17),
    (0.70, 0.62, 0.48),
    (0.62, 0.60, 0.57),
    (0.74, 0.58, 0.40),
    (0.45, 0.36, 0.30),
    (0.72, 0.70, 0.64),
    (0.40, 0.46, 0.52),
)
_METAL: Color = (0.30, 0.31, 0.32)
_FACING = np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""Columns turn a unit solid so that its z axis looks back along the street, its y axis up."""


def house(rng: Rng, width_m: float, depth_m: float) -> list[Primitive]:
    """A house with rows of windows, a flat or a gabled roof, sometimes a chimney."""
    storeys = int(rng.integers(2, 6))
    height = 3.0 * storeys + 0.6
    wall = _vary(rng, _WALLS[int(rng.integers(len(_WALLS)))], 0.12)
    block = upright((0.0, 0.0, height / 2), (width_m / 2, depth_m / 2, height / 2))
    parts = [Primitive(solids.BLOCK, BUILDING, wall, block, texture=solids.FACADE, pattern=rng.random())]
    base = upright((0.0, 0.0, 0.35), (width_m / 2 + 0.05, depth_m / 2 + 0.05, 0.35))
    parts.append(Primitive(solids.BLOCK, BUILDING, _vary(rng, (0.32, 0.31, 0.30), 0.08), base))
    if storeys < 5 and rng.random() < 0.65:
        tiles = _vary(rng, (0.36, 0.16, 0.11) if rng.random() < 0.6 else (0.20, 0.21, 0.23), 0.05)
        rise = rng.uniform(1.2, 2.2)
        gable = upright((0.0, 0.0, height + rise), (width_m / 2 + 0.2, depth_m / 2 + 0.4, rise))
        parts.append(Primitive(solids.BLOCK, BUILDING, tiles, gable, (0.0, 0.98), solids.ROOF, rng.random()))
        stack = upright((0.3 * width_m, 0.0, height + 2 * rise), (0.35, 0.35, 0.9))
        parts.append(Primitive(solids.BLOCK, BUILDING, (0.35, 0.18, 0.13), stack))
    else:
        rim = upright((0.0, 0.0, height + 0.2), (width_m / 2 + 0.15, depth_m / 2 + 0.15, 0.2))
        parts.append(Primitive(solids.BLOCK, BUILDING, _vary(rng, (0.5, 0.5, 0.48), 0.1), rim))
    return parts


def tree(rng: Rng) -> list[Primitive]:
    """A trunk and a crown of four to six leaky balls, or a conifer's two cones."""
    green = _leaf(rng)
    trunk_m, radius = rng.uniform(2.0, 3.2), rng.uniform(0.11, 0.2)
    bark = _vary(rng, (0.22, 0.15, 0.10), 0.04)
    parts = [
        Primitive(solids.ROUND, VEGETATION, bark, along((0, 0, 0), (0, 0, trunk_m + 1.0), radius), texture=solids.BARK)
    ]
    if rng.random() < 0.25:
        for base, wide, high in ((1.2, 1.5, 2.6), (3.0, 1.1, 2.2)):
            cone = upright((0.0, 0.0, base + high / 2), (wide, wide, high))
            parts.append(Primitive(solids.ROUND, VEGETATION, green, cone, (1.0, 0.0), solids.LEAVES, rng.random()))
        return parts
    spread = rng.uniform(1.2, 2.0)
    for _ in range(int(rng.integers(4, 7))):
        half = rng.uniform(0.6, 0.9, 3) * spread * (1.0, 1.0, 0.85)
        center = rng.uniform(-0.55, 0.55, 3) * spread + (0.0, 0.0, trunk_m + 0.9 * spread)
        crown = upright(center.tolist(), half.tolist(), rng.uniform(0, np.pi))
        holes = rng.uniform(0.15, 0.3)
        parts.append(
            Primitive(
                solids.BALL, VEGETATION, _vary(rng, green, 0.02), crown, (holes, 0.0), solids.LEAVES, rng.random()
            )
        )
    return parts


def hedge(rng: Rng, length_m: float) -> list[Primitive]:
    """A clipped hedge, or a row of bushes."""
    green, height = _leaf(rng), rng.uniform(0.8, 1.6)
    if rng.random() < 0.5:
        box = upright((0.0, 0.0, height / 2), (length_m / 2, 0.45, height / 2))
        return [Primitive(solids.BLOCK, VEGETATION, green, box, (0.02, 0.1), solids.LEAVES, rng.random())]
    parts = []
    for x in np.arange(-length_m / 2 + 0.6, length_m / 2, 1.1):
        half = (rng.uniform(0.6, 0.8), rng.uniform(0.5, 0.7), rng.uniform(0.7, 1.0) * height / 1.4)
        bush = upright((float(x), rng.uniform(-0.15, 0.15), 0.7 * half[2]), half)
        color = _vary(rng, green, 0.03)
        parts.append(
            Primitive(solids.BALL, VEGETATION, color, bush, (rng.uniform(0.0, 0.2), 0.0), solids.LEAVES, rng.random())
        )
    return parts


def lamp(rng: Rng) -> list[Primitive]:
    """A street lamp whose arm reaches over the road (+y)."""
    height, metal = rng.uniform(5.5, 7.0), _vary(rng, _METAL, 0.06)
    arm = along((0, 0, height), (0, 1.6, height + 0.25), 0.06)
    return [
        Primitive(solids.ROUND, POLE, metal, along((0, 0, 0), (0, 0, height), rng.uniform(0.10, 0.14))),
        Primitive(solids.ROUND, POLE, metal, along((0, 0, 0), (0, 0, 1.1), 0.18)),
        Primitive(solids.ROUND, POLE, metal, arm),
        Primitive(solids.BLOCK, POLE, (0.5, 0.5, 0.48), upright((0, 1.8, height + 0.25), (0.16, 0.4, 0.07))),
    ]


def bollard(rng: Rng) -> list[Primitive]:
    """A thick post that keeps cars off the sidewalk."""
    color: Color = (0.5, 0.12, 0.08) if rng.random() < 0.3 else _vary(rng, _METAL, 0.08)
    return [Primitive(solids.ROUND, POLE, color, along((0, 0, 0), (0, 0, rng.uniform(0.9, 1.2)), 0.13))]


def sign(rng: Rng) -> list[Primitive]:
    """A traffic sign on a post, its face looking back along the street."""
    post_m, size = rng.uniform(2.3, 2.9), rng.uniform(0.42, 0.55)
    face = affine(_FACING * (size, size, 0.03), (-0.08, 0.0, post_m))
    style = rng.random()
    color: Color = ((0.65, 0.03, 0.04), (0.04, 0.13, 0.55), (0.03, 0.2, 0.45), (0.8, 0.6, 0.05))[int(4 * style)]
    if style < 0.5:
        plate = Primitive(solids.ROUND, TRAFFIC_SIGN, color, face, texture=solids.SIGN, pattern=style)
    else:
        tilt = np.pi / 4 if style > 0.75 else 0.0
        turn = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1.0]])
        square = affine((_FACING @ turn) * (0.85 * size, 0.85 * size, 0.03), (-0.08, 0.0, post_m))
        plate = Primitive(solids.BLOCK, TRAFFIC_SIGN, color, square, texture=solids.SIGN, pattern=style)
    post = along((0, 0, 0), (0, 0, post_m + 0.25), rng.uniform(0.06, 0.08))
    return [plate, Primitive(solids.ROUND, POLE, _vary(rng, (0.42, 0.43, 0.44), 0.06), post, texture=solids.PLAIN)]


def _leaf(rng: Rng) -> Color:
    tone = rng.uniform(0.7, 1.2)
    return 0.17 * tone + rng.uniform(-0.05, 0.1), 0.33 * tone, 0.07 * tone


def _vary(rng: Rng, color: Color, amount: float) -> Color:
    r, g, b = np.clip(np.asarray(color) + rng.uniform(-amount, amount) + rng.uniform(-amount, amount, 3) / 3, 0.01, 1)
    return float(r), float(g), float(b)
