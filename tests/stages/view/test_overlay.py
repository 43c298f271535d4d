import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from support.view import BLUE, GREEN, RED, make_image, make_taxonomy

from paintpipe.stages.view.overlay import overlay_labels, overlay_points
from paintpipe.stages.view.style import UNPAINTED_RING


def points(rows):
    """(col, row, label, depth) tuples → the arrays that `overlay_points` takes."""
    col, row, label, depth_m = zip(*rows, strict=True) if rows else ((), (), (), ())
    kinds = (np.int32, np.int32, np.uint8, np.float32)
    return [np.array(values, dtype=kind) for values, kind in zip((col, row, label, depth_m), kinds, strict=True)]


@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("value", [0, 100, 255])
def test_labels_blend_with_the_palette(alpha, value):
    labels = np.array([[0, 1], [2, 255]], dtype=np.uint8)
    picture = overlay_labels(make_image(2, 2, value), labels, make_taxonomy(), alpha)
    for (row, col), color in {(0, 0): RED, (0, 1): GREEN, (1, 0): BLUE}.items():
        expected = np.floor(np.array(color) * alpha + value * (1 - alpha) + 0.5)
        np.testing.assert_array_equal(picture[row, col], expected)
    np.testing.assert_array_equal(picture[1, 1], [value] * 3)
    assert picture.dtype == np.uint8


def test_the_image_given_stays_as_it_was():
    image = make_image(40, 40)
    overlay_points(image, *points([(20, 20, 0, 5.0)]), make_taxonomy())
    overlay_labels(image, np.zeros((40, 40), np.uint8), make_taxonomy())
    assert (image == 100).all()


def test_a_painted_point_has_its_colour_at_its_pixel_and_the_rest_is_dimmed():
    picture = overlay_points(make_image(50, 80), *points([(30, 10, 1, 4.0)]), make_taxonomy(), brightness=0.5, scale=20)
    assert tuple(picture[10, 30]) == GREEN
    assert tuple(picture[40, 70]) == (50, 50, 50)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_point_is_on_top(order):
    both = [(30, 30, 0, 5.0), (30, 30, 1, 20.0)]
    picture = overlay_points(make_image(60, 60), *points([both[i] for i in order]), make_taxonomy(), scale=30)
    assert tuple(picture[30, 30]) == RED


def test_the_nearer_point_is_larger():
    def area(depth_m):
        picture = overlay_points(make_image(80, 80), *points([(40, 40, 0, depth_m)]), make_taxonomy(), scale=40)
        return int((picture == np.array(RED)).all(axis=2).sum())

    assert area(4.0) > 2 * area(16.0) > 0


def test_an_unpainted_point_is_hollow():
    picture = overlay_points(make_image(80, 80), *points([(40, 40, 255, 4.0)]), make_taxonomy(), brightness=1, scale=30)
    assert tuple(picture[40, 40]) == (100, 100, 100)
    ring = np.abs(picture.astype(int) - np.array(UNPAINTED_RING)).max(axis=2) < 20
    assert ring.any()


@pytest.mark.parametrize(
    "point",
    [
        (-1, 5, 0, 5.0),
        (5, -1, 0, 5.0),
        (20, 5, 0, 5.0),
        (5, 20, 0, 5.0),
        (5, 5, 0, np.nan),
        (5, 5, 0, -3.0),
        (5, 5, 0, np.inf),
        (5, 5, 0, 0.0),
        (-(2**31), 2**31 - 1, 0, 5.0),
    ],
)
def test_points_that_no_camera_sees_are_left_out(point):
    picture = overlay_points(make_image(20, 20), *points([point]), make_taxonomy(), brightness=1.0)
    assert (picture == 100).all()


def test_no_point_at_all():
    assert (overlay_points(make_image(9, 7), *points([]), make_taxonomy(), brightness=1.0) == 100).all()


@settings(max_examples=25, deadline=None)
@given(hnp.arrays(np.int32, (12, 2)), hnp.arrays(np.uint8, 12), hnp.arrays(np.float32, 12))
def test_nothing_makes_it_fail(pixel, label, depth_m):
    picture = overlay_points(make_image(16, 24), pixel[:, 0] % 30, pixel[:, 1] % 20, label, depth_m, make_taxonomy())
    assert picture.shape == (16, 24, 3)
    assert picture.dtype == np.uint8


@settings(max_examples=25, deadline=None)
@given(hnp.arrays(np.uint8, (5, 6)), st.floats(0, 1))
def test_any_labels_overlay(labels, alpha):
    assert overlay_labels(make_image(5, 6), labels, make_taxonomy(), alpha).shape == (5, 6, 3)
