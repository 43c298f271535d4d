"""Which images a sweep takes, and the matrices that go with them."""

from pathlib import Path

import numpy as np
import pytest
from support.nuscenes_tables import K, find, make_tables, open_small, write_dataset

from paintpipe.schemas.geometry import se3_from_quaternion


def image_of(rows, index: int, camera: str):
    return next((row for row in rows.images if row.index == index and row.camera == camera), None)


def test_a_sweep_takes_the_image_nearest_to_its_time_plus_the_median_dt(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    rows = open_small(tmp_path, sweeps=True).read("scene-0061", None)
    for frame in rows.frames:
        if frame.is_keyframe:
            continue
        for camera, median_us in (("CAM_FRONT", 20_000 - 2), ("CAM_BACK", -30_000 - 2)):
            start_us = 1_000_000_000 + (20_000 if camera == "CAM_FRONT" else -30_000)
            images_us = [start_us + step * 83_333 for step in range(13)]
            expected_us = min(images_us, key=lambda when: abs(when - frame.timestamp_us - median_us))
            image = image_of(rows, frame.index, camera)
            assert image.timestamp_us == expected_us
            assert image.dt_us == expected_us - frame.timestamp_us
            assert image.token == f"scene-0061-{camera}-{images_us.index(expected_us)}"


def test_nearest_in_time_alone_would_take_another(tmp_path: Path) -> None:
    """Sweep 4 is at 200 ms: back images lie at 137 and 220 ms, and 200 - 30 ms is nearer to the first."""
    tables = make_tables()
    write_dataset(tmp_path, tables)
    rows = open_small(tmp_path, sweeps=True).read("scene-0061", None)
    times_us = np.array(
        [item["timestamp"] for item in tables["sample_data"] if item["token"].startswith("scene-0061-CAM_BACK")]
    )
    plain_us = [times_us[np.argmin(np.abs(times_us - frame.timestamp_us))] for frame in rows.frames]
    taken_us = [image_of(rows, frame.index, "CAM_BACK").timestamp_us for frame in rows.frames]
    assert sum(plain != taken for plain, taken in zip(plain_us, taken_us, strict=True)) > 3
    assert rows.frames[4].timestamp_us + taken_us[4] - rows.frames[4].timestamp_us == taken_us[4] == 1_000_136_666


def test_a_keyframe_takes_its_own_samples_image_even_where_another_is_nearer(tmp_path: Path) -> None:
    tables = make_tables()
    own = find(tables, "sample_data", "scene-0061-CAM_BACK-6")
    other = find(tables, "sample_data", "scene-0061-CAM_BACK-7")
    own["timestamp"], other["timestamp"] = own["timestamp"] - 40_000, 1_000_500_000
    write_dataset(tmp_path, tables)
    for sweeps in (False, True):
        rows = open_small(tmp_path, sweeps=sweeps).read("scene-0061", None)
        keyframe = [frame.index for frame in rows.frames if frame.is_keyframe][1]
        image = image_of(rows, keyframe, "CAM_BACK")
        assert (image.token, image.dt_us) == ("scene-0061-CAM_BACK-6", -70_002)


def test_the_median_is_not_moved_by_one_odd_keyframe(tmp_path: Path) -> None:
    tables = make_tables()
    find(tables, "sample_data", "scene-0061-CAM_FRONT-12")["timestamp"] += 5_000_000
    write_dataset(tmp_path, tables)
    rows = open_small(tmp_path, sweeps=True).read("scene-0061", None)
    assert image_of(rows, 5, "CAM_FRONT").timestamp_us == 1_000_020_000 + 3 * 83_333


def test_matrices_go_through_both_poses_of_the_car(tmp_path: Path) -> None:
    tables = make_tables()
    write_dataset(tmp_path, tables)
    rows = open_small(tmp_path, sweeps=True).read("scene-0061", None)
    for frame in rows.frames[:4]:
        image = image_of(rows, frame.index, "CAM_FRONT")

        def pose(table: str, token: str) -> np.ndarray:
            record = find(tables, table, token)
            return se3_from_quaternion(record["rotation"], record["translation"])

        global_SE3_lidar = pose("ego_pose", f"pose-{frame.frame_id}") @ pose(
            "calibrated_sensor", "scene-0061-LIDAR_TOP"
        )
        global_SE3_camera = pose("ego_pose", f"pose-{image.token}") @ pose("calibrated_sensor", "scene-0061-CAM_FRONT")
        expected = np.linalg.inv(global_SE3_camera) @ global_SE3_lidar
        np.testing.assert_allclose(frame.global_SE3_lidar, global_SE3_lidar, atol=1e-9)
        np.testing.assert_allclose(image.camera_SE3_lidar, expected, atol=1e-9)
        np.testing.assert_allclose(image.image_from_lidar, np.array(K) @ expected[:3], atol=1e-7)
        np.testing.assert_allclose(image.global_SE3_ego, pose("ego_pose", f"pose-{image.token}"), atol=1e-12)
        assert frame.timestamp_us != image.timestamp_us


def test_an_image_for_many_sweeps_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from paintpipe.stages.ingest.nuscenes import frames

    write_dataset(tmp_path)
    seen: list[str] = []
    real = frames.checks.read_image_size
    monkeypatch.setattr(frames.checks, "read_image_size", lambda root, path: seen.append(path) or real(root, path))
    rows = open_small(tmp_path, sweeps=True).read("scene-0061", None)
    assert len(seen) == len(set(seen)) == len({row.image_path for row in rows.images})
    assert len(rows.images) > len(seen)
