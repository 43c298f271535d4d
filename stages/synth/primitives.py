"""Solids that the ray tracer knows, each an affine image of a unit solid inside the cube [-1, 1]³.

BLOCK is a cube whose sides lean inwards towards z = 1 by `taper` (x, y): (0, 0) a box, (0, 1) a gabled roof, between
them a car's cabin. ROUND is a cylinder about z with taper x (1 is a cone) and, as taper y, the radius of a hole. BALL
is a sphere; taper x is the share of it that is holes, as in a crown of leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from paintpipe.schemas.arrays import Float64, Int64

BLOCK, ROUND, BALL = range(3)
PLAIN, FACADE, ROOF, LEAVES, SIGN, BODY, GLASS, TYRE, CLOTH, BARK = range(10)

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Primitive:
    """One solid of an object.

    Attributes:
        kind: BLOCK, ROUND or BALL.
        label: class index.
        color: linear RGB, 0 to 1.
        frame_from_unit: (3, 4) from the unit solid to the object's frame (m).
        taper: two shape numbers, see the module.
        texture: how its surface is coloured.
        pattern: picks a variation of the texture, 0 to 1.
    """

    kind: int
    label: int
    color: Color
    frame_from_unit: Float64
    taper: tuple[float, float] = (0.0, 0.0)
    texture: int = PLAIN
    pattern: float = 0.0


class Solids(NamedTuple):
    """All solids at one instant, as arrays for numba: N rows each.

    Attributes:
        kind: (N,); taper: (N, 2).
        world_from_unit, unit_from_world: (N, 3, 4).
        half_m: (N, 3) half extents, the scale of textures.
        color: (N, 3); texture: (N,); pattern: (N,).
        label: (N,) class index.
        owner: (N,) index of the object.
    """

    kind: Int64
    taper: Float64
    world_from_unit: Float64
    unit_from_world: Float64
    half_m: Float64
    color: Float64
    texture: Int64
    pattern: Float64
    label: Int64
    owner: Int64


def affine(axes_m: Float64, center_m: Sequence[float] | Float64) -> Float64:
    """(3, 4) matrix whose columns are the unit solid's three half axes and its centre."""
    return np.column_stack([axes_m, np.asarray(center_m, dtype=np.float64)])


def upright(center_m: Sequence[float], half_m: Sequence[float], yaw_rad: float = 0.0) -> Float64:
    """(3, 4) `frame_from_unit` of a solid that stands upright, turned by a yaw."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return affine(np.asarray(rotation * np.asarray(half_m), dtype=np.float64), center_m)


def along(start_m: Sequence[float], end_m: Sequence[float], radius_m: float) -> Float64:
    """(3, 4) `frame_from_unit` of a rod whose z axis runs from one point to another."""
    start, end = np.asarray(start_m, dtype=np.float64), np.asarray(end_m, dtype=np.float64)
    axis = (end - start) / 2
    direction = axis / np.linalg.norm(axis)
    helper = np.array([1.0, 0.0, 0.0]) if abs(direction[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    side = np.cross(direction, helper)
    side /= np.linalg.norm(side)
    axes: Float64 = np.column_stack([side * radius_m, np.cross(direction, side) * radius_m, axis])
    return affine(axes, (start + end) / 2)


def stack(parts: Sequence[Primitive], owners: Sequence[int]) -> Solids:
    """The primitives of many objects as arrays; matrices as they stand in each object's frame."""
    matrices = np.array([part.frame_from_unit for part in parts]).reshape(-1, 3, 4)
    return Solids(
        kind=np.array([part.kind for part in parts], dtype=np.int64),
        taper=np.array([part.taper for part in parts], dtype=np.float64).reshape(-1, 2),
        world_from_unit=matrices,
        unit_from_world=invert_affine(matrices),
        half_m=np.linalg.norm(matrices[:, :, :3], axis=1),
        color=np.array([part.color for part in parts], dtype=np.float64).reshape(-1, 3),
        texture=np.array([part.texture for part in parts], dtype=np.int64),
        pattern=np.array([part.pattern for part in parts], dtype=np.float64),
        label=np.array([part.label for part in parts], dtype=np.int64),
        owner=np.asarray(owners, dtype=np.int64),
    )


def place(solids: Solids, world_SE3_object: Float64) -> Solids:
    """The solids moved by their objects' (M, 4, 4) poses, `owner` picking the pose."""
    poses = world_SE3_object[solids.owner]
    moved = np.einsum("nij,njk->nik", poses[:, :3, :3], solids.world_from_unit)
    moved[:, :, 3] += poses[:, :3, 3]
    return solids._replace(world_from_unit=moved, unit_from_world=invert_affine(moved))


def select(solids: Solids, rows: Int64) -> Solids:
    """Some of the solids."""
    return Solids(*(np.ascontiguousarray(column[rows]) for column in solids))


def invert_affine(matrices: Float64) -> Float64:
    """(N, 3, 4) inverses of (N, 3, 4) affine maps."""
    linear = np.linalg.inv(matrices[:, :, :3])
    shift = -np.einsum("nij,nj->ni", linear, matrices[:, :, 3])
    return np.ascontiguousarray(np.concatenate([linear, shift[:, :, None]], axis=2))
