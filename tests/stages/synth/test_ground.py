import math

import numpy as np
import pytest

from paintpipe.stages.synth.ground import (
    NOWHERE,
    ON_KERB,
    ON_ROAD,
    ON_SIDEWALK,
    Street,
    center_line,
    hit_ground,
    is_road,
    offset_m,
)
from paintpipe.stages.synth.route import center_line_at, measure

STRAIGHT = Street(np.array([[0.0, 50.0, 0.0], [0.0, 20.0, 0.0]]), 5.0, 0.1, np.array([40.0]), 3.0, 200.0)
WINDING = Street(np.array([[9.0, 50.0, 1.0], [1.0, 20.0, 2.0]]), 5.0, 0.1, np.array([40.0]), 3.0, 200.0)


def down(y_m: float, z_m: float) -> np.ndarray:
    """A unit ray that runs in the plane of y and z."""
    ray = np.array([0.0, y_m, z_m])
    return ray / np.linalg.norm(ray)


def test_road_sidewalk_and_nothing() -> None:
    eye = np.array([0.0, 0.0, 2.0])
    assert hit_ground(STRAIGHT, eye, np.array([0.0, 0.0, -1.0])) == (2.0, ON_ROAD)
    distance, what = hit_ground(STRAIGHT, np.array([0.0, 8.0, 2.0]), np.array([0.0, 0.0, -1.0]))
    assert (distance, what) == (pytest.approx(1.9), ON_SIDEWALK)
    assert hit_ground(STRAIGHT, eye, np.array([1.0, 0.0, 0.0])) == (math.inf, NOWHERE)
    assert hit_ground(STRAIGHT, eye, down(1.0, -0.001))[1] == NOWHERE  # beyond its reach


def test_kerb_stands_at_the_road_s_edge() -> None:
    # aimed at the middle of the kerb's face: y = 5, z = 0.05
    eye, aim = np.array([0.0, 0.0, 1.05]), np.array([0.0, 5.0, 0.05])
    distance, what = hit_ground(STRAIGHT, eye, down(5.0, -1.0))
    assert what == ON_KERB
    assert distance == pytest.approx(np.linalg.norm(aim - eye), abs=1e-5)


def test_side_street_is_road_on_both_sides() -> None:
    assert is_road(STRAIGHT, 41.0, 30.0)
    assert is_road(STRAIGHT, 41.0, -30.0)
    assert not is_road(STRAIGHT, 44.0, 30.0)


def test_route_keeps_its_offset_and_its_pace() -> None:
    route = measure(WINDING, -100.0, 200.0)
    poses = [route.pose(s, 3.0) for s in np.arange(0.0, 60.0, 0.5)]
    offsets = [offset_m(WINDING, pose[0, 3], pose[1, 3]) for pose in poses]
    assert np.allclose(offsets, 3.0, atol=0.1)
    middles = np.array([route.pose(s, 0.0)[:2, 3] for s in np.arange(0.0, 60.0, 0.5)])
    assert np.allclose(np.linalg.norm(np.diff(middles, axis=0), axis=1), 0.5, atol=1e-3)
    assert np.allclose(route.pose(0.0, 0.0)[:3, 3], 0.0, atol=1e-6)


def test_a_place_beside_the_street_has_the_x_asked_for() -> None:
    route = measure(WINDING, -100.0, 200.0)
    for x, left in ((40.0, 36.0), (-20.0, -55.0), (90.0, 20.0)):
        assert route.pose(route.beside(x, left), left)[0, 3] == pytest.approx(x, abs=0.05)


def test_heading_follows_the_center_line() -> None:
    route = measure(WINDING, -100.0, 200.0)
    ahead, here = route.pose(10.01, 0.0), route.pose(10.0, 0.0)
    step = ahead[:2, 3] - here[:2, 3]
    assert np.allclose(here[:2, 0], step / np.linalg.norm(step), atol=1e-2)
    y, slope = center_line_at(WINDING, np.array([17.0]))
    assert center_line(WINDING, 17.0) == pytest.approx((y[0], slope[0]))
