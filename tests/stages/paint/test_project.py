import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paint import cloud, make_view
from support.paint_reference import visible

from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.errors import CalibrationError, PointsError
from paintpipe.schemas.settings import Projection
from paintpipe.stages.paint.project import project_points

RULES: tuple[Projection, ...] = ("default", "nuscenes-devkit", "openpcdet")


def seen(*rows: tuple[float, ...], rule: Projection = "default", **overrides: object) -> list[int]:
    return project_points(cloud(*rows), make_view(**overrides), rule).index.tolist()


def test_point_on_the_optical_axis_meets_the_principal_point() -> None:
    found = project_points(cloud((10.0, 0.0, 0.0)), make_view())
    assert found.index.tolist() == [0]
    assert (found.u_px[0], found.v_px[0], found.depth_m[0]) == (50.0, 30.0, 10.0)
    assert (found.col[0], found.row[0]) == (50, 30)


def test_known_pixel() -> None:
    found = project_points(cloud((10.0, 2.5, -1.25)), make_view())
    assert (found.u_px[0], found.v_px[0]) == (50 - 50 * 0.25, 30 + 50 * 0.125)
    assert (found.col[0], found.row[0]) == (37, 36)


def test_points_behind_the_camera_are_never_seen() -> None:
    # (-10, 0, 0) divides to the principal point too: only the depth tells.
    assert seen((-10.0, 0.0, 0.0), (-10.0, 1.0, 1.0), (10.0, 0.0, 0.0)) == [2]


def test_depth_of_zero_is_not_seen() -> None:
    assert seen((0.0, 0.0, 0.0), (0.0, 1.0, 0.0)) == []


def test_pixels_between_minus_one_and_zero_are_outside() -> None:
    # u = 50 - 50 * 10.1 / 10 = -0.5 and v likewise; an int cast would call both 0.
    assert seen((10.0, 10.1, 0.0), (10.0, 0.0, 6.1), (10.0, 9.9, 0.0), (10.0, 0.0, 5.9)) == [2, 3]


def test_edges_of_the_image_are_half_open() -> None:
    # u = 0, u = 100, v = 0, v = 60
    assert seen((10.0, 10.0, 0.0), (10.0, -10.0, 0.0), (10.0, 0.0, 6.0), (10.0, 0.0, -6.0)) == [0, 2]


def test_a_pixel_just_inside_the_right_edge_keeps_its_column() -> None:
    # u = 100 - 5e-10 is 100 as float32: the column must be floored before the cast.
    matrix = np.array([[0.0, 0.0, 0.0, 100 - 5e-10], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0]])
    found = project_points(cloud((1.0, 1.0, 1.0)), make_view(image_from_lidar=matrix))
    assert found.u_px[0] == 100.0
    assert found.col[0] == 99


def test_nuscenes_devkit_window() -> None:
    # Depth 1 and 1.5; u = 1 and 1.25; u = 99 and 98.75
    rows = (
        (1.0, 0.0, 0.0),
        (1.5, 0.0, 0.0),
        (10.0, 9.8, 0.0),
        (10.0, 9.75, 0.0),
        (10.0, -9.8, 0.0),
        (10.0, -9.75, 0.0),
    )
    matrix = make_view().image_from_lidar
    points = cloud(*rows)
    exact = points.astype(np.float64)
    u = 50 - 50 * exact[:, 1] / exact[:, 0]
    found = project_points(points, make_view(image_from_lidar=matrix), "nuscenes-devkit")
    assert found.index.tolist() == np.flatnonzero((exact[:, 0] > 1) & (u > 1) & (u < 99)).tolist()
    assert {1, 3, 5} <= set(found.index.tolist())
    assert 0 not in found.index


def test_nuscenes_devkit_bounds_are_open() -> None:
    matrix = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    rows = (
        (2.0, 20.0, 2.0),
        (2.5, 20.0, 2.0),
        (198.0, 20.0, 2.0),
        (197.0, 20.0, 2.0),
        (20.0, 2.0, 2.0),
        (20.0, 118.0, 2.0),
    )
    assert seen(*rows, rule="nuscenes-devkit", image_from_lidar=matrix) == [1, 3]
    assert seen((5.0, 5.0, 1.0), rule="nuscenes-devkit", image_from_lidar=matrix) == []


def test_openpcdet_divides_by_the_rectified_depth() -> None:
    matrix = make_view().image_from_lidar.copy()
    matrix[:, 3] = (4.0, 0.0, 0.5)  # a camera beside and behind the rectified one
    points = cloud((10.0, 0.0, 0.0), (-0.25, 0.0, 0.0))
    view = make_view(image_from_lidar=matrix, depth_offset_m=0.5)
    found = project_points(points, view, "openpcdet")
    assert found.index.tolist() == [0]  # z_rect of the other is -0.25, though P2's own depth is 0.25
    assert found.u_px[0] == np.float32((500.0 + 4.0) / 10.0)
    assert found.depth_m[0] == 10.0
    assert project_points(points, view, "default").u_px[0] == np.float32(504.0 / 10.5)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_points_that_are_not_finite_are_never_seen(rule: Projection, bad: float, axis: int) -> None:
    points = cloud((10.0, 0.0, 0.0), (10.0, 0.0, 0.0))
    points[0, axis] = bad
    assert project_points(points, make_view(), rule).index.tolist() == [1]


def test_a_depth_too_large_for_float64_is_not_seen() -> None:
    # Anything over an infinite depth is pixel 0.
    matrix = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1e300, 0.0, 0.0, 0.0]])
    assert seen((1e10, 0.0, 0.0), image_from_lidar=matrix) == []


def test_infinite_intensity_does_not_matter() -> None:
    assert seen((10.0, 0.0, 0.0, np.inf), (10.0, 0.0, 0.0, np.nan)) == [0, 1]


def test_no_points() -> None:
    found = project_points(np.zeros((0, 4), np.float32), make_view())
    assert len(found) == 0
    assert found.index.dtype == np.int32
    assert found.u_px.dtype == np.float32


@pytest.mark.parametrize("shape", [(4,), (5, 2)])
def test_points_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(PointsError):
        project_points(np.zeros(shape, np.float32), make_view())


@pytest.mark.parametrize("matrix", [np.eye(4), np.full((3, 4), np.nan)])
def test_a_matrix_that_can_not_project_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(CalibrationError, match="front"):
        project_points(cloud((1.0, 0.0, 0.0)), make_view(image_from_lidar=matrix))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rule=st.sampled_from(RULES),
    columns=st.integers(3, 6),
    spread=st.sampled_from([1e-3, 1.0, 50.0, 1e6]),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_equal_to_the_reference(
    seed: int, rule: Projection, columns: int, spread: float, size: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(0.0, spread, (300, columns)).astype(np.float32)
    points[rng.random(points.shape) < 0.01] = rng.choice([np.nan, np.inf, -np.inf, 0.0])
    # Whole numbers meet the borders exactly; the rest does not.
    points[:100] = np.round(points[:100])
    camera = rng.normal(0.0, 1.0, (3, 4)) + np.array([[size[0], 0, 0, 0], [0, size[1], 0, 0], [1, 1, 1, 0]]) / 2
    if seed % 2:
        camera = np.round(camera)
    view = CameraView("any", *size, camera, depth_offset_m=float(rng.normal()))
    found = project_points(points, view, rule)
    index, pixel = visible(points, view, rule)
    np.testing.assert_array_equal(found.index, index)
    np.testing.assert_array_equal(found.col, np.floor(pixel[:, 0]))
    np.testing.assert_array_equal(found.row, np.floor(pixel[:, 1]))
    with np.errstate(over="ignore", under="ignore"):
        np.testing.assert_array_equal(found.u_px, pixel[:, 0].astype(np.float32))
        np.testing.assert_array_equal(found.v_px, pixel[:, 1].astype(np.float32))
        np.testing.assert_array_equal(found.depth_m, pixel[:, 2].astype(np.float32))


def test_any_memory_layout_gives_the_same() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(0, 20, (500, 4)).astype(np.float32)
    wide = np.asfortranarray(np.concatenate([points, points], axis=1))
    plain, strided = project_points(points, make_view()), project_points(wide[:, :4], make_view())
    assert len(plain) > 20
    np.testing.assert_array_equal(plain.index, strided.index)
    np.testing.assert_array_equal(plain.u_px, strided.u_px)
