"""A frame's true labels, and a layer's scores and labels in the same classes."""

from typing import NamedTuple

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Float32, UInt8
from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.evaluate.images import labels_mapped
from paintpipe.stages.paint.oracle import oracle_from_labels
from paintpipe.stages.taxonomies.apply import labels_from_scores, map_scores
from paintpipe.stages.taxonomies.load import load_mapping, load_taxonomy
from paintpipe.workflows.frame_io import FrameFiles


class Scored(NamedTuple):
    """A frame of a layer in the classes of the truth.

    Attributes:
        scores: (N, C) or, with `other` at its end, (N, C + 1).
        labels: (N,) uint8, 255 where unpainted.
    """

    scores: AnyArray
    labels: UInt8


def true_labels(files: FrameFiles, row: FrameRow, source: str | None, target: Taxonomy | None) -> UInt8 | None:
    """(N,) true classes in `target`, 255 where ignored; None where the frame has none that can be read.

    Args:
        files: of the dataset.
        row: of the frame.
        source: name of the taxonomy of the dataset's labels, None where it has none.
        target: in which classes.
    """
    raw = files.labels(row)
    if raw is None or source is None or target is None:
        return None
    truth = oracle_from_labels(raw, load_taxonomy(source))
    return truth if target.name == source else labels_mapped(truth, load_mapping(source, target.name))


def in_taxonomy(scores: AnyArray, labels: UInt8, points: Float32, own: str, target: Taxonomy) -> Scored:
    """Scores and labels of a layer whose taxonomy is called `own`, in `target`.

    Raises:
        TaxonomyError: no mapping leads there.
    """
    if own == target.name:
        return Scored(scores, labels)
    mapping = load_mapping(own, target.name)
    mapped = map_scores(np.asarray(scores), points, mapping)
    return Scored(mapped, labels_from_scores(mapped, mapping.target))
