"""Confusion matrices of labels, the one thing that every score is worked out from."""

from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, Float64, Int64, UInt8
from paintpipe.schemas.errors import LabelsError


@dataclass(frozen=True)
class RuleScores:
    """What an evaluation rule makes of one confusion matrix.

    Attributes:
        iou: (C,) intersection over union, NaN where the rule gives the class none.
        miou: mean over classes as the rule takes it, NaN where no class counts.
        tp, fp, fn: (C,) points.
    """

    iou: Float64
    miou: float
    tp: Int64
    fp: Int64
    fn: Int64


def confusion(truth: UInt8, prediction: UInt8, num_classes: int) -> Int64:
    """(C, C + 1) counts: a row is a true class, a column a predicted one, the last column is unpainted.

    Args:
        truth: (N,) class, 255 where ignored: such points are dropped.
        prediction: (N,) class in the same taxonomy, 255 where unpainted.
        num_classes: C.

    Raises:
        LabelsError: the lengths differ, or a class is neither below C nor 255.
    """
    if truth.shape != prediction.shape:
        raise LabelsError(f"{prediction.size} predictions for {truth.size} labels", expected="one for each point")
    kept = truth != UNPAINTED
    rows, columns = truth[kept].astype(np.int32), prediction[kept].astype(np.int32)
    if (rows >= num_classes).any() or ((columns >= num_classes) & (columns != UNPAINTED)).any():
        raise LabelsError("a label is outside the taxonomy", expected=f"0 … {num_classes - 1}, or 255 for none")
    columns[columns == UNPAINTED] = num_classes
    counts = np.bincount(rows * (num_classes + 1) + columns, minlength=num_classes * (num_classes + 1))
    return counts.reshape(num_classes, num_classes + 1).astype(np.int64)


def unpainted(counts: Int64) -> int:
    """Labelled points that have no prediction."""
    return int(counts[:, -1].sum())


def accuracy(counts: Int64) -> float:
    """Share of labelled points that carry their true class; an unpainted one does not. NaN without points."""
    total = int(counts.sum())
    return float(np.trace(counts)) / total if total else float("nan")


def present_miou(counts: Int64) -> float:
    """Mean IoU over the classes that the ground truth has, by tp / (tp + fp + fn). NaN without points.

    Neither dataset's rule: it is what is meant by "over the classes present", and a perfect prediction gets exactly 1.
    """
    tp = np.diagonal(counts).astype(np.float64)
    support = counts.sum(axis=1)
    union = support + counts[:, :-1].sum(axis=0) - tp
    present = support > 0
    return float((tp[present] / union[present]).mean()) if present.any() else float("nan")
