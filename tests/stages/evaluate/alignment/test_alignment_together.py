"""The LiDAR that all cameras share: turned for all, or one camera alone; what scan lines leave open."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.alignment import K, photograph, sweep, view

from paintpipe.schemas.geometry import se3
from paintpipe.stages.evaluate.alignment.edges import edge_strength
from paintpipe.stages.evaluate.alignment.estimate import CameraEstimate
from paintpipe.stages.evaluate.alignment.jumps import DepthJumps, depth_jumps
from paintpipe.stages.evaluate.alignment.offsets import Grid, camera_rotation
from paintpipe.stages.evaluate.alignment.scores import Looked, ViewScores, edges_of, score_view
from paintpipe.stages.evaluate.alignment.together import ALL_TOGETHER, estimate_together
from paintpipe.stages.evaluate.alignment.turns import CameraTurns, LidarTurns, front_R_lidar, lidar_turned
from paintpipe.stages.evaluate.alignment.verdict import judge

GRID = Grid(1.0).of_lidar
ANGLE = st.floats(-2.0, 2.0)
Angles = tuple[float, float, float]
NOWHERE: Angles = (0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def jumps() -> DepthJumps:
    return depth_jumps(sweep(), ("x", "y", "z", "intensity"))


def scored(jumps: DepthJumps, lidar: Angles, camera: Angles = NOWHERE, noise: float = 4.0) -> ViewScores:
    front = front_R_lidar(None)
    looked = Looked(jumps, lidar_turned(view(camera).image_from_lidar, front, lidar))
    edges = edges_of(photograph(noise), K, GRID, jumps.spacing_rad)
    return score_view(edges, looked, LidarTurns(front), GRID, {})


def told(*views: ViewScores) -> CameraEstimate:
    found = estimate_together({str(number): [one] for number, one in enumerate(views)}, GRID, (), "")
    assert found is not None
    assert found.camera == ALL_TOGETHER
    return found


@pytest.mark.parametrize("planted", [(0.0, 0.5, 0.0), (0.0, 0.0, -0.5)])
def test_a_turned_lidar_is_told_by_both_cameras(jumps: DepthJumps, planted: Angles) -> None:
    found = told(scored(jumps, planted), scored(jumps, planted, noise=12.0))
    assert found.pitch is not None
    assert found.yaw is not None
    np.testing.assert_allclose([found.pitch.value, found.yaw.value], -np.array(planted[1:]), atol=0.12)
    verdict = judge(found, GRID, "the LiDAR")
    assert verdict.state == "off"
    assert "would fit if the LiDAR were turned by" in verdict.words


def test_a_lidar_that_is_right_is_called_right(jumps: DepthJumps) -> None:
    assert judge(told(scored(jumps, NOWHERE), scored(jumps, NOWHERE, noise=12.0)), GRID, "the LiDAR").state == "ok"


@pytest.mark.parametrize("others", [1, 2])
def test_one_camera_that_is_off_is_not_the_lidar(jumps: DepthJumps, others: int) -> None:
    right = [scored(jumps, NOWHERE, noise=4.0 + number) for number in range(others)]
    assert judge(told(scored(jumps, NOWHERE, (0.0, 0.0, 0.6)), *right), GRID, "the LiDAR").state != "off"


def test_fewer_than_two_cameras_that_see_jumps_tell_nothing(jumps: DepthJumps) -> None:
    nothing = DepthJumps(np.zeros((0, 3)), np.zeros(0), np.zeros(0, np.int8))
    blind, seeing = scored(nothing, NOWHERE), scored(jumps, NOWHERE)
    assert estimate_together({"a": [seeing], "b": [blind], "c": []}, GRID, (), "") is None


@settings(max_examples=30, deadline=None)
@given(roll=ANGLE, pitch=ANGLE, yaw=ANGLE, turn=st.floats(-3.0, 3.0))
def test_every_turn_is_one_of_the_projections(roll: float, pitch: float, yaw: float, turn: float) -> None:
    """Of the LiDAR about its origin, of the camera about its centre; the LiDAR's own axes do not matter."""
    ego_R_lidar = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1.0]])
    ego_SE3_lidar = se3(ego_R_lidar, (1.0, 0.0, 1.8))
    front, P = front_R_lidar(ego_SE3_lidar), K @ np.column_stack([np.eye(3), [0.3, -0.2, 0.1]])
    axes = (np.array([roll]), np.array([pitch]), np.array([yaw]))
    (moved,) = LidarTurns(front).projections(P, axes)
    np.testing.assert_allclose(moved, lidar_turned(P, front, (roll, pitch, yaw)), atol=1e-9)
    R = camera_rotation(roll, pitch, yaw)
    np.testing.assert_allclose(moved[:, :3] @ front.T, P[:, :3] @ front.T @ R, atol=1e-9)
    np.testing.assert_array_equal(moved[:, 3], P[:, 3])
    (about,) = CameraTurns(K).projections(P, axes)
    np.testing.assert_allclose(about, K @ R @ np.linalg.inv(K) @ P, atol=1e-9)


def test_a_positive_pitch_of_the_lidar_lifts_what_lies_ahead_and_lowers_what_lies_behind() -> None:
    front = front_R_lidar(None)
    turn = front.T @ camera_rotation(0.0, 5.0, 0.0) @ front
    assert (turn @ [10.0, 0.0, 0.0])[2] > 0.5
    assert (turn @ [-10.0, 0.0, 0.0])[2] < -0.5


def test_rims_between_two_scan_lines_are_known_to_their_spacing(jumps: DepthJumps) -> None:
    """One rim in each of two strips, dead ahead: spacing / √12 / √2 in pitch; next to nothing of roll."""
    points = np.array([[20.0, 0.1, 0.0], [20.0, -1.6, 0.0]])
    pair = DepthJumps(points, np.ones(2), np.ones(2, np.int8), np.deg2rad(1.2))
    edges = edges_of(photograph(), K, GRID, pair.spacing_rad)
    scores = score_view(edges, Looked(pair, view().image_from_lidar), CameraTurns(K), GRID, {})
    known_deg = 1.2 / np.sqrt(12.0)
    np.testing.assert_allclose(scores.rims[scores.rims[:, 0] > 0, 2], known_deg**-2, rtol=1e-2)
    assert scores.rims[:, 1].max() < 0.02 * known_deg**-2


def test_a_lying_edge_is_felt_over_the_spacing_of_scan_lines() -> None:
    image = np.full((200, 80, 3), 80, np.uint8)
    image[100:] = 160
    reach = [np.flatnonzero(edge_strength(image, 500.0, 0.002, apart)[1][:, 40] > 0.5) for apart in (0.0, 0.04)]
    assert len(reach[0]) < 15
    assert 18 <= len(reach[1]) <= 30
    np.testing.assert_allclose([rows.mean() for rows in reach], 99.5, atol=0.6)
