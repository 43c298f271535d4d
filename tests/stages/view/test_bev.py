import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from support.view import BLUE, GREEN, RED, has_color, make_box, make_taxonomy

from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.view.bev import _ring_step_m, birds_eye, painted_reach_m
from paintpipe.stages.view.style import GROUND, TEXT, UNPAINTED_POINT

SIZE_PX, EXTENT_M = 200, 10.0


def view(rows, boxes=(), **more):
    """(x, y, z, label) rows seen from above, 0.1 m a pixel."""
    table = np.array(rows, dtype=np.float32).reshape(-1, 4)
    label = np.array([int(row[3]) for row in rows], dtype=np.uint8)
    return birds_eye(table[:, :3], label, make_taxonomy(), EXTENT_M, SIZE_PX, boxes, **more)


def places(picture, color):
    """(row, col) of the middle of all pixels of a colour."""
    return tuple(np.argwhere((picture == np.array(color)).all(axis=2)).mean(axis=0).round().astype(int).tolist())


def test_forward_is_up_and_left_is_left():
    picture = view([(6.05, 0.55, 0, 0), (0.55, 7.05, 0, 1), (-3.05, -2.05, 0, 2)])
    assert tuple(picture[39, 94]) == RED  # 10 - 6.05 m from the top, 10 - 0.55 m from the left
    assert tuple(picture[94, 29]) == GREEN
    assert tuple(picture[130, 120]) == BLUE


def test_the_vehicles_forward_is_up_for_a_lidar_that_looks_right():
    quarter = np.eye(4)
    quarter[:2, :2] = [[0, 1], [-1, 0]]  # nuScenes: the LiDAR's x is the vehicle's right, its y is forward
    picture = view([(0.55, 6.05, 0, 0)], ego_SE3_lidar=quarter)
    row, col = places(picture, RED)
    assert abs(row - 39) <= 1
    assert abs(col - 105) <= 1


@pytest.mark.parametrize("order", [1, -1])
def test_the_higher_painted_point_is_on_top_and_unpainted_ones_lie_beneath(order):
    rows = [(5.05, 3.05, 0.0, 0), (5.05, 3.05, 2.0, 1), (5.05, 3.05, 9.0, 255)][::order]
    picture = view(rows)
    assert tuple(picture[49, 69]) == GREEN
    assert not has_color(picture, RED)


def test_unpainted_points_are_dim_grey():
    picture = view([(5.05, 3.05, 0.0, 255)])
    assert tuple(picture[49, 69]) == UNPAINTED_POINT
    assert sum(UNPAINTED_POINT) < sum(TEXT) / 3


def test_points_outside_and_not_finite_are_left_out():
    bare = view([])
    rows = [
        (np.nan, 1, 0, 0),
        (1, np.inf, 0, 0),
        (1, 1, -np.inf, 0),
        (10.01, 0, 0, 0),
        (0, -10.01, 0, 0),
        (3e38, 0, 0, 0),
    ]
    np.testing.assert_array_equal(view(rows), bare)


def test_rings_and_ego_marker_stand_on_a_dark_ground():
    bare = view([])
    assert bare.shape == (SIZE_PX, SIZE_PX, 3)
    assert tuple(bare[70, 20]) == GROUND
    assert bare[SIZE_PX // 2 - 2, SIZE_PX // 2 - 1].min() > 100  # the marker's tip points up
    assert bare[SIZE_PX // 2 + 6, SIZE_PX // 2 + 6].max() < 30
    # A ring each 2 m: going left from the middle, a little below the axis, something is lit near 20, 40, 60, 80 px.
    lit = np.flatnonzero(bare[110, :90].max(axis=1) > 30)
    distance = np.hypot(99.5 - lit, 10.5)
    assert {round(float(value) / 20) for value in distance} == {1, 2, 3, 4, 5}
    assert np.abs(distance - np.round(distance / 20) * 20).max() < 2


@pytest.mark.parametrize(("extent_m", "step_m"), [(50, 10), (60, 10), (61, 20), (25, 5), (6, 1), (100, 20), (3, 0.5)])
def test_ring_steps_are_round(extent_m, step_m):
    assert _ring_step_m(extent_m) == pytest.approx(step_m)


def outline(picture):
    found = np.argwhere((picture.astype(int) - view([]).astype(int)).max(axis=2) > 60)
    return (*found.min(axis=0).tolist(), *found.max(axis=0).tolist())


def test_boxes_are_outlined_where_they_stand():
    # 4 x 2 m around (5, 3): rows 30 to 70, columns 60 to 80, at 0.1 m a pixel.
    top, left, bottom, right = outline(view([], [make_box(center_m=np.array([5.0, 3.0, 0.0]))]))
    np.testing.assert_allclose((top, left, bottom, right), (30, 60, 70, 80), atol=1)
    turned = make_box(center_m=np.array([5.0, 3.0, 0.0]), yaw_rad=np.pi / 2)
    np.testing.assert_allclose(outline(view([], [turned])), (40, 50, 60, 90), atol=1)


def test_a_boxs_front_is_marked():
    picture = view([], [make_box(center_m=np.array([5.0, 3.0, 0.0]), yaw_rad=0.0)])
    change = (picture.astype(int) - view([]).astype(int)).max(axis=2)
    assert change[40, 69:71].max() > 60  # between the middle and the front
    assert change[60, 69:71].max() <= 0  # between the middle and the back


def test_boxes_take_the_colour_of_their_class_and_strangers_are_grey():
    def shade(name, **more):
        picture = view([], [make_box(class_name=name, center_m=np.array([5.0, 3.0, 0.0]))], **more)
        return picture[50, 59:62].astype(int).max(axis=0)

    red, green, blue = shade("Car")
    assert blue > green > red  # the alias of the third class, BLUE
    unknown = shade("movable_object.barrier <b>")
    assert unknown.max() - unknown.min() < 20
    red, green, blue = shade("human.pedestrian.adult", box_classes={"human.pedestrian.adult": (2, 0)})
    assert blue > green > red


def test_boxes_far_away_or_broken_change_nothing():
    far = make_box(center_m=np.array([1e30, 0.0, 0.0]))
    broken = make_box(yaw_rad=float("nan"))
    np.testing.assert_array_equal(view([], [far, broken]), view([]))


@pytest.mark.parametrize(("extent_m", "size_px"), [(0.0, 100), (-1.0, 100), (float("nan"), 100), (10.0, 0)])
def test_a_view_of_nothing_is_refused(extent_m, size_px):
    with pytest.raises(ConfigError, match="positive extent and size"):
        birds_eye(np.zeros((0, 3), np.float32), np.zeros(0, np.uint8), make_taxonomy(), extent_m, size_px)


@settings(max_examples=25, deadline=None)
@given(hnp.arrays(np.float32, (10, 4)), hnp.arrays(np.uint8, 10), st.floats(0.5, 500), st.integers(1, 200))
def test_nothing_makes_it_fail(points, label, extent_m, size_px):
    picture = birds_eye(points, label, make_taxonomy(), extent_m, size_px)
    assert picture.shape == (size_px, size_px, 3)


def test_reach_covers_most_painted_points_within_bounds():
    label = np.zeros(1000, np.uint8)
    points = np.zeros((1000, 4), np.float32)
    points[:, 0] = np.linspace(0, 35, 1000)
    assert painted_reach_m(points, label) == 40.0
    assert painted_reach_m(points * 0.1, label) == 20.0
    assert painted_reach_m(points * 9.0, label) == 60.0
    label[points[:, 0] > 25] = 255  # far points that are not painted don't count
    assert painted_reach_m(points, label) == 30.0
    assert painted_reach_m(points, np.full(1000, 255, np.uint8)) == 40.0
