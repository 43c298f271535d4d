import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.synth import SMALL, files_of, look, read_rows

from paintpipe.schemas.geometry import se3_from_quaternion
from paintpipe.stages.synth.nuscenes_names import LIDARSEG_INDEX
from paintpipe.stages.synth.nuscenes_tables import quaternion_wxyz
from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.write import write_nuscenes

STILL = (0, 1, 2, 3, 4, 5)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("synth") / "nuscenes"
    write_nuscenes(root, SynthSettings(seed=11, keyframes=2, image_size_px=(112, 208)))
    return root


@pytest.fixture(scope="module")
def devkit(scene: Path):
    nuscenes = pytest.importorskip("nuscenes")
    return nuscenes.NuScenes("v1.0-mini", str(scene), verbose=False)


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    small = replace(SMALL, image_size_px=(32, 64))
    write_nuscenes(tmp_path / "a", small)
    write_nuscenes(tmp_path / "b", small)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")


def test_the_devkit_loads_it_and_projects(devkit) -> None:
    sample = devkit.sample[0]
    for camera in ("CAM_FRONT", "CAM_BACK_RIGHT"):
        points, _, image = devkit.explorer.map_pointcloud_to_image(sample["data"]["LIDAR_TOP"], sample["data"][camera])
        assert points.shape[1] > 800
        assert image.size == (208, 112)
        image.close()


def test_rates_offsets_and_chains(devkit) -> None:
    sample = devkit.sample[0]
    stamps: dict[str, list[int]] = {}
    for channel, token in sample["data"].items():
        data = devkit.get("sample_data", token)
        assert data["is_key_frame"]
        before = [data]
        while before[-1]["prev"]:
            before.append(devkit.get("sample_data", before[-1]["prev"]))
            assert devkit.get("sample_data", before[-1]["next"]) is before[-2]
            assert before[-1]["filename"].startswith("sweeps/")
        stamps[channel] = [each["timestamp"] for each in before]
        assert len(before) == (11 if channel == "LIDAR_TOP" else 7)
    assert set(np.diff(stamps["LIDAR_TOP"])) == {-50_000}
    assert np.allclose(np.diff(stamps["CAM_BACK"]), -83_333, atol=1)
    delays = {channel: stamps[channel][0] - sample["timestamp"] for channel in stamps}
    assert delays.pop("LIDAR_TOP") == 0
    assert all(-50_000 <= delay < 0 for delay in delays.values())
    assert len(set(delays.values())) == 6
    assert devkit.sample[0]["next"] == devkit.sample[1]["token"]


def test_tokens_are_32_hex_digits_and_unique(scene: Path) -> None:
    seen: set[str] = set()
    for path in sorted((scene / "v1.0-mini").glob("*.json")):
        records = json.loads(path.read_text())
        tokens = [record["token"] for record in records]
        assert len(set(tokens)) == len(records) > 0
        if path.stem not in ("visibility", "lidarseg"):
            assert all(re.fullmatch("[0-9a-f]{32}", token) for token in tokens)
            assert not seen & set(tokens)
            seen |= set(tokens)


def test_boxes_hold_their_points(devkit, scene: Path) -> None:
    utils = pytest.importorskip("nuscenes.utils.geometry_utils")
    lidar = devkit.get("sample_data", devkit.sample[1]["data"]["LIDAR_TOP"])
    points = np.fromfile(scene / lidar["filename"], dtype="<f4").reshape(-1, 5)
    labels = np.fromfile(scene / devkit.get("lidarseg", lidar["token"])["filename"], dtype=np.uint8)
    assert len(labels) == len(points)
    assert set(np.unique(points[:, 4])) <= set(range(32))
    boxed = np.zeros(len(points), dtype=bool)
    index = {"vehicle.car": 17, "human.pedestrian.adult": 2, "vehicle.bicycle": 14}
    for box in devkit.get_sample_data(lidar["token"])[1]:
        inside = utils.points_in_box(box, points[:, :3].T, 1.03)
        promised = devkit.get("sample_annotation", box.token)["num_lidar_pts"]
        assert (inside & (labels == index[box.name])).sum() >= 0.97 * promised - 1
        boxed |= inside
    # nothing with a box is left without one
    assert boxed[np.isin(labels, list(index.values()))].mean() > 0.99


def test_moving_things_keep_their_instance_and_their_speed(devkit) -> None:
    speeds = []
    for instance in devkit.instance:
        first = devkit.get("sample_annotation", instance["first_annotation_token"])
        if instance["nbr_annotations"] == 2:
            assert devkit.get("sample_annotation", first["next"])["prev"] == first["token"]
            speed = np.linalg.norm(devkit.box_velocity(first["token"]))
            moving = devkit.get("attribute", first["attribute_tokens"][0])["name"].endswith((".moving", "with_rider"))
            assert (speed > 0.5) == moving
            speeds.append(speed)
    assert len(speeds) > 20
    assert max(speeds) > 5


def test_the_ordinary_reader_and_all_six_masks_agree(scene: Path) -> None:
    rows = read_rows("nuscenes", scene)
    assert rows.rejected == []
    assert len(rows.frames) == 2
    frame = rows.frames[1]
    points = np.fromfile(scene / frame.points_path, dtype="<f4").reshape(-1, 5)
    labels = np.fromfile(scene / str(frame.labels_path), dtype=np.uint8)
    cameras = [image for image in rows.images if image.index == frame.index]
    assert len(cameras) == 6
    for image in cameras:
        seen = look(scene, points, image)
        truth = labels[seen.rows]
        # what moves has moved between the two stamps; what stands must fit
        still = ~seen.edge & np.isin(truth, LIDARSEG_INDEX[list(STILL)]) & np.isin(seen.mask, STILL)
        assert still.sum() > 250
        assert (LIDARSEG_INDEX[seen.mask] == truth)[still].mean() >= 0.99


def test_sweeps_read_as_frames(scene: Path) -> None:
    rows = read_rows("nuscenes", scene, sweeps=True)
    assert len(rows.frames) == 21
    assert [frame.is_keyframe for frame in rows.frames].count(True) == 2


def test_quaternions_of_half_turns_and_random_rotations() -> None:
    rng = np.random.default_rng(0)
    quaternions = [
        *rng.normal(size=(20, 4)),
        np.array([0, 1.0, 0, 0]),
        np.array([0, 0, 0, 1.0]),
        np.array([1.0, 0, 0, 0]),
    ]
    for quaternion in quaternions:
        rotation = se3_from_quaternion(quaternion.tolist(), [0, 0, 0])[:3, :3]
        back = se3_from_quaternion(quaternion_wxyz(rotation), [0, 0, 0])[:3, :3]
        assert np.allclose(back, rotation, atol=1e-12)
