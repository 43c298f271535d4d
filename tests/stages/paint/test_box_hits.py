from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paint import cloud, make_box

from paintpipe.stages.paint.box_hits import box_hits
from paintpipe.stages.paint.boxes import points_in_box


def test_rows_come_first_then_boxes():
    boxes = [make_box(), make_box(center_m=np.array([1.0, 0.0, 0.0])), make_box(center_m=np.full(3, 50.0))]
    rows, numbers = box_hits(cloud((0.5, 0, 0), (9, 9, 9), (50, 50, 50), (0.5, 0, 0)), boxes)
    assert rows.tolist() == [0, 0, 2, 3, 3]
    assert numbers.tolist() == [0, 1, 2, 0, 1]


def test_a_point_in_more_boxes_than_there_are_points_is_in_all():
    rows, numbers = box_hits(cloud((0, 0, 0)), [make_box()] * 40)
    assert numbers.tolist() == list(range(40))
    assert not rows.any()


def test_without_points_and_without_boxes():
    assert [len(found) for found in box_hits(np.zeros((0, 4), np.float32), [make_box()])] == [0, 0]
    assert [len(found) for found in box_hits(cloud((0, 0, 0)), [])] == [0, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_points_and_boxes_that_are_not_finite(bad):
    huge = make_box(size_lwh_m=np.full(3, 1e9))
    points = cloud((bad, 0, 0), (0, bad, 0), (0, 0, bad), (0, 0, 0))
    assert box_hits(points, [huge])[0].tolist() == [3]
    assert len(box_hits(points, [make_box(center_m=np.array([bad, 0.0, 0.0]))])[0]) == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 30.0, 126.0, 5000.0]))
def test_as_box_by_box(seed, spread_m):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-spread_m, spread_m, (300, 4)).astype(np.float32)
    tilted = np.array([np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0])
    boxes = [
        make_box(
            center_m=rng.uniform(-spread_m, spread_m, 3),
            size_lwh_m=rng.uniform(-0.1, 1.5, 3) * spread_m,
            yaw_rad=rng.uniform(-4, 4),
            rotation_wxyz=tilted if number % 2 else None,
        )
        for number in range(12)
    ]
    rows, numbers = box_hits(points, boxes)
    for number, box in enumerate(boxes):
        expected = np.flatnonzero(points_in_box(points, replace(box, rotation_wxyz=None)))
        assert rows[numbers == number].tolist() == expected.tolist()
