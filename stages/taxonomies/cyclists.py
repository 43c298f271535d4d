"""Which points lie next to a rider."""

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Bool

NEAR_M = 1.0
"""PointPainting (arXiv 1911.10150), section 3.2: bicycle points within 1 m of a rider belong to a cyclist."""


def near(points: AnyArray, others: AnyArray, distance_m: float = NEAR_M) -> Bool:
    """(N,) whether a point lies within `distance_m` (3-D, inclusive) of any of the others.

    Args:
        points: (N, 3) in metres.
        others: (M, 3) in metres; a point that is not finite is near nothing.
        distance_m: how near is near.
    """
    from scipy.spatial import cKDTree

    close = np.isfinite(points).all(axis=1)
    there = others[np.isfinite(others).all(axis=1)].astype(np.float64)
    if not len(there) or not close.any():
        return np.zeros(len(points), dtype=np.bool_)
    distance, _ = cKDTree(there).query(points[close].astype(np.float64))
    close[close] = distance <= distance_m
    return close
