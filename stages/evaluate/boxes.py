"""Painted points against ground-truth boxes, for datasets that label boxes and no points (KITTI object)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, AnyArray, Bool, Int64, UInt8
from paintpipe.schemas.catalog import BoxRow
from paintpipe.schemas.painted import Flag
from paintpipe.stages.paint.boxes import points_in_box


@dataclass(frozen=True)
class BoxesTally:
    """Counts of any number of frames by box category; `a + b` is the tally of both.

    Attributes:
        num_classes: C of the layer's taxonomy.
        boxes: boxes of the category.
        inside: (C + 1,) visible points inside those boxes by label, the last one unpainted. A point inside two boxes
            counts in both.
        painted: visible points that carry a class of the category, wherever they are.
        outside_own: of those, points outside every box whose category shares a class with this one.
        outside_all: of those, points outside every box.
    """

    num_classes: int
    boxes: Counter[str] = field(default_factory=Counter)
    inside: dict[str, Int64] = field(default_factory=dict)
    painted: Counter[str] = field(default_factory=Counter)
    outside_own: Counter[str] = field(default_factory=Counter)
    outside_all: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "BoxesTally") -> "BoxesTally":
        if self.num_classes != other.num_classes:
            raise ValueError(f"tallies of {self.num_classes} and {other.num_classes} classes do not add up")
        keys = self.inside.keys() | other.inside.keys()
        return BoxesTally(
            self.num_classes,
            _sum(self.boxes, other.boxes),
            {key: self.labels_inside(key) + other.labels_inside(key) for key in keys},
            _sum(self.painted, other.painted),
            _sum(self.outside_own, other.outside_own),
            _sum(self.outside_all, other.outside_all),
        )

    def labels_inside(self, category: str) -> Int64:
        """(C + 1,) visible points inside boxes of the category by label."""
        return self.inside.get(category, np.zeros(self.num_classes + 1, dtype=np.int64))


def evaluate_boxes(
    points: AnyArray,
    labels: UInt8,
    flags: UInt8,
    boxes: Sequence[BoxRow],
    classes: Mapping[str, tuple[int, ...]],
    num_classes: int,
) -> BoxesTally:
    """The tally of one frame.

    Args:
        points: (N, >= 3) with x, y, z in metres, in the frame of the boxes.
        labels: (N,) class in the layer's own taxonomy, 255 where unpainted.
        flags: (N,) of `Flag`.
        boxes: all of the frame's.
        classes: box category → classes that are right inside it (`taxonomies.box_classes`).
        num_classes: of the layer's taxonomy.
    """
    visible = (flags & Flag.VISIBLE) != 0
    seen, label = points[visible], labels[visible]
    members = [(box.class_name, points_in_box(seen, box)) for box in boxes]
    tally = BoxesTally(num_classes, boxes=Counter(box.class_name for box in boxes))
    label_or_last = np.where(label == UNPAINTED, num_classes, label)
    for category, inside in members:
        counts = np.bincount(label_or_last[inside], minlength=num_classes + 1).astype(np.int64)
        tally.inside[category] = tally.labels_inside(category) + counts
    anywhere = _union([inside for _, inside in members], len(seen))
    for category, right in classes.items():
        carries = np.isin(label, right)
        own = [inside for name, inside in members if set(classes.get(name, ())) & set(right)]
        tally.painted[category] = int(carries.sum())
        tally.outside_own[category] = int((carries & ~_union(own, len(seen))).sum())
        tally.outside_all[category] = int((carries & ~anywhere).sum())
    return tally


def _union(masks: Sequence[Bool], length: int) -> Bool:
    return np.logical_or.reduce(masks) if masks else np.zeros(length, dtype=np.bool_)


def _sum(one: Counter[str], other: Counter[str]) -> Counter[str]:
    """Counter's own `+` drops zeros, and with them categories that were looked for and not found."""
    return Counter({key: one[key] + other[key] for key in one.keys() | other.keys()})
