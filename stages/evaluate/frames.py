"""One row a frame: how much of it was painted and how right that is, so that the best and the worst can be found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from paintpipe.schemas import tables
from paintpipe.schemas.arrays import UNPAINTED, UInt8
from paintpipe.schemas.painted import Flag
from paintpipe.stages.evaluate.boxes import BoxesTally
from paintpipe.stages.evaluate.confusion import accuracy, present_miou
from paintpipe.stages.evaluate.points import PointsTally, Subset
from paintpipe.stages.evaluate.tables import as_table, share


@dataclass(frozen=True)
class FrameScore:
    """What is known of one frame of a layer.

    Attributes:
        sequence, index, frame_id: which frame.
        num_points, num_in_view, num_painted_in_view: counts of all points, labelled or not.
        labelled_in_view: points in view that have a true class.
        miou, accuracy: of those; mIoU over the classes that the frame has, NaN where none is labelled.
        in_boxes: points in view inside boxes of a category that some class is right for; a point in two counts twice.
        right_in_boxes: those that carry a right class.
    """

    sequence: str
    index: int
    frame_id: str
    num_points: int
    num_in_view: int
    num_painted_in_view: int
    labelled_in_view: int = 0
    miou: float = float("nan")
    accuracy: float = float("nan")
    in_boxes: int = 0
    right_in_boxes: int = 0


def frame_score(
    place: tuple[str, int, str],
    label: UInt8,
    flags: UInt8,
    points: PointsTally | None,
    boxes: BoxesTally | None,
    box_classes: Mapping[str, tuple[int, ...]],
) -> FrameScore:
    """The row of one frame.

    Args:
        place: sequence, index and frame id.
        label: (N,) class as painted, 255 where unpainted.
        flags: (N,) of `Flag`.
        points: the frame's tally against labels, None where it has none.
        boxes: the frame's tally against boxes, None where it has none.
        box_classes: box category → classes that are right inside it.
    """
    in_view = (flags & Flag.VISIBLE) != 0
    counts = None if points is None else points.of(Subset("view"))
    inside, right = _boxes(boxes, box_classes)
    return FrameScore(
        *place,
        num_points=len(label),
        num_in_view=int(in_view.sum()),
        num_painted_in_view=int((in_view & (label != UNPAINTED)).sum()),
        labelled_in_view=0 if counts is None else int(counts.sum()),
        miou=float("nan") if counts is None else present_miou(counts),
        accuracy=float("nan") if counts is None else accuracy(counts),
        in_boxes=inside,
        right_in_boxes=right,
    )


def frames_table(scores: Iterable[FrameScore], layer: str) -> pa.Table:
    """The table `frames` of a layer, in order of sequence and frame."""
    ordered = sorted(scores, key=lambda score: (score.sequence, score.index))
    rows = (
        {
            "layer": layer,
            "sequence": score.sequence,
            "frame_id": score.frame_id,
            "num_points": score.num_points,
            "num_in_view": score.num_in_view,
            "painted_in_view": share(score.num_painted_in_view, score.num_in_view),
            "labelled_in_view": score.labelled_in_view,
            "miou_present": score.miou,
            "accuracy": score.accuracy,
            "points_in_boxes": score.in_boxes,
            "right_in_boxes": share(score.right_in_boxes, score.in_boxes),
        }
        for score in ordered
    )
    return as_table(rows, tables.FRAMES)


def _boxes(tally: BoxesTally | None, classes: Mapping[str, tuple[int, ...]]) -> tuple[int, int]:
    """Points inside boxes that some class is right for, and those that carry it."""
    judged = [name for name in tally.boxes if classes.get(name)] if tally else []
    if tally is None or not judged:
        return 0, 0
    inside = [tally.labels_inside(name) for name in judged]
    right = sum(int(counts[list(classes[name])].sum()) for name, counts in zip(judged, inside, strict=True))
    return int(np.sum(inside)), right
