"""Painting points with what is known of the points themselves: the ground truth, or a LiDAR network's answer."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from paintpipe.schemas.arrays import Bool, Float32, UInt8, UInt16
from paintpipe.schemas.painted import Flag, PaintedFrame
from paintpipe.schemas.settings import PaintSettings
from paintpipe.stages.paint.merge_kernels import pack_rows
from paintpipe.stages.paint.overlap import merge_views
from paintpipe.stages.paint.sample_kernels import one_hot
from paintpipe.stages.paint.settle import mark_occluded
from paintpipe.stages.paint.views import CameraSample, ProjectedView


def paint_labels(
    points: Float32, labels: UInt8, num_classes: int, views: Sequence[ProjectedView], settings: PaintSettings
) -> PaintedFrame:
    """A sweep painted one-hot with (N,) class indices; 255, or any index beyond the classes, leaves a point unpainted.

    Raises:
        TaxonomyError: more classes than a uint8 label holds.
    """
    scores, painted = one_hot(labels, num_classes)
    return _paint(points, scores, painted, views, settings)


def paint_scores(
    points: Float32, scores: Float32, views: Sequence[ProjectedView], settings: PaintSettings
) -> PaintedFrame:
    """A sweep painted with (N, C) float32 scores of at least 0, divided by their sum; a row of 0 is left unpainted.

    Raises:
        TaxonomyError: more classes than a uint8 label holds.
    """
    sums = scores.sum(axis=1, keepdims=True)
    painted = sums[:, 0] > 0.0
    whole = np.divide(scores, sums, out=np.zeros_like(scores), where=sums > 0.0)
    return _paint(points, whole, painted, views, settings)


def _paint(
    points: Float32, scores: Float32, painted: Bool, views: Sequence[ProjectedView], settings: PaintSettings
) -> PaintedFrame:
    """All cameras agree on a point's class, so the first that sees it stands for all; then come the unseen points.

    No class comes from a pixel, so occlusion is flagged at most, and edges are never smoothed.
    """
    samples = [CameraSample(view, scores[view.projected.index], painted[view.projected.index]) for view in views]
    samples = list(mark_occluded(points, samples, settings))
    num_points, num_classes = scores.shape
    frame = merge_views(num_points, num_classes, samples, replace(settings, overlap="first"), frame_key="")
    bits: UInt16 = frame.scores.view(np.uint16)
    pack_rows(scores, np.arange(num_points, dtype=np.int32), painted, bits, frame.label)
    frame.flags[painted] |= np.uint8(Flag.PAINTED)
    return frame
