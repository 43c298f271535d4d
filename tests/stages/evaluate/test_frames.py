"""A row a frame: counts by hand, and what is missing stays empty."""

from collections import Counter

import numpy as np
import pytest
from support.evaluate import make_frame

from paintpipe.schemas import tables
from paintpipe.stages.evaluate.boxes import BoxesTally
from paintpipe.stages.evaluate.frames import frame_score, frames_table

VISIBLE, PAINTED = 2, 1


def test_counts_and_scores_of_one_frame():
    # Five points, the last out of view, the fourth unpainted, the third wrong: of four labelled in view two are right.
    flags = np.array([3, 3, 3, 2, 1], np.uint8)
    labels = np.array([0, 0, 0, 255, 2], np.uint8)
    frame = make_frame(labels=labels, flags=flags)
    score = frame_score(("s", 7, "f"), labels, flags, frame.tally(), None, {})
    (row,) = frames_table([score], "layer").to_pylist()
    assert row == {
        "layer": "layer",
        "sequence": "s",
        "frame_id": "f",
        "num_points": 5,
        "num_in_view": 4,
        "painted_in_view": 0.75,
        "labelled_in_view": 4,
        "miou_present": pytest.approx((2 / 3 + 0 / 2) / 2),  # class 0: tp 2, fp 1; class 1: fn 2
        "accuracy": 0.5,
        "points_in_boxes": 0,
        "right_in_boxes": None,
    }


def test_boxes_of_a_category_without_a_right_class_do_not_count():
    inside = {"Car": np.array([6, 1, 0, 1]), "Misc": np.array([0, 50, 0, 0])}
    tally = BoxesTally(3, boxes=Counter({"Car": 1, "Misc": 1}), inside=inside)
    score = frame_score(("s", 0, "f"), np.zeros(9, np.uint8), np.full(9, 3, np.uint8), None, tally, {"Car": (0, 1)})
    (row,) = frames_table([score], "layer").to_pylist()
    assert (row["points_in_boxes"], row["right_in_boxes"]) == (8, 7 / 8)
    assert (row["miou_present"], row["accuracy"], row["labelled_in_view"]) == (None, None, 0)


def test_frames_stand_in_order_however_they_came():
    labels = np.zeros(0, np.uint8)
    places = [("b", 0, "x"), ("a", 10, "y"), ("a", 9, "z")]
    scores = [frame_score(place, labels, labels, None, None, {}) for place in places]
    table = frames_table(scores, "layer")
    assert table.column("frame_id").to_pylist() == ["z", "y", "x"]
    assert table.schema.equals(tables.FRAMES)
    assert table.column("painted_in_view").to_pylist() == [None] * 3
    assert frames_table([], "layer").num_rows == 0
