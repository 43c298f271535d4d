"""The box before the wall: planted rotations are found; images of noise say nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.alignment import HEIGHT_PX, WIDTH_PX, K, photograph, sweep, view

from paintpipe.schemas.arrays import UInt8
from paintpipe.stages.evaluate.alignment.estimate import CameraEstimate, Measured, estimate
from paintpipe.stages.evaluate.alignment.jumps import DepthJumps, depth_jumps
from paintpipe.stages.evaluate.alignment.offsets import WIDEST_DEG, Grid
from paintpipe.stages.evaluate.alignment.scores import Looked, ViewScores, edges_of, score_view
from paintpipe.stages.evaluate.alignment.tables import curves_table, estimates_table
from paintpipe.stages.evaluate.alignment.turns import CameraTurns
from paintpipe.stages.evaluate.alignment.verdict import judge
from paintpipe.workflows.commands.check_calibration import check_calibration

GRID = Grid(1.0)
Angles = tuple[float, float, float]
NOWHERE: Angles = (0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def jumps() -> DepthJumps:
    return depth_jumps(sweep(), ("x", "y", "z", "intensity"))


@pytest.fixture(scope="module")
def image() -> UInt8:
    return photograph()


def scored(jumps: DepthJumps, image: UInt8, planted: Angles = NOWHERE) -> ViewScores:
    looked = Looked(jumps, view(planted).image_from_lidar)
    return score_view(edges_of(image, K, GRID, jumps.spacing_rad), looked, CameraTurns(K), GRID, {})


def found(jumps: DepthJumps, image: UInt8, planted: Angles = NOWHERE) -> CameraEstimate:
    return estimate("front", [scored(jumps, image, planted)], GRID, (), "frames")


def values(one: CameraEstimate) -> list[float]:
    return [axis.value for axis in (one.roll, one.pitch, one.yaw) if axis is not None]


def test_a_right_projection_is_called_right(jumps: DepthJumps, image: UInt8) -> None:
    one = found(jumps, image)
    np.testing.assert_allclose(values(one), 0.0, atol=0.08)
    assert judge(one, GRID).words == "ok (time can't be told)"
    assert one.score_at_zero == pytest.approx(one.score_at_best, abs=0.1)
    assert one.score_at_zero > 1.0


@pytest.mark.parametrize(
    "planted",
    [(0.5, 0, 0), (-0.5, 0, 0), (0, 0.5, 0), (0, -0.5, 0), (0, 0, 0.5), (0, 0, -0.5), (-0.4, 0.45, -0.6)],
)
def test_a_planted_rotation_is_found_and_named(jumps: DepthJumps, image: UInt8, planted: Angles) -> None:
    one = found(jumps, image, planted)
    np.testing.assert_allclose(values(one), -np.array(planted), atol=0.12)
    verdict = judge(one, GRID)
    assert verdict.state == "off"
    named = [name for name in ("roll", "pitch", "yaw") if name in verdict.words]
    assert named == [name for name, angle in zip(("roll", "pitch", "yaw"), planted, strict=True) if angle]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(["white", "clouds"]))
def test_images_of_noise_tell_nothing(seed: int, kind: str, jumps: DepthJumps) -> None:
    import cv2

    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3)).astype(np.uint8)
    if kind == "clouds":
        noise = cv2.resize(noise[:30, :80], (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    verdict = judge(found(jumps, noise), GRID)
    assert verdict.state == "cannot tell", verdict


def test_an_even_image_and_a_sweep_without_jumps_tell_nothing(jumps: DepthJumps, image: UInt8) -> None:
    grey = np.full_like(image, 128)
    assert judge(found(jumps, grey), GRID).state == "cannot tell"
    nothing = DepthJumps(np.zeros((0, 3)), np.zeros(0), np.zeros(0, np.int8))
    one = found(nothing, image)
    assert (one.num_jumps, one.yaw) == (0, None)
    assert judge(one, GRID).words == "cannot tell: no depth jump lies in its images"
    assert judge(estimate("front", [], GRID, (), ""), GRID).state == "cannot tell"


def test_an_error_beyond_reach_is_not_guessed(jumps: DepthJumps, image: UInt8) -> None:
    assert judge(found(jumps, image, (0.0, 0.0, 1.6)), GRID).state == "cannot tell"


def test_more_views_add_up_and_their_order_does_not_matter(jumps: DepthJumps, image: UInt8) -> None:
    one, two = scored(jumps, image, (0.0, 0.3, 0.0)), scored(jumps, photograph(20.0), (0.0, 0.3, 0.0))
    both = estimate("front", [one, two], GRID, (), "")
    assert both.num_jumps == one.num_jumps + two.num_jumps
    again = estimate("front", [two, one], GRID, (), "")
    np.testing.assert_allclose(values(both), values(again), atol=1e-6)


def test_the_best_of_several_pairings_is_found(jumps: DepthJumps, image: UInt8) -> None:
    """Sweeps of a car that comes nearer; the image belongs to the third."""
    shifts = {}
    for shift in (-2.0, -1.0, 0.0, 1.0, 2.0):
        farther = replace(jumps, points_m=jumps.points_m - np.array([1.0 * (shift - 1.0), 0.0, 0.0]))
        shifts[shift] = Looked(farther, view().image_from_lidar)
    scores = score_view(edges_of(image, K, GRID, 0.0), shifts[0.0], CameraTurns(K), GRID, shifts)
    one = estimate("front", [scores], GRID, tuple(shifts), "frames")
    assert one.shift is not None
    assert one.shift.value == pytest.approx(1.0, abs=0.2)
    verdict = judge(one, GRID)
    assert verdict.state == "off"
    assert "frames later than told" in verdict.words


def measured(value: float, deviation: float = 0.05, reach: float = 1.0) -> Measured:
    offsets = np.linspace(-reach, reach, 21)
    return Measured(value, deviation, offsets, 0.5 - 0.1 * np.abs(offsets - value) / reach)


def make_estimate(**overrides: object) -> CameraEstimate:
    fields: dict[str, object] = {"camera": "front", "num_views": 3, "num_jumps": 900, "shift_unit": "ms"}
    fields |= {name: measured(0.0) for name in ("roll", "pitch", "yaw")}
    fields |= {"score_at_zero": 0.5, "score_at_best": 0.5, "chance": 0.05, "shift": measured(0.0, 5.0, 200.0)}
    return CameraEstimate(**{**fields, **overrides})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("overrides", "state", "part"),
    [
        ({}, "ok", "ok"),
        ({"yaw": measured(0.5)}, "off", "yaw +0.50° ± 0.05°"),
        ({"yaw": measured(0.29)}, "ok", "ok"),
        ({"yaw": measured(0.5), "chance": 0.11}, "cannot tell", "better than chance"),
        ({"yaw": measured(0.5, 0.19)}, "off", "yaw"),
        ({"yaw": measured(0.45, 0.19)}, "ok", "ok"),
        ({"yaw": measured(0.5, 0.3)}, "cannot tell", "agree with no one offset"),
        ({"yaw": measured(1.0)}, "cannot tell", "--max-angle 3"),
        ({"roll": measured(0.9, 0.5)}, "ok", "roll can't be told"),
        ({"roll": measured(0.9, 0.25)}, "ok", "roll can't be told"),
        ({"pitch": measured(0.9, 0.3)}, "ok", "pitch can't be told"),
        ({"roll": measured(0.5, 0.1), "yaw": measured(-0.4)}, "off", "roll +0.50° ± 0.10°, yaw -0.40° ± 0.05°"),
        ({"shift": measured(-100.0, 6.0, 200.0), "yaw": measured(0.5)}, "off", "100 ± 6 ms earlier than told"),
        ({"shift": measured(-100.0, 60.0, 200.0)}, "ok", "time can't be told"),
        (
            {"shift": replace(measured(-100.0, 6.0, 200.0), scores=np.linspace(0.5, 0.43, 21))},
            "ok",
            "time can't be told",
        ),
        ({"shift": measured(200.0, 6.0, 200.0)}, "off", "200 ± 6 ms or more later than told"),
        ({"roll": measured(-1.0)}, "off", "roll -1.00° ± 0.05° or more"),
        ({"num_views": 0}, "cannot tell", "none of its images"),
        ({"shift": None}, "ok", "time can't be told"),
    ],
)
def test_verdicts(overrides: dict[str, object], state: str, part: str) -> None:
    verdict = judge(make_estimate(**overrides), GRID)
    assert verdict.state == state
    assert part in verdict.words


def test_no_wider_search_is_advised_than_the_command_takes() -> None:
    words = [judge(make_estimate(yaw=measured(reach, 0.05, reach)), Grid(reach)).words for reach in (5.0, 10.0)]
    assert words[0].endswith("try --max-angle 10")
    assert words[1].endswith("the end of what was tried")
    (option,) = [one for one in check_calibration.params if one.name == "max_angle"]
    assert getattr(option.type, "max", None) == WIDEST_DEG


def test_a_car_that_stands_says_nothing_of_time(jumps: DepthJumps, image: UInt8) -> None:
    shifts = {shift: Looked(jumps, view().image_from_lidar) for shift in (-200.0, 0.0, 200.0)}
    scores = score_view(edges_of(image, K, GRID, 0.0), shifts[0.0], CameraTurns(K), GRID, shifts)
    one = estimate("front", [scores], GRID, tuple(shifts), "ms")
    assert one.shift is None
    assert judge(one, GRID).words == "ok (time can't be told)"


def test_a_jump_in_the_last_pixel_belongs_to_the_last_strip(image: UInt8) -> None:
    """u · (8 / width) may round up to 8, which is no strip."""
    width = next(width for width in range(600, 2000) if np.nextafter(width, 0.0) * (8 / width) >= 8.0)
    edge = DepthJumps(np.array([[2.0 * np.nextafter(width, 0.0), 20.0, 2.0]]), np.ones(1), np.zeros(1, np.int8))
    picture = np.zeros((20, width, 3), np.uint8)
    looked = Looked(edge, np.eye(3, 4))
    scores = score_view(edges_of(picture, K, GRID, 0.0), looked, CameraTurns(K), GRID, {})
    np.testing.assert_array_equal(scores.weight, [0, 0, 0, 0, 0, 0, 0, 1])


def test_tables_have_a_row_a_camera_and_a_row_an_offset() -> None:
    one = make_estimate(shift=None)
    (row,) = estimates_table([(one, judge(one, GRID))]).to_pylist()
    assert (row["camera"], row["verdict"], row["views"], row["shift"]) == ("front", "ok", 3, None)
    assert curves_table([one]).num_rows == 3 * 21
