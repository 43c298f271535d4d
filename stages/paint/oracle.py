"""The ground truth as a painter: what a perfect network would say of each point."""

from collections.abc import Sequence

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, AnyArray, UInt8
from paintpipe.schemas.catalog import BoxRow
from paintpipe.schemas.errors import TaxonomyError
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.paint.boxes import points_in_box

_CLASS_BITS = 0xFFFF
"""SemanticKITTI keeps the class in the low 16 bits of a label and the instance above it."""


def oracle_from_labels(raw: AnyArray, taxonomy: Taxonomy) -> UInt8:
    """(N,) uint8 class indices of a dataset's own label ids, 255 where the taxonomy ignores the id.

    Args:
        raw: (N,) integers as the label file holds them (uint32 of SemanticKITTI, uint8 of nuScenes lidarseg); only
            the low 16 bits count.
        taxonomy: with `raw_ids`.

    Raises:
        TaxonomyError: the taxonomy knows no label ids.
    """
    if not taxonomy.raw_ids:
        raise TaxonomyError(f"taxonomy {taxonomy.name} has no label ids", expected="the taxonomy of the point labels")
    table = np.full(_CLASS_BITS + 1, UNPAINTED, dtype=np.uint8)
    for raw_id, index in taxonomy.raw_ids.items():
        table[raw_id] = index
    return table[raw.astype(np.int64) & _CLASS_BITS]


def oracle_from_boxes(points: AnyArray, boxes: Sequence[BoxRow], taxonomy: Taxonomy) -> UInt8:
    """(N,) uint8 class indices from the boxes that points lie in.

    Where boxes overlap the smallest wins (a rider's over the bus behind). A point in no box is background, or 255
    where the taxonomy has none. A box whose category the taxonomy does not know says only that its points are not
    background: 255, as is a point that is not finite. KITTI's DontCare has no 3-D box, so the objects in such a
    region count as background.

    Args:
        points: (N, >=3) x, y, z in metres in the LiDAR frame.
        boxes: of this frame.
        taxonomy: box categories are looked up by class name or alias.
    """
    background = None if taxonomy.background is None else taxonomy.index(taxonomy.background)
    labels = np.full(len(points), UNPAINTED if background is None else background, dtype=np.uint8)
    for box in sorted(boxes, key=_volume_m3, reverse=True):
        index = taxonomy.index(box.class_name)
        labels[points_in_box(points, box)] = UNPAINTED if index is None else index
    labels[~np.isfinite(points[:, :3]).all(axis=1)] = UNPAINTED
    return labels


def _volume_m3(box: BoxRow) -> float:
    return float(np.prod(np.asarray(box.size_lwh_m, dtype=np.float64)))
