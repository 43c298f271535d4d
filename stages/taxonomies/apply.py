"""Scores, labels and painted frames moved from one taxonomy to another."""

from dataclasses import replace

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, AnyArray, Bool, Float16, Float32, Float64, UInt8
from paintpipe.schemas.errors import TaxonomyError
from paintpipe.schemas.painted import Flag, PaintedFrame, Provenance
from paintpipe.schemas.taxonomy import OTHER, Mapping, Taxonomy
from paintpipe.stages.taxonomies.assemble import CYCLIST, RIDDEN, RIDER
from paintpipe.stages.taxonomies.cyclists import near


def map_scores(scores: Float32 | Float16, points: AnyArray, mapping: Mapping) -> Float32:
    """(N, C') float32 scores in the mapping's target: classes that merge sum their probabilities.

    Where the mapping has the cyclist rule, a point whose arg-max is bicycle and that lies within 1 m (3-D) of a point
    whose arg-max is rider gives its bicycle mass to cyclist (PointPainting, arXiv 1911.10150, section 3.2).

    Args:
        scores: (N, C) in the mapping's source; an unpainted row is all zero and stays so.
        points: (N, >= 3) with x, y, z in metres, read for the cyclist rule only.
        mapping: from `load_mapping`.

    Raises:
        TaxonomyError: the scores don't have the source's number of classes.
    """
    _check_width(scores, mapping)
    columns = _columns(scores)
    riders = _arg_max_is(columns, mapping.source.index(RIDER)) if mapping.cyclist_rule else None
    return _mapped(columns, points, riders, mapping)


def map_painted(frame: PaintedFrame, points: AnyArray, mapping: Mapping) -> PaintedFrame:
    """A painted frame in the mapping's target: scores, label (arg-max as stored), margin and the second scores.

    The second camera's bicycle mass goes to riders of the first: they are what the point cloud is painted with.

    Raises:
        TaxonomyError: the scores don't have the source's number of classes.
    """
    _check_width(frame.scores, mapping)
    columns = _columns(frame.scores)
    riders = _arg_max_is(columns, mapping.source.index(RIDER)) if mapping.cyclist_rule else None
    scores = _mapped(columns, points, riders, mapping).astype(np.float16)
    label = np.where((frame.flags & Flag.PAINTED) != 0, scores.argmax(axis=1), UNPAINTED).astype(np.uint8)
    provenance = frame.provenance and _map_provenance(frame.provenance, scores, points, riders, mapping)
    return replace(frame, scores=scores, label=label, provenance=provenance)


def labels_from_scores(scores: Float32 | Float16, taxonomy: Taxonomy, leave_out_other: bool = True) -> UInt8:
    """(N,) uint8 arg-max class; 255 where the row is all zero, or all on `other` and that is left out.

    `other` is left out for evaluation and submissions: the target has no such class, so the best of its classes is
    the answer. A background class is an answer like any.

    Args:
        scores: (N, C) in `taxonomy`.
        taxonomy: the mapping's target; `other` is its last class or none.
        leave_out_other: whether `other` can't win.
    """
    kept = scores
    if leave_out_other and taxonomy.classes[-1] == OTHER:
        kept = scores[:, :-1]
    return np.where(kept.max(axis=1, initial=0.0) > 0.0, kept.argmax(axis=1), UNPAINTED).astype(np.uint8)


def _check_width(scores: AnyArray, mapping: Mapping) -> None:
    if scores.ndim != 2 or scores.shape[1] != len(mapping.source):
        raise TaxonomyError(
            f"scores of shape {scores.shape} do not fit the taxonomy {mapping.source.name}",
            expected=f"{len(mapping.source)} classes a point",
        )


def _columns(scores: Float32 | Float16) -> Float32:
    """(C, N) float32: class after class, which is read some four times as fast as point after point."""
    return np.ascontiguousarray(scores.T).astype(np.float32, copy=False)


def _arg_max_is(columns: Float32, channel: int | None) -> Bool:
    """Painted points whose best class is this channel: the first of those that share the highest score."""
    if channel is None:
        return np.zeros(columns.shape[1], np.bool_)
    own, best = columns[channel], columns.max(axis=0, initial=0)
    first: Bool = (own > 0) & (own == best)
    first[first] = (columns[:channel, first] < own[first]).all(axis=0)
    return first


def _mapped(columns: Float32, points: AnyArray, riders: Bool | None, mapping: Mapping) -> Float32:
    mapped = _summed(columns, mapping.matrix)
    bicycle, cyclist = mapping.source.index(RIDDEN), mapping.target.index(CYCLIST)
    if riders is not None:
        ridden = _arg_max_is(columns, bicycle)
        ridden[ridden] = near(points[ridden, :3], points[riders, :3])
        matrix = mapping.matrix.copy()
        matrix[bicycle] = np.eye(len(mapping.target))[cyclist]
        mapped[ridden] = _summed(columns[:, ridden], matrix)
    return mapped


def _summed(columns: Float32, matrix: Float64) -> Float32:
    """(N, C') column by column: a matrix product's bytes would depend on the BLAS and its threads."""
    mapped = np.zeros((matrix.shape[1], columns.shape[1]), dtype=np.float32)
    for source, target in np.argwhere(matrix):
        mapped[target] += np.float32(matrix[source, target]) * columns[source]
    return np.ascontiguousarray(mapped.T)


def _map_provenance(
    full: Provenance, scores: Float16, points: AnyArray, riders: Bool | None, mapping: Mapping
) -> Provenance:
    second_scores = _mapped(_columns(full.second.scores), points, riders, mapping).astype(np.float16)
    second = replace(full.second, scores=second_scores)
    top = np.sort(scores.astype(np.float32), axis=1)
    margin = (top[:, -1] - top[:, -2]).astype(np.float16)
    return replace(full, margin=np.where(np.isnan(full.margin), np.float16("nan"), margin), second=second)
