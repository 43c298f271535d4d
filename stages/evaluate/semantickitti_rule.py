"""SemanticKITTI's scores, as `evaluate_semantics.py` of PRBonn/semantic-kitti-api works them out."""

import numpy as np

from paintpipe.schemas.arrays import Int64
from paintpipe.stages.evaluate.confusion import RuleScores

_EPSILON = 1e-15


def semantickitti_scores(counts: Int64) -> RuleScores:
    """IoU = tp / (tp + fp + fn + 1e-15), mean over all classes: one that is absent counts as 0.

    An unpainted point is what the evaluator calls a prediction of 0 (unlabelled): a miss of its true class and
    nobody's false positive.

    Args:
        counts: (C, C + 1) from `confusion`, points with ignored truth dropped.
    """
    tp = np.diagonal(counts).copy()
    fp = counts[:, :-1].sum(axis=0) - tp
    fn = counts.sum(axis=1) - tp
    iou = tp / (tp + fp + fn + _EPSILON)
    return RuleScores(iou, float(iou.mean()), tp, fp, fn)


def semantickitti_accuracy(counts: Int64) -> float:
    """The evaluator's accuracy: right points among those that have a prediction; an unpainted miss is not counted."""
    return float(np.trace(counts) / (counts[:, :-1].sum() + _EPSILON))
