"""Labels for points that no camera saw, where a score or a submission wants one for every point."""

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, AnyArray, UInt8
from paintpipe.schemas.errors import TaxonomyError
from paintpipe.schemas.taxonomy import OTHER, Taxonomy

NEAREST = "nearest"


def fill(labels: UInt8, points: AnyArray, rule: str, taxonomy: Taxonomy) -> UInt8:
    """(N,) uint8 labels without gaps, by `nearest` or with one class of the taxonomy.

    Args:
        labels: (N,) class, 255 where unpainted.
        points: (N, >= 3) with x, y, z in metres.
        rule: `nearest` or a class name.
        taxonomy: of the labels.

    Raises:
        TaxonomyError: the rule is neither; the message lists the classes.
    """
    if rule == NEAREST:
        return fill_nearest(labels, points)
    return np.where(labels == UNPAINTED, filling_class(rule, taxonomy), labels).astype(np.uint8)


def filling_class(rule: str, taxonomy: Taxonomy) -> int:
    """Index of the class of that name; raises TaxonomyError for none, and for `other`, which is never an answer."""
    index = taxonomy.index(rule)
    if index is None or taxonomy.classes[index] == OTHER:
        choices = ", ".join((NEAREST, *(name for name in taxonomy.classes if name != OTHER)))
        what = f"can't fill with {rule!r}: no class of {taxonomy.name.removesuffix('+' + OTHER)}"
        raise TaxonomyError(what, expected=f"one of {choices}")
    return index


def fill_nearest(labels: UInt8, points: AnyArray) -> UInt8:
    """Each unpainted point takes the label of the painted point nearest to it in 3-D.

    A point that is not finite is near nothing and takes the most frequent label. Where nothing is painted, nothing
    can be filled.
    """
    from scipy.spatial import cKDTree

    finite = np.isfinite(points[:, :3]).all(axis=1)
    empty = labels == UNPAINTED
    known, wanted = finite & ~empty, finite & empty
    filled = labels.copy()
    if empty.all():
        return filled
    filled[empty] = np.bincount(labels[~empty]).argmax()
    if known.any() and wanted.any():
        _, nearest = cKDTree(points[known, :3].astype(np.float64)).query(points[wanted, :3].astype(np.float64))
        filled[wanted] = labels[known][nearest]
    return filled
