import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paint import cloud, make_box

from paintpipe.stages.export.gt_database import (
    bottom_center_m,
    compare,
    relative,
    restored,
    rows_in_boxes,
    sampled_classes,
)

CENTER = np.array([12.345678901, -3.2, -0.75])


def test_rows_are_in_the_order_of_the_points_and_boxes_stand_upright():
    tilted = make_box(rotation_wxyz=np.array([np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0]))  # a quarter turn about +x
    points = cloud((0, 0.9, 0.4), (5, 5, 5), (0, 0, 0), (0, 0, 0.9))
    assert rows_in_boxes(points, [tilted])[0].tolist() == [0, 2]


def test_a_box_without_points_has_no_rows():
    assert rows_in_boxes(cloud((9, 9, 9)), [make_box()])[0].tolist() == []


def test_bottom_is_half_the_height_below_the_centre():
    box = make_box(center_m=np.array([1.0, 2.0, 3.0]), size_lwh_m=np.array([4.0, 2.0, 1.5]))
    assert bottom_center_m(box).tolist() == [1.0, 2.0, 2.25]


def test_known_answer():
    sample = relative(cloud((10.5, 2.0, -1.0, 0.25)), np.array([10.0, 2.0, -2.0]))
    assert sample.tolist() == [[0.5, 0.0, 1.0, 0.25]]
    assert sample.dtype == np.float32


def test_points_of_an_object_ahead_come_back_bit_for_bit():
    rng = np.random.default_rng(0)
    # x beyond the object's own size; y and z are no nearer to 0 than to the centre
    points = (CENTER + rng.uniform(-0.3, 0.3, (5000, 3))).astype(np.float32)
    assert restored(relative(points, CENTER), CENTER).tobytes() == points.tobytes()
    result = compare(relative(points, CENTER), points, CENTER)
    assert result is not None
    assert (result.exact, result.worst_m) == (15000, 0.0)


def test_a_coordinate_near_zero_has_no_room_and_is_told_as_such():
    points, center = np.float32([[10.0, 1e-5, 0.1]]), np.array([10.0, 3.7, 0.1])
    result = compare(relative(points, center), points, center)
    assert result is not None
    assert result.exact == 2
    assert 0 < result.worst_m <= 2.4e-7


@settings(max_examples=200)
@given(st.floats(-100, 100, width=32), st.floats(-100, 100))
def test_every_coordinate_comes_back_within_a_step_of_the_relative_one(point, center):
    row = np.full((1, 3), point, np.float32)
    assert compare(relative(row, np.full(3, center)), row, np.full(3, center)) is not None


def test_other_points_and_other_features_are_no_sample_of_these_rows():
    table = cloud((12.0, -3.0, -0.5, 0.3), (12.1, -3.1, -0.6, 0.4))
    sample = relative(table, CENTER)
    assert compare(sample, table, CENTER) is not None
    assert compare(sample[:1], table, CENTER) is None
    for column in range(4):
        other = sample.copy()
        other[1, column] += 0.001
        assert compare(other, table, CENTER) is None


def test_classes_are_sampled_where_the_filters_leave_an_object():
    def item(points, difficulty):
        return {"num_points_in_gt": points, "difficulty": difficulty}

    samples = {"few": [item(4, 0)], "hidden": [item(90, -1)], "both": [item(4, 0), item(90, -1)], "good": [item(5, 2)]}
    assert sampled_classes(samples | {"none": []}, 5) == ["good"]
