"""Exports for CenterPoint and BEVFusion, loaded by their published rules and held against the devkit and the store."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.command import content, paintpipe, succeed
from support.nuscenes_loaders import (
    NuScenesFiles,
    bevfusion_file,
    bevfusion_keyframe,
    centerpoint_file,
    centerpoint_keyframe,
)

import paintpipe as library
from paintpipe.stages.taxonomies.apply import map_scores
from paintpipe.stages.taxonomies.load import load_mapping

TRAIN_INFOS = "infos_train_10sweeps_withvelo_filter_True.pkl"
KEYFRAMES = (10, 20)


@pytest.fixture(scope="module")
def centerpoint(sweeps_scene: Path, sweeps_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> NuScenesFiles:
    out = tmp_path_factory.mktemp("exports") / "centerpoint"
    succeed("export", "--to", "centerpoint", "-w", sweeps_workspace, "--out", out, "-q")
    return NuScenesFiles(sweeps_scene, out, "data/nuScenes/")


@pytest.fixture(scope="module")
def bevfusion(sweeps_scene: Path, sweeps_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> NuScenesFiles:
    out = tmp_path_factory.mktemp("exports") / "bevfusion"
    succeed("export", "--to", "bevfusion", "-w", sweeps_workspace, "--out", out, "-q")
    return NuScenesFiles(sweeps_scene, out, "data/nuscenes/")


@pytest.fixture(scope="module")
def devkit(sweeps_scene: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nuscenes = pytest.importorskip("nuscenes")
    return nuscenes.NuScenes("v1.0-mini", str(sweeps_scene), verbose=False)


@pytest.fixture(scope="module")
def stored(sweeps_workspace: Path) -> list[np.ndarray]:
    """(N, 15) of each frame: points and ten scores as the store has them."""
    mapping = load_mapping("synthetic", "nuscenes-det11")
    tables = []
    for frame in library.open_painted(sweeps_workspace).sequence("scene-0061"):
        scores = map_scores(frame.layer("masks").scores, frame.points, mapping).astype(np.float32)[:, :10]
        tables.append(np.hstack([frame.points, scores]))
    return tables


def devkit_sweeps(devkit: Any, sample: int, num_sweeps: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, 4) points of a keyframe and the sweeps before it, and (N,) lags, by the devkit."""
    from nuscenes.utils.data_classes import LidarPointCloud

    record = devkit.sample[sample]
    cloud, times = LidarPointCloud.from_file_multisweep(devkit, record, "LIDAR_TOP", "LIDAR_TOP", num_sweeps)
    return cloud.points.T, times[0]


def is_close(points: np.ndarray) -> np.ndarray:
    return (np.abs(points[:, :2]) < 1).all(axis=1)


@pytest.mark.parametrize("sample", [0, 1])
def test_centerpoint_stacks_what_the_devkit_stacks(centerpoint: NuScenesFiles, devkit: Any, sample: int) -> None:
    info = centerpoint.pickle(TRAIN_INFOS)[sample]
    assert info["token"] == devkit.sample[sample]["token"]
    table = centerpoint_keyframe(centerpoint, info, "painted")
    own = np.arange(len(table)) < len(centerpoint.raw(info["lidar_path"]))
    table = table[~(own & is_close(table))]  # the devkit removes the keyframe's close points too
    points, lags_s = devkit_sweeps(devkit, sample, 10)
    assert len(np.unique(table[:, 14])) == 10
    assert len(table) == len(points)
    np.testing.assert_allclose(table[:, :4], points, rtol=0, atol=4e-6)
    np.testing.assert_allclose(table[:, 14], lags_s, rtol=0, atol=1e-6)
    assert np.abs(table[:, :3] - points[:, :3]).max() < 0.01 * np.abs(points[lags_s > 0.4, :3]).max()


@pytest.mark.parametrize("sample", [0, 1])
def test_bevfusion_stacks_what_the_devkit_stacks(bevfusion: NuScenesFiles, devkit: Any, sample: int) -> None:
    info = bevfusion.pickle("nuscenes_infos_train.pkl")["infos"][sample]
    table = bevfusion_keyframe(bevfusion, info, 10)
    own = np.arange(len(table)) < len(bevfusion.raw(info["lidar_path"]))
    table = table[~(own & is_close(table))]
    points, lags_s = devkit_sweeps(devkit, sample, 11)
    np.testing.assert_allclose(table[:, :4], points, rtol=0, atol=4e-6)
    np.testing.assert_allclose(table[:, 4], lags_s, rtol=0, atol=1e-6)


def test_every_loaded_sweep_is_the_store_bit_for_bit(
    centerpoint: NuScenesFiles, bevfusion: NuScenesFiles, devkit: Any, stored: list[np.ndarray]
) -> None:
    paths = sorted(data["filename"] for data in devkit.sample_data if "LIDAR_TOP" in data["filename"])
    by_time = sorted(paths, key=lambda path: path.split("__")[-1])
    assert len(by_time) == len(stored) == 21
    for path, table in zip(by_time, stored, strict=True):
        painted = centerpoint_file(centerpoint, "data/nuScenes/" + path, "painted")
        assert painted.tobytes() == np.delete(table, 4, axis=1).tobytes()
        listed = bevfusion_file(bevfusion, "data/nuscenes/" + path).astype(np.float32)
        assert listed[:, :15].tobytes() == table.tobytes()
        virtual = centerpoint_file(centerpoint, "data/nuScenes/" + path, "virtual")
        assert virtual[: len(table), :4].tobytes() == table[:, :4].tobytes()
        painted_rows = virtual[virtual[:, -1] == 0]
        objects = table[table[:, 5:].max(axis=1) > 1 - table[:, 5:].sum(axis=1, dtype=float)]
        assert 0 < len(objects) < len(table)
        np.testing.assert_array_equal(painted_rows[:, :13], objects[:, [0, 1, 2, *range(5, 15)]])
    assert max(table[:, 5:].sum(axis=1).max() for table in stored) == 1


def test_boxes_and_velocities_are_the_devkits(
    centerpoint: NuScenesFiles, bevfusion: NuScenesFiles, devkit: Any
) -> None:
    for sample, info, other in zip(
        devkit.sample,
        centerpoint.pickle(TRAIN_INFOS),
        bevfusion.pickle("nuscenes_infos_train.pkl")["infos"],
        strict=True,
    ):
        _, boxes, _ = devkit.get_sample_data(sample["data"]["LIDAR_TOP"])
        found = dict(zip(info["gt_boxes_token"], info["gt_boxes"], strict=True))
        assert found.keys() == {box.token for box in boxes}
        assert len(other["gt_boxes"]) == len(boxes) > 10
        lidar_SE3_global = info["ref_from_car"] @ info["car_from_global"]
        for box in boxes:
            row = found[box.token]
            np.testing.assert_allclose(row[:3], box.center, atol=1e-9)
            np.testing.assert_allclose(row[3:6], box.wlh, atol=1e-12)
            heading = box.rotation_matrix @ [1.0, 0.0, 0.0]
            yaw_rad = np.arctan2(heading[1], heading[0])
            np.testing.assert_allclose(np.exp(1j * row[8]), np.exp(1j * (-yaw_rad - np.pi / 2)), atol=1e-9)
            velocity = lidar_SE3_global[:3, :3] @ devkit.box_velocity(box.token)
            np.testing.assert_allclose(row[6:8], velocity[:2], atol=1e-9)
        order = [list(found).index(token) for token in info["gt_boxes_token"]]
        np.testing.assert_allclose(other["gt_boxes"][order][:, :6], info["gt_boxes"][:, :6], atol=1e-12)


@pytest.mark.parametrize("form", ["painted", "virtual"])
def test_pasted_objects_are_the_stacked_points_in_their_boxes(centerpoint: NuScenesFiles, form: str) -> None:
    pytest.importorskip("nuscenes")
    from nuscenes.utils.data_classes import Box
    from nuscenes.utils.geometry_utils import points_in_box
    from pyquaternion import Quaternion

    width = {"painted": 15, "virtual": 16}[form]
    database = centerpoint.pickle(f"dbinfos_train_10sweeps_withvelo_{form}.pkl")
    groups = sorted(item["group_id"] for items in database.values() for item in items)
    assert groups == list(range(len(groups)))
    infos = centerpoint.pickle(TRAIN_INFOS)
    tables = [centerpoint_keyframe(centerpoint, info, form) for info in infos]
    for items in database.values():
        for item in items:
            table, row = tables[item["image_idx"]], infos[item["image_idx"]]["gt_boxes"][item["gt_idx"]]
            upright = Quaternion(axis=[0, 0, 1], radians=-row[8] - np.pi / 2)  # a detector's box has no roll or pitch
            box = Box(row[:3], row[3:6], upright)
            inside = table[points_in_box(box, table[:, :3].T.astype(float))]
            rows = np.fromfile(centerpoint.find("data/nuScenes/" + item["path"]), dtype=np.float32).reshape(-1, width)
            assert abs(len(rows) - len(inside)) <= 2  # a point on the face itself, to the last digit
            assert len(rows) == item["num_points_in_gt"]
            back = rows.copy()
            back[:, :3] += item["box3d_lidar"][:3]
            if len(rows) == len(inside):
                np.testing.assert_allclose(back[:, :3], inside[:, :3], atol=1e-5)
                np.testing.assert_array_equal(back[:, 3:], inside[:, 3:])


def test_executors_and_a_second_run_give_the_same_bytes(
    centerpoint: NuScenesFiles, sweeps_workspace: Path, tmp_path: Path
) -> None:
    export = ("export", "--to", "centerpoint", "-w", sweeps_workspace, "--out", tmp_path / "again", "-q")
    succeed(*export, "--executor", "serial")

    def kept(folder: Path) -> dict[str, bytes]:
        files = {path.partition("/")[2]: data for path, data in content(folder).items()}
        return {path: data for path, data in files.items() if not path.startswith(".paintpipe")}

    again = kept(tmp_path / "again")
    assert again.keys() == kept(centerpoint.export).keys()
    assert again == kept(centerpoint.export)
    before = content(tmp_path / "again")
    succeed(*export)
    assert content(tmp_path / "again") == before


def test_check_finds_a_flipped_bit(centerpoint: NuScenesFiles, sweeps_workspace: Path) -> None:
    path = next(centerpoint.export.glob("sweeps/painted_LIDAR_TOP/*.npy"))
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
        export = ("export", "--to", "centerpoint", "-w", sweeps_workspace, "--out", centerpoint.export)
        done = paintpipe(*export, "--check", "-q")
    finally:
        path.write_bytes(whole)
    assert done.code != 0
    assert path.name.removesuffix(".npy") in done.out + done.err


def test_the_real_keyframe_without_sweeps(real_data: Path, tmp_path: Path) -> None:
    root = real_data / "nuscenes"
    succeed("ingest", "nuscenes", root, "-w", tmp_path / "w", "-q")
    succeed("paint", "-w", tmp_path / "w", "--oracle", "-q")
    frame = library.open_painted(tmp_path / "w").sequence("scene-0061")[0]
    scores = frame.layer("oracle").scores.astype(np.float32)[:, :10]
    for target, infos_name in (("centerpoint", TRAIN_INFOS), ("bevfusion", "nuscenes_infos_train.pkl")):
        out = tmp_path / target
        said = paintpipe("export", "--to", target, "-w", tmp_path / "w", "--out", out, "-q")
        assert said.code == 0
        assert "--sweeps" in said.out + said.err
        files = NuScenesFiles(root, out, "data/nuScenes/" if target == "centerpoint" else "data/nuscenes/")
        infos = files.pickle(infos_name)
        (info,) = infos if target == "centerpoint" else infos["infos"]
        path = info["lidar_path"]
        assert files.raw(path).tobytes() == frame.points.tobytes()
        if target == "centerpoint":
            loaded = centerpoint_file(files, path, "painted")
            assert loaded.tobytes() == np.hstack([frame.points[:, :4], scores]).tobytes()
            stacked = centerpoint_keyframe(files, info, "virtual")
            assert stacked.shape[1] == 16
            objects = files.pickle("dbinfos_train_10sweeps_withvelo_virtual.pkl")
            assert len(info["gt_boxes"]) == sum(box > 0 for box in _lidar_counts(root)) > 30
        else:
            assert bevfusion_file(files, path).astype(np.float32)[:, 5:15].tobytes() == scores.tobytes()
            objects = files.pickle("nuscenes_dbinfos_train.pkl")
            assert info["num_lidar_pts"].tolist() == _lidar_counts(root)
            assert len(info["cams"]) == 6
        assert {"car", "pedestrian", "barrier", "truck"} <= objects.keys()


def _lidar_counts(root: Path) -> list[int]:
    return [record["num_lidar_pts"] for record in json.loads((root / "v1.0-mini/sample_annotation.json").read_text())]
