"""nuScenes-lidarseg's scores, as nuscenes-devkit's `ConfusionMatrix` (nuscenes/eval/lidarseg/utils.py) has them."""

import numpy as np

from paintpipe.schemas.arrays import Float64, Int64
from paintpipe.schemas.errors import LabelsError
from paintpipe.stages.evaluate.confusion import RuleScores, unpainted


def nuscenes_scores(counts: Int64, *, complete: bool = True) -> RuleScores:
    """IoU = intersection / union, NaN for a class that is neither there nor predicted; mean over the others.

    Args:
        counts: (C, C + 1) from `confusion`, points with ignored truth dropped.
        complete: refuse points without a prediction, as the evaluator does. Else, for subsets that the evaluator does
            not know, such a point is a miss of its true class.

    Raises:
        LabelsError: a point has no prediction, and `complete` is asked for.
    """
    if complete and unpainted(counts):
        raise LabelsError(
            f"{unpainted(counts)} points have no label, which nuScenes' evaluator refuses",
            todo="choose one with --fill nearest or --fill CLASS",
        )
    hits = np.diagonal(counts).copy()
    labelled, predicted = counts.sum(axis=1), counts[:, :-1].sum(axis=0)
    iou = _iou(hits, labelled + predicted - hits)
    counted = iou[~np.isnan(iou)]
    mean = float(counted.mean()) if len(counted) else float("nan")
    return RuleScores(iou, mean, hits, predicted - hits, labelled - hits)


def frequency_weighted_iou(counts: Int64) -> float:
    """IoU weighted by each class's share of the labelled points; the evaluator reports it beside the mean."""
    support = counts.sum(axis=1)
    if not support.sum():
        return float("nan")
    hits = np.diagonal(counts)
    iou = _iou(hits, support + counts[:, :-1].sum(axis=0) - hits)
    return float(np.nansum(support * iou) / support.sum())


def _iou(hits: Int64, union: Int64) -> Float64:
    """The evaluator divides by a float32; so must this be, to give its very numbers."""
    divisor = union.astype(np.float32)
    return np.divide(hits, divisor, out=np.full(len(hits), np.nan), where=divisor > 0)
