"""Exports for OpenPCDet and MMDetection3D by the installed command, read back by the loaders' rules."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from support.command import paintpipe, start, succeed

import paintpipe as package
from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.catalog import BoxRow, FrameRow
from paintpipe.schemas.geometry import invert_se3
from paintpipe.stages.paint.boxes import points_in_box
from paintpipe.stages.taxonomies.apply import map_scores
from paintpipe.stages.taxonomies.load import load_mapping
from paintpipe.workflows.catalog import Catalog, open_catalog

SCENE = "scene-0061"


class Painted:
    """A workspace's frames, straight from the store: points, and scores in another taxonomy."""

    def __init__(self, workspace: Path, taxonomy: str) -> None:
        self.workspace, self.taxonomy = workspace, taxonomy
        self.store, self.catalog = package.open_painted(workspace), open_catalog(workspace / "catalog")

    def table(self, sequence: str, index: int) -> tuple[AnyArray, AnyArray]:
        """(N, F) points and (N, C) scores."""
        view = self.store.sequence(sequence)[index]
        layer = view.layer(self.store.layers(sequence)[0])
        mapping = load_mapping(layer.attributes["taxonomy"], self.taxonomy)
        return view.points, map_scores(layer.scores, view.points, mapping)


def installed(*arguments: object) -> str:
    """What the installed command printed; fails unless it exits with 0."""
    process = start(*arguments, OMP_NUM_THREADS="1")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out


@pytest.fixture(scope="module")
def kitti(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Painted:
    workspace = tmp_path_factory.mktemp("kitti")
    succeed("ingest", "kitti", real_data / "kitti", "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "-q", "--model", "street-tiny")
    return Painted(workspace, "kitti-det4")


@pytest.fixture(scope="module")
def nuscenes(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Painted:
    workspace = tmp_path_factory.mktemp("nuscenes")
    succeed("ingest", "nuscenes", real_data / "nuscenes", "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "-q", "--model", "street-tiny")
    return Painted(workspace, "nuscenes-det11")


def bits(array: AnyArray) -> bytes:
    return np.ascontiguousarray(array).tobytes()


def read(out: Path, path: str, width: int) -> AnyArray:
    """`np.fromfile(…).reshape(-1, width)`, which is what the loaders do."""
    return np.fromfile(out / path, np.float32).reshape(-1, width)


def in_box(points: AnyArray, box: BoxRow, values: AnyArray) -> AnyArray:
    """Rows inside a box given as x y z l w h yaw, its z in the middle."""
    from dataclasses import replace

    upright = replace(box, center_m=values[:3], size_lwh_m=values[3:6], yaw_rad=float(values[6]), rotation_wxyz=None)
    return np.flatnonzero(points_in_box(points, upright))


def check_samples(entries: list[dict[str, Any]], read_sample: Any, clouds: list[AnyArray], bottom: bool) -> int:
    """Each object, pasted at its box, is points of the store; how many coordinates are so bit for bit, in percent."""
    exact = total = 0
    for entry in entries:
        sample, box = read_sample(entry["path"]).copy(), entry["box3d_lidar"]
        sample[:, :3] += box[:3]
        low, high = (0.0, box[5]) if bottom else (-box[5] / 2, box[5] / 2)
        assert (sample[:, 2] - box[2] >= low - 1e-4).all()
        assert (sample[:, 2] - box[2] <= high + 1e-4).all()
        cloud = clouds[entry["frame"]]
        rows = [int(np.abs(cloud[:, :3] - row[:3]).sum(axis=1).argmin()) for row in sample]
        assert len(set(rows)) == len(rows) == entry["num_points_in_gt"]
        assert bits(sample[:, 3:]) == bits(cloud[rows, 3:])
        np.testing.assert_allclose(sample[:, :3], cloud[rows, :3], rtol=0, atol=1e-6)
        exact += int((sample[:, :3] == cloud[rows, :3]).sum())
        total += 3 * len(rows)
    return round(100 * exact / total)


def test_real_kitti_in_openpcdet(kitti: Painted, real_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    printed = installed("export", "-w", kitti.workspace, "--to", "openpcdet", "--out", out, "--json")
    assert json.loads(printed)["faults"] == []
    names = (out / "ImageSets/train.txt").read_text().split()
    assert names == [f"00000{index}" for index in range(6)]
    clouds = []
    for index, name in enumerate(names):
        points = np.load(out / f"points/{name}.npy")
        raw = np.fromfile(real_data / f"kitti/training/velodyne/{name}.bin", np.float32).reshape(-1, 4)
        stored, scores = kitti.table("training", index)
        assert bits(points[:, :4]) == bits(raw) == bits(stored)
        assert bits(points[:, 4:]) == bits(scores)
        clouds.append(points)
    entries = pickle.loads((out / "custom_dbinfos_train.pkl").read_bytes())
    flat = [entry | {"frame": int(entry["path"][12:18])} for items in entries.values() for entry in items]
    assert {name: len(items) for name, items in entries.items()} == {"Car": 5, "Pedestrian": 2, "Cyclist": 1}
    assert check_samples(flat, lambda path: read(out, path, 8), clouds, bottom=False) >= 90
    settings = yaml.safe_load((out / "painted_dataset.yaml").read_text())
    assert settings["DATA_AUGMENTOR"]["AUG_CONFIG_LIST"][0]["NUM_POINT_FEATURES"] == 8


def test_real_kitti_boxes_hold_the_points_that_the_reference_counts(kitti: Painted, tmp_path: Path) -> None:
    """The reference counts are those of points that the camera sees, in boxes as KITTI publishes them."""
    out = tmp_path / "out"
    succeed("export", "-w", kitti.workspace, "--to", "openpcdet", "--out", out, "--fov-only", "-q")
    infos = pickle.loads((out / "custom_infos_train.pkl").read_bytes())
    counts: dict[str, int] = dict.fromkeys(("Car", "Pedestrian", "Cyclist", "Truck"), 0)
    for info in infos:
        for name, count in zip(info["annos"]["name"], info["annos"]["num_points_in_gt"], strict=True):
            counts[str(name)] = counts.get(str(name), 0) + int(count)
    wanted = {"Car": 859, "Pedestrian": 446, "Cyclist": 18, "Truck": 70}
    assert all(abs(counts[name] - number) <= 0.03 * number + 1 for name, number in wanted.items()), counts


def test_real_kitti_in_mmdet3d(kitti: Painted, tmp_path: Path) -> None:
    out = tmp_path / "out"
    installed("export", "-w", kitti.workspace, "--to", "mmdet3d", "--out", out)
    data = pickle.loads((out / "kitti_infos_train.pkl").read_bytes())["data_list"]
    clouds = []
    for index, info in enumerate(data):
        points = read(out, f"training/velodyne_painted/{info['lidar_points']['lidar_path']}", 8)
        stored, scores = kitti.table("training", index)
        assert bits(points) == bits(np.hstack([stored, scores]))
        clouds.append(points)
    entries = pickle.loads((out / "kitti_dbinfos_train.pkl").read_bytes())
    flat = [entry | {"frame": entry["image_idx"]} for items in entries.values() for entry in items]
    assert len(flat) == 8
    assert check_samples(flat, lambda path: read(out, path, 8), clouds, bottom=True) >= 90
    # KITTI's numbers as published, and the heading that the loader makes of them against the catalog's.
    boxes = kitti.catalog.boxes("training", 3, 4)
    instance = data[3]["instances"][0]
    h, w, length, x, y, z, ry = boxes[0].kitti_box
    assert instance["bbox_3d"] == [x, y, z, length, h, w, ry]
    turned = -ry - np.pi / 2 - boxes[0].yaw_rad
    assert abs(np.angle(np.exp(1j * turned))) < 0.02


@pytest.mark.parametrize(("target", "own"), [("openpcdet", 4), ("mmdet3d", 5)])
def test_the_real_nuscenes_sample(nuscenes: Painted, target: str, own: int, tmp_path: Path) -> None:
    out = tmp_path / "out"
    installed("export", "-w", nuscenes.workspace, "--to", target, "--out", out)
    stored, scores = nuscenes.table(SCENE, 0)
    if target == "openpcdet":
        (path,) = (out / "points").iterdir()
        points, index = np.load(path), "custom_dbinfos_train.pkl"
    else:
        (path,) = (out / "samples/LIDAR_TOP").iterdir()
        points, index = np.fromfile(path, np.float32).reshape(-1, 16), "nuscenes_dbinfos_train.pkl"
    assert bits(points[:, :4]) == bits(stored[:, :4])
    assert bits(points[:, own:]) == bits(scores)
    entries = pickle.loads((out / index).read_bytes())
    flat = [entry | {"frame": 0} for items in entries.values() for entry in items]
    assert len(flat) > 40
    share = check_samples(flat, lambda name: read(out, name, own + 11), [points], bottom=target == "mmdet3d")
    assert share >= 85  # z lies near 0 beside the sensor, and its bottom does not


def test_sweeps_of_a_synthetic_scene_in_mmdet3d(sweeps_workspace: Path, tmp_path: Path) -> None:
    painted, out = Painted(sweeps_workspace, "nuscenes-det11"), tmp_path / "out"
    printed = installed("export", "-w", sweeps_workspace, "--to", "mmdet3d", "--out", out, "--json")
    assert json.loads(printed)["faults"] == []
    rows = painted.catalog.frames(SCENE, 0, 21)
    data = pickle.loads((out / "nuscenes_infos_train.pkl").read_bytes())["data_list"]
    assert [info["token"] for info in data] == [row.sample_token for row in rows if row.is_keyframe]
    written = {path.name for path in out.glob("s*/LIDAR_TOP/*")}
    assert written == {Path(row.points_path).name for row in rows}
    for row in rows:
        stored, scores = painted.table(SCENE, row.index)
        points = read(out, row.points_path, 16)
        assert bits(points[:, :4]) == bits(stored[:, :4])
        assert bits(points[:, 5:]) == bits(scores)
    for info, row in zip(data, [row for row in rows if row.is_keyframe], strict=True):
        _check_sweeps(info, row, painted.catalog)


def _check_sweeps(info: dict[str, Any], row: FrameRow, catalog: Catalog) -> None:
    """Ten frames back, each moved by the loader's arithmetic as the poses say."""
    earlier = catalog.frames(SCENE, max(0, row.index - 10), row.index)[::-1]
    sweeps = info.get("lidar_sweeps", [])
    assert [sweep["sample_data_token"] for sweep in sweeps] == [item.sweep_token for item in earlier]
    probe = np.array([[10.0, -3.0, 0.5], [-4.0, 20.0, 1.0]])
    for sweep, item in zip(sweeps, earlier, strict=True):
        matrix = np.array(sweep["lidar_points"]["lidar2sensor"])
        assert row.global_SE3_lidar is not None
        assert item.global_SE3_lidar is not None
        frame_SE3_sweep = invert_se3(row.global_SE3_lidar) @ item.global_SE3_lidar
        wanted = probe @ frame_SE3_sweep[:3, :3].T + frame_SE3_sweep[:3, 3]
        np.testing.assert_allclose(probe @ matrix[:3, :3] - matrix[:3, 3], wanted, atol=1e-9)
        assert info["timestamp"] - sweep["timestamp"] == pytest.approx(0.05 * (row.index - item.index), abs=1e-6)


def test_sweeps_of_a_synthetic_scene_in_openpcdet(sweeps_workspace: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    succeed("export", "-w", sweeps_workspace, "--to", "openpcdet", "--out", out, "--sweeps", 2, "-q")
    settings = yaml.safe_load((out / "painted_dataset.yaml").read_text())
    assert settings["POINT_FEATURE_ENCODING"]["src_feature_list"][4] == "timestamp"
    rows = [row for row in open_catalog(sweeps_workspace / "catalog").frames(SCENE, 0, 21) if row.is_keyframe]
    points = np.load(out / f"points/{rows[1].sample_token}.npy")
    assert points.shape[1] == 5 + 11
    assert [round(float(lag_s), 3) for lag_s in np.unique(points[:, 4])] == [0.0, 0.05, 0.1]
    assert (points[:, 4] == 0).sum() == rows[1].num_points


def test_a_damaged_export_is_found_by_check(sweeps_workspace: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("export", "-w", sweeps_workspace, "--to", "mmdet3d", "--out", out, "-q")
    succeed(*command)
    victim = next((out / "nuscenes_gt_database").iterdir())
    victim.write_bytes(victim.read_bytes()[:-64])
    done = paintpipe(*command, "--check")
    assert done.code == 1
    assert victim.name in done.out + done.err


def test_a_dataset_without_a_loader_is_refused(sweeps_workspace: Path, workspace: Path, paint_masks: Any) -> None:
    paint_masks(workspace)
    done = paintpipe("export", "-w", workspace, "--to", "mmdet3d", "--out", workspace / "out")
    assert done.code == 2
    assert "kitti or nuscenes" in done.err
