"""Many poses at once, in float64. Quaternions are (w, x, y, z)."""

import numpy as np

from paintpipe.schemas.arrays import Bool, Float64


def usable_quaternions(rotation_wxyz: Float64) -> Bool:
    """(N,) whether each of (N, 4) quaternions is finite and has a length."""
    length = np.linalg.norm(rotation_wxyz, axis=1)
    usable: Bool = np.isfinite(length) & (length > 1e-9)
    return usable


def se3_batch(rotation_wxyz: Float64, translation_m: Float64) -> Float64:
    """(N, 4, 4) transforms from (N, 4) quaternions, normalised here, and (N, 3) translations.

    A quaternion without length gives NaN.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        w, x, y, z = (rotation_wxyz / np.linalg.norm(rotation_wxyz, axis=1, keepdims=True)).T
    matrices = np.zeros((len(rotation_wxyz), 4, 4))
    matrices[:, 0, :3] = np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], axis=1)
    matrices[:, 1, :3] = np.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], axis=1)
    matrices[:, 2, :3] = np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], axis=1)
    matrices[:, :3, 3] = translation_m
    matrices[:, 3, 3] = 1.0
    return matrices


def multiply(left_wxyz: Float64, right_wxyz: Float64) -> Float64:
    """(N, 4) Hamilton products: the rotation `right` first, then `left`; either may be (4,)."""
    a, b, c, d = np.moveaxis(left_wxyz, -1, 0)
    e, f, g, h = np.moveaxis(right_wxyz, -1, 0)
    w = a * e - b * f - c * g - d * h
    x = a * f + b * e + c * h - d * g
    y = a * g - b * h + c * e + d * f
    z = a * h + b * g - c * f + d * e
    return np.stack([w, x, y, z], axis=-1)


def normalised(rotation_wxyz: Float64) -> Float64:
    """(…, 4) unit quaternions."""
    unit: Float64 = rotation_wxyz / np.linalg.norm(rotation_wxyz, axis=-1, keepdims=True)
    return unit


def conjugate(rotation_wxyz: Float64) -> Float64:
    """(…, 4) inverse rotations of unit quaternions."""
    inverse: Float64 = rotation_wxyz * np.array([1.0, -1.0, -1.0, -1.0])
    return inverse


def yaw_rad(rotation_wxyz: Float64) -> Float64:
    """(N,) angle about +z from +x of each rotated x axis; unit quaternions."""
    w, x, y, z = rotation_wxyz.T
    yaw: Float64 = np.arctan2(2 * (x * y + w * z), 1 - 2 * (y * y + z * z))
    return yaw


def invert_rigid(dst_SE3_src: Float64) -> Float64:
    """(N, 4, 4) inverses of (N, 4, 4) products of transforms made from unit quaternions: [Rᵀ, −Rᵀ t].

    Their rotations are orthonormal to the last bits, so this is as exact as a general inverse, and much faster.
    """
    inverse = np.zeros_like(dst_SE3_src)
    inverse[:, :3, :3] = dst_SE3_src[:, :3, :3].swapaxes(1, 2)
    inverse[:, :3, 3] = -np.einsum("nij,nj->ni", inverse[:, :3, :3], dst_SE3_src[:, :3, 3])
    inverse[:, 3, 3] = 1.0
    return inverse
