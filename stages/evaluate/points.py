"""Painted points of one frame against their true labels, as tallies that add up over frames."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, AnyArray, Bool, Int8, Int64, UInt8
from paintpipe.schemas.painted import Flag
from paintpipe.stages.evaluate.confusion import confusion

RANGE_EDGES_M = (0.0, 10.0, 20.0, 30.0, 40.0, 50.0)


class Subset(NamedTuple):
    """Which points a figure is about.

    Attributes:
        kind: `all` (every point of the sweep), `filled` (the same, gaps filled), `view` (points in some camera's view);
            and of those in view `range`, `camera`, `edge` and `occluded`.
        number: of the range bin or camera; for `edge`, 1 on depth edges and 0 off them; for `occluded`, 1 or 0.
    """

    kind: str
    number: int = 0


@dataclass(frozen=True)
class PointsTally:
    """Counts of any number of frames; `a + b` is the tally of both.

    Attributes:
        num_points, num_painted, num_in_view, num_painted_in_view: of all points, whether labelled or not.
        confusions: (C, C + 1) counts by subset. Subsets overlap and are never added to one another.
    """

    num_classes: int
    num_points: int = 0
    num_painted: int = 0
    num_in_view: int = 0
    num_painted_in_view: int = 0
    confusions: dict[Subset, Int64] = field(default_factory=dict)

    def __add__(self, other: "PointsTally") -> "PointsTally":
        if self.num_classes != other.num_classes:
            raise ValueError(f"tallies of {self.num_classes} and {other.num_classes} classes do not add up")
        return PointsTally(
            self.num_classes,
            self.num_points + other.num_points,
            self.num_painted + other.num_painted,
            self.num_in_view + other.num_in_view,
            self.num_painted_in_view + other.num_painted_in_view,
            {key: self.of(key) + other.of(key) for key in self.confusions.keys() | other.confusions.keys()},
        )

    def of(self, subset: Subset) -> Int64:
        """(C, C + 1) counts of a subset, all zero where it had no points."""
        return self.confusions.get(subset, np.zeros((self.num_classes, self.num_classes + 1), dtype=np.int64))


def evaluate_frame(
    points: AnyArray,
    labels: UInt8,
    truth: UInt8,
    camera: Int8,
    flags: UInt8,
    num_classes: int,
    fill_labels: UInt8 | None = None,
) -> PointsTally:
    """The tally of one frame.

    Args:
        points: (N, >= 3) with x, y, z in metres.
        labels: (N,) predicted class in the truth's taxonomy, 255 where unpainted.
        truth: (N,) true class, 255 where ignored.
        camera: (N,) index of the camera that a point was painted from, -1 where none.
        flags: (N,) of `Flag`.
        num_classes: of the truth's taxonomy.
        fill_labels: (N,) labels with the gaps filled, for the subset `filled`.

    Raises:
        LabelsError: labels don't fit the points or the taxonomy.
    """
    painted, in_view = labels != UNPAINTED, (flags & Flag.VISIBLE) != 0
    counts = {
        subset: confusion(truth[chosen], labels[chosen], num_classes)
        for subset, chosen in _subsets(points, camera, flags, in_view).items()
    }
    counts[Subset("all")] = confusion(truth, labels, num_classes)
    if fill_labels is not None:
        counts[Subset("filled")] = confusion(truth, fill_labels, num_classes)
    return PointsTally(
        num_classes,
        num_points=len(labels),
        num_painted=int(painted.sum()),
        num_in_view=int(in_view.sum()),
        num_painted_in_view=int((painted & in_view).sum()),
        confusions=counts,
    )


def _subsets(points: AnyArray, camera: Int8, flags: UInt8, in_view: Bool) -> dict[Subset, Bool]:
    """Masks of the subsets of points in view. A bin holds its lower edge; a point that is not finite is in none."""
    range_m = np.linalg.norm(points[:, :3].astype(np.float64), axis=1)
    subsets = {Subset("view"): in_view}
    for kind, flag in (("edge", Flag.DEPTH_EDGE), ("occluded", Flag.OCCLUDED)):
        raised = (flags & flag) != 0
        subsets |= {Subset(kind, 0): in_view & ~raised, Subset(kind, 1): in_view & raised}
    for index, (near_m, far_m) in enumerate(pairwise(RANGE_EDGES_M)):
        subsets[Subset("range", index)] = in_view & (range_m >= near_m) & (range_m < far_m)
    for index in np.unique(camera[in_view & (camera >= 0)]):
        subsets[Subset("camera", int(index))] = in_view & (camera == index)
    return subsets
