import numpy as np

from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.registry import find_card, find_weights
from paintpipe.stages.segment.segmenter import load_segmenter
from paintpipe.stages.segment.train import confusion_matrix
from paintpipe.stages.synth.settings import CLASSES
from paintpipe.stages.synth.views import ViewPlan, render_views

HELD_OUT = (300_001, 300_002)


def test_shipped_weights_know_streets_that_they_never_saw() -> None:
    card = find_card("street-tiny")
    weights = find_weights("street-tiny", card)
    assert weights.stat().st_size <= 4_000_000
    assert "synthetic streets only" in card.notes
    segmenter = load_segmenter(card, weights, len(CLASSES), SegmentSettings(threads=2))
    table = np.zeros((len(CLASSES), len(CLASSES)), dtype=np.int64)
    for view in render_views(HELD_OUT, ViewPlan(front_views=4, ring_views=1, spacing_s=4.0)):
        scores = segmenter.predict([view.image_rgb])[0]
        assert scores.values.shape[1:] == view.labels.shape
        table += confusion_matrix(view.labels, scores.values.argmax(axis=0).astype(np.uint8), len(CLASSES))
    hit = np.diag(table)
    ious = hit / (table.sum(axis=0) + table.sum(axis=1) - hit)
    assert ious.mean() >= 0.7, dict(zip(CLASSES, ious.round(3), strict=True))
