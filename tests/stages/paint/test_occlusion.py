"""Occlusion: hand-made scenes with known answers, and properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.paint import FORWARD, cloud, make_projected, make_view

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.painted import Flag, PaintedFrame
from paintpipe.schemas.pixels import PixelLabels
from paintpipe.schemas.settings import PaintSettings
from paintpipe.stages.paint.frame import paint_frame, paint_points
from paintpipe.stages.paint.occlusion import focal_px, occluded
from paintpipe.stages.paint.scan_lines import USUAL_RAD, line_spacing_rad

SPACING_RAD = 0.0075
FAR_LEFT_NEAR_RIGHT = np.where(np.arange(100) < 50, 0, 1).astype(np.uint8)


def flags_of(u: list[float], v: list[float], depth: list[float], focal: float = 700.0) -> list[bool]:
    projected = make_projected(np.arange(len(u)), np.array(u), np.array(v), np.array(depth))
    return occluded(projected, focal, SPACING_RAD).tolist()


def test_a_wall_behind_a_pole_is_hidden_and_the_wall_beside_it_is_not() -> None:
    pole_v = [100.0, 104.0, 108.0, 112.0]
    u = [200.0] * 4 + [201.0, 230.0]
    assert flags_of(u, [*pole_v, 106.0, 106.0], [8.0] * 4 + [20.0, 20.0]) == [False] * 4 + [True, False]


def test_a_point_below_a_nearer_one_is_hidden_farther_off_than_one_above() -> None:
    """At 10 m and f = 700 px a footprint reaches 7 px down (10 cm) and 2.1 px up (0.4 scan lines)."""
    assert flags_of([50.0, 50.0], [20.0, 26.5], [10.0, 20.0]) == [False, True]
    assert flags_of([50.0, 50.0], [20.0, 27.5], [10.0, 20.0]) == [False, False]
    assert flags_of([50.0, 50.0], [20.0, 18.0], [10.0, 20.0]) == [False, True]
    assert flags_of([50.0, 50.0], [20.0, 13.5], [10.0, 20.0]) == [False, False]


def test_the_footprint_grows_with_nearness_and_has_a_floor() -> None:
    """10 cm are 14 px at 5 m; from far off 0.8 scan lines are left, 4.2 px."""
    assert flags_of([50.0, 50.0], [20.0, 33.5], [5.0, 20.0]) == [False, True]
    assert flags_of([50.0, 50.0], [20.0, 24.0], [40.0, 60.0]) == [False, True]
    assert flags_of([50.0, 50.0], [20.0, 25.0], [40.0, 60.0]) == [False, False]


def test_a_point_in_the_cameras_own_place_hides_as_one_that_is_near() -> None:
    """float32 has no depth between 0 and 1.4e-45 m. At f = 700 px no footprint is larger than 21 px."""
    assert flags_of([50.0, 70.5, 71.5], [20.0] * 3, [0.0, 20.0, 20.0]) == [False, True, False]


@pytest.mark.parametrize(("far_m", "hidden"), [(10.9, False), (11.2, True)])
def test_a_step_of_a_metre_hides_up_to_ten_metres(far_m: float, hidden: bool) -> None:
    assert flags_of([5.0, 5.0], [5.0, 5.0], [10.0 if far_m > 11 else 9.95, far_m]) == [False, hidden]


def test_a_tenth_of_the_depth_hides_beyond() -> None:
    assert flags_of([5.0, 5.0], [5.0, 5.0], [46.0, 50.0]) == [False, False]
    assert flags_of([5.0, 5.0], [5.0, 5.0], [44.0, 50.0]) == [False, True]


def test_flat_ground_hides_none_of_itself() -> None:
    """A camera at 1.65 m over ground that a LiDAR's lines meet 1.73 m below it, out to 50 m."""
    elevation = np.deg2rad(np.linspace(-2.0, -24.8, 56))
    depth = 1.73 / np.tan(-elevation)
    column = np.arange(300.0, 340.0, 2.5)
    u, d = (array.ravel() for array in np.meshgrid(column, depth))
    v = 180.0 + 721.0 * 1.65 / d
    assert not any(flags_of(u.tolist(), v.tolist(), d.tolist(), focal=721.0))


def test_without_points_or_a_focal_length_nothing_is_hidden() -> None:
    assert flags_of([], [], []) == []
    assert flags_of([5.0, 5.0], [5.0, 5.0], [5.0, 50.0], focal=0.0) == [False, False]


@given(
    st.lists(st.tuples(st.floats(0, 90), st.floats(0, 50), st.floats(0.5, 60)), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
def test_equals_looking_at_every_pair_in_any_order(rows: list[tuple[float, float, float]], random: object) -> None:
    table = np.array(rows)
    projected = make_projected(np.arange(len(rows)), *table.T)
    found = occluded(projected, 150.0, 0.01)
    u, v, depth = projected.u_px.astype(float), projected.v_px.astype(float), projected.depth_m.astype(float)
    across, down = np.abs(u[:, None] - u), v[:, None] - v
    reach = np.where(down >= 0, np.maximum(0.1 / depth, 0.008), np.maximum(0.03 / depth, 0.004))
    near = (across <= 150 * np.clip(np.maximum(0.03 / depth, 0.006), 0, 0.03)) & (
        np.abs(down) <= 150 * np.minimum(reach, 0.03)
    )
    before = depth < depth[:, None] - np.maximum(1.0, 0.1 * depth[:, None])
    np.testing.assert_array_equal(found, (near & before).any(axis=1))
    order = np.random.default_rng(len(rows)).permutation(len(rows))
    shuffled = make_projected(np.arange(len(rows)), *table[order].T)
    np.testing.assert_array_equal(occluded(shuffled, 150.0, 0.01), found[order])


def test_focal_length_of_a_turned_and_scaled_matrix() -> None:
    K = np.array([[721.5, 0.0, 609.6], [0.0, 700.0, 172.9], [0.0, 0.0, 1.0]])
    cos, sin = np.cos(0.3), np.sin(0.3)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    matrix = K @ FORWARD
    matrix[:, :3] = matrix[:, :3] @ turn
    assert focal_px(matrix) == pytest.approx(721.5, rel=1e-9)
    assert focal_px(-3.0 * matrix) == pytest.approx(721.5, rel=1e-9)
    assert focal_px(np.zeros((3, 4))) == 0.0


def spun(lines_deg: np.ndarray, steps: int = 720) -> np.ndarray:
    azimuth, elevation = np.meshgrid(np.linspace(-np.pi, np.pi, steps, endpoint=False), np.deg2rad(lines_deg))
    x, y = np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth)
    return 12.0 * np.stack([x, y, np.sin(elevation)], axis=-1).reshape(-1, 3).astype(np.float32)


@pytest.mark.parametrize("step_deg", [0.4, 0.8, 1.33])
def test_line_spacing_is_that_of_the_sweep(step_deg: float) -> None:
    points = spun(np.arange(-20.0, 3.0, step_deg))
    assert line_spacing_rad(points) == pytest.approx(np.deg2rad(step_deg), rel=1e-3)
    shuffled = np.random.default_rng(0).permutation(points)
    assert line_spacing_rad(shuffled) == line_spacing_rad(points)


def test_line_spacing_where_a_sweep_does_not_tell() -> None:
    assert line_spacing_rad(np.empty((0, 4), np.float32)) == USUAL_RAD
    assert line_spacing_rad(np.full((50, 3), np.nan, np.float32)) == USUAL_RAD
    assert line_spacing_rad(spun(np.arange(-20.0, 20.0, 10.0))) == USUAL_RAD
    assert line_spacing_rad(spun(np.arange(-40.0, 20.0, 3.0))) == 0.025


def scene() -> tuple[Float32, list[CameraView]]:
    """A post at 5 m, a wall at 20 m behind it, and a wall point in the clear; two cameras side by side.

    `front` sits at the LiDAR's foot and sees the post before the wall point; `side` sees that point 1 m to the left.
    """
    post = [(5.0, 0.0, z) for z in (-0.2, -0.1, 0.0, 0.1, 0.2)]
    points = cloud(*post, (20.0, 0.05, 0.05), (20.0, 3.0, 0.0))
    moved = make_view().image_from_lidar.copy()
    moved[:, 3] -= make_view().image_from_lidar[:, :3] @ np.array([0.0, 1.0, 0.0])
    return points, [make_view(), make_view(camera="side", image_from_lidar=moved)]


def painted(cameras: int, **fields: object) -> PaintedFrame:
    points, views = scene()
    pixels = {
        "front": PixelLabels(np.zeros((60, 100), np.uint8), 3),
        "side": PixelLabels(np.ones((60, 100), np.uint8), 3),
    }
    names = ("front", "side")
    return paint_frame(points, views[:cameras], pixels, names, 3, PaintSettings(overlap="first", **fields), "0")  # type: ignore[arg-type]


def test_flag_says_so_and_changes_nothing_else() -> None:
    off, flagged = painted(1, occlusion="off"), painted(1, occlusion="flag")
    assert (flagged.flags & Flag.OCCLUDED != 0).tolist() == [False] * 5 + [True, False]
    np.testing.assert_array_equal(flagged.flags & ~np.uint8(Flag.OCCLUDED), off.flags)
    for name in ("scores", "label", "camera"):
        np.testing.assert_array_equal(getattr(flagged, name), getattr(off, name))


def test_clear_leaves_the_point_visible_and_unpainted() -> None:
    frame = painted(1, occlusion="clear", provenance="full")
    assert frame.label[5] == 255
    assert not frame.scores[5].any()
    assert frame.flags[5] & (Flag.PAINTED | Flag.VISIBLE | Flag.OCCLUDED) == Flag.VISIBLE | Flag.OCCLUDED
    assert frame.camera[5] == 0
    assert frame.provenance is not None
    assert frame.provenance.depth_m[5] == 20.0
    assert np.isnan(frame.provenance.margin[5])
    assert (frame.label[[0, 6]] == 0).all()


def test_a_camera_that_sees_the_point_wins_where_another_is_cleared() -> None:
    assert painted(2, occlusion="flag").label[5] == 0
    frame = painted(2, occlusion="clear")
    assert frame.label[5] == 1
    assert frame.camera[5] == 1
    assert frame.flags[5] & (Flag.PAINTED | Flag.OVERLAP | Flag.OCCLUDED) == Flag.PAINTED | Flag.OVERLAP


@pytest.mark.parametrize("overlap", ["margin", "random", "mean", "max", "first"])
def test_clear_only_removes_with_one_camera(overlap: str) -> None:
    rng = np.random.default_rng(3)
    points = np.column_stack([rng.uniform(2, 40, 400), rng.uniform(-8, 8, 400), rng.uniform(-3, 3, 400)])
    pixels = {"front": PixelLabels(rng.integers(0, 4, (60, 100), np.uint8), 4)}

    def run(occlusion: str) -> PaintedFrame:
        settings = PaintSettings(overlap=overlap, occlusion=occlusion)  # type: ignore[arg-type]
        return paint_frame(points.astype(np.float32), [make_view()], pixels, ("front",), 4, settings, "0")

    off, clear = run("off"), run("clear")
    gone = clear.label != off.label
    assert 10 < gone.sum() < 300
    np.testing.assert_array_equal(gone, (clear.flags & Flag.OCCLUDED) != 0)
    assert (clear.label[gone] == 255).all()
    assert not clear.scores[gone].any()
    np.testing.assert_array_equal(clear.scores[~gone], off.scores[~gone])


@pytest.mark.parametrize("occlusion", ["flag", "clear"])
def test_classes_of_points_are_flagged_and_never_cleared(occlusion: str) -> None:
    points, views = scene()
    settings = PaintSettings(occlusion=occlusion, edges="smooth")  # type: ignore[arg-type]
    frame = paint_points(points, np.arange(7, dtype=np.uint8), views[:1], ("front",), 7, settings)
    assert frame.label.tolist() == list(range(7))
    assert frame.flags[5] & Flag.OCCLUDED
