import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from paintpipe.schemas.geometry import se3
from paintpipe.stages.ingest.cameras import kitti_camera, pinhole_camera

ANGLE = st.floats(-3.1, 3.1)
METRES = st.floats(-5, 5)


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    def turn(axis: int, angle: float) -> np.ndarray:
        matrix = np.eye(3)
        first, second = [index for index in range(3) if index != axis]
        matrix[[first, second], [first, second]] = np.cos(angle)
        matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
        return matrix

    return turn(2, yaw) @ turn(1, pitch) @ turn(0, roll)


@given(st.tuples(ANGLE, ANGLE, ANGLE), st.tuples(ANGLE, ANGLE, ANGLE), st.tuples(METRES, METRES, METRES), METRES)
def test_kitti_chain_is_the_same_written_both_ways(turn0, turn1, offset, baseline) -> None:
    """P · R · Tr, and K · camera_SE3_lidar, whose rotation stays a rotation."""
    P = np.array([[700.0, 0, 600, 45 * baseline], [0, 710, 170, -0.3], [0, 0, 1, 0.005]])
    cam_SE3_velo, R = se3(rotation(*turn0), offset), rotation(*turn1)
    camera = kitti_camera(P, cam_SE3_velo, R)
    direct = P @ np.block([[R, np.zeros((3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]]) @ cam_SE3_velo
    np.testing.assert_allclose(camera.image_from_lidar, direct, atol=1e-9)
    np.testing.assert_allclose(camera.K @ camera.camera_SE3_lidar[:3], direct, atol=1e-9)
    np.testing.assert_allclose(
        camera.camera_SE3_lidar[:3, :3] @ camera.camera_SE3_lidar[:3, :3].T, np.eye(3), atol=1e-9
    )


def test_a_point_by_hand() -> None:
    """A point 10 m ahead, 2 m left, 1 m up of a LiDAR that looks along x, seen with f = 100 px at (30, 10)."""
    K = np.array([[100.0, 0, 30], [0, 100, 10], [0, 0, 1]])
    camera_SE3_lidar = np.array([[0.0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    pixel = pinhole_camera(K, camera_SE3_lidar).image_from_lidar @ [10, 2, 1, 1]
    assert pixel.tolist() == [100.0, 0.0, 10.0]  # u = 30 - 100 · 2/10 = 10, v = 10 - 100 · 1/10 = 0, depth 10
    P = np.column_stack([K, [-50.0, 0, 0]])  # a camera 0.5 m to the right
    moved = kitti_camera(P, camera_SE3_lidar)
    assert (moved.image_from_lidar @ [10, 2, 1, 1]).tolist() == [50.0, 0.0, 10.0]
    assert moved.camera_SE3_lidar[:3, 3].tolist() == [-0.5, 0, 0]
