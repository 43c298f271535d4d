from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paint import kitti_object, make_projected
from support.paint_reference import depth_edges as every_pair

from paintpipe.stages.paint.edges import depth_edges
from paintpipe.stages.paint.project import project_points


def edges(*points: tuple[float, float, float]) -> list[bool]:
    """Of points given as u, v and depth."""
    u, v, depth = np.array(points, dtype=np.float64).reshape(-1, 3).T
    return depth_edges(make_projected(np.arange(len(u)), u, v, depth)).tolist()


def test_no_points_and_one_point() -> None:
    assert edges() == []
    assert edges((3.0, 3.0, 10.0)) == [False]


def test_half_a_metre_near_by() -> None:
    assert edges((10.0, 10.0, 5.0), (12.0, 10.0, 5.5)) == [False, False]  # not more than 0.5
    assert edges((10.0, 10.0, 5.0), (12.0, 10.0, 5.625)) == [True, True]


def test_five_percent_of_the_own_depth_farther_off() -> None:
    # 1.02 m is more than 5% of 20 m and less than 5% of 21.02 m.
    assert edges((10.0, 10.0, 20.0), (12.0, 10.0, 21.02)) == [True, False]


def test_distance_is_euclidean_and_five_counts() -> None:
    assert edges((10.0, 10.0, 5.0), (13.0, 14.0, 9.0)) == [True, True]
    assert edges((10.0, 10.0, 5.0), (13.0, 14.25, 9.0)) == [False, False]
    assert edges((10.0, 10.0, 5.0), (15.0, 10.0, 9.0)) == [True, True]
    assert edges((0.0, 0.0, 5.0), (5.25, 0.0, 9.0)) == [False, False]


def test_neighbours_are_found_across_buckets() -> None:
    for du in (-4.9, 0.0, 4.9):
        assert edges((50.0, 50.0, 5.0), (50.0 + du, 50.0, 9.0)) == [True, True]
        assert edges((50.0, 50.0, 5.0), (50.0, 50.0 + du, 9.0)) == [True, True]


def test_a_row_s_end_does_not_touch_the_next_row_s_start() -> None:
    assert edges((99.0, 2.0, 5.0), (1.0, 7.0, 50.0)) == [False, False]


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(0, 300), side=st.sampled_from([1.0, 12.0, 60.0, 400.0]))
def test_equal_to_looking_at_every_pair(seed: int, size: int, side: float) -> None:
    rng = np.random.default_rng(seed)
    u, v = rng.random((2, size)) * side
    if seed % 2:
        u, v = np.round(u * 2) / 2, np.round(v * 2) / 2  # distances of exactly 5
    depth = np.abs(rng.normal(15.0, rng.choice([0.2, 2.0, 20.0]), size)) + 0.1
    projected = make_projected(np.arange(size), u, v, depth)
    expected = every_pair(projected.u_px, projected.v_px, projected.depth_m)
    np.testing.assert_array_equal(depth_edges(projected), expected)


@pytest.mark.real
def test_a_real_frame(real_data: Path) -> None:
    points, view, _ = kitti_object(real_data, "000000")
    projected = project_points(points, view)
    part = np.flatnonzero((projected.u_px > 300) & (projected.u_px < 500))
    small = make_projected(part, projected.u_px[part], projected.v_px[part], projected.depth_m[part])
    found = depth_edges(small)
    assert len(part) > 2000
    np.testing.assert_array_equal(found, every_pair(small.u_px, small.v_px, small.depth_m))
    inner = (small.u_px > 306) & (small.u_px < 494)
    np.testing.assert_array_equal(depth_edges(projected)[part][inner], found[inner])
