"""The export as MMDetection3D 1.4 reads it; the loaders' rules are written out here once more, from its source.

`make test-mmdet3d` runs MMDetection3D's own loaders over exports of real frames.
"""

import pickle
import re

import numpy as np
import pytest
from support.export_frames import POINTS_IN_BOX, make_done, make_export_frame, make_facts

from paintpipe.schemas.errors import ConfigError, ExportError
from paintpipe.schemas.export import ExportSettings
from paintpipe.stages.export.mmdet3d.nuscenes import lidar2sensor
from paintpipe.stages.export.mmdet3d.target import MMDet3DTarget

TARGET = MMDet3DTarget()
WIDTHS = {"kitti": 4 + 4, "nuscenes": 5 + 11}
SWEEPS = 3


def settled_facts(dataset, **overrides):
    facts = make_facts(dataset)
    wanted = ExportSettings(sweeps=SWEEPS if dataset == "nuscenes" else None, **overrides)
    return make_facts(dataset, settings=TARGET.settle(wanted, dataset, facts.features))


def drive(dataset):
    splits = ("train", "train", "val", "test")
    sweeps = SWEEPS if dataset == "nuscenes" else 0
    return [
        make_export_frame(dataset, index=index, split=split, num_sweeps=sweeps) for index, split in enumerate(splits)
    ]


def exported(frames, facts):
    files, done = {}, []
    for frame in frames:
        one = TARGET.export(frame, facts)
        files |= one.files
        done.append(make_done(frame, **one.facts))
    return files | dict(TARGET.finish(done, facts)), done


def load_points(content, load_dim):
    """`LoadPointsFromFile.transform`."""
    return np.frombuffer(content, dtype=np.float32).reshape(-1, load_dim)


def load_sweeps(info, points, files, load_dim):
    """`LoadPointsFromMultiSweeps.transform` with `remove_close` and every sweep."""
    points = points.copy()
    points[:, 4] = 0
    clouds = [points]
    for sweep in info["lidar_sweeps"]:
        path = sweep["lidar_points"]["lidar_path"]
        folder = "samples" if "samples" in path else "sweeps"  # Det3DDataset.parse_data_info
        cloud = load_points(files[f"{folder}/LIDAR_TOP/{path.split('/')[-1]}"], load_dim).copy()
        cloud = cloud[~((np.abs(cloud[:, 0]) < 1.0) & (np.abs(cloud[:, 1]) < 1.0))]
        matrix = np.array(sweep["lidar_points"]["lidar2sensor"])
        cloud[:, :3] = cloud[:, :3] @ matrix[:3, :3]
        cloud[:, :3] -= matrix[:3, 3]
        cloud[:, 4] = info["timestamp"] - sweep["timestamp"]
        clouds.append(cloud)
    return np.concatenate(clouds)


def kitti_lidar_box(info, instance):
    """`Box3DMode.convert` from camera to LiDAR, as `KittiDataset.parse_ann_info` calls it."""
    x, y, z, length, height, width, ry = instance["bbox_3d"]
    place = np.linalg.inv(np.array(info["images"]["CAM2"]["lidar2cam"])) @ [x, y, z, 1.0]
    yaw = -ry - np.pi / 2
    yaw -= np.floor(yaw / (2 * np.pi) + 0.5) * 2 * np.pi
    return np.array([*place[:3], length, width, height, yaw])


def test_kitti_points_are_those_of_the_store_bit_for_bit():
    frame, facts = make_export_frame(), settled_facts("kitti")
    points = load_points(TARGET.export(frame, facts).files["training/velodyne_painted/000000.bin"], 8)
    assert points.tobytes() == np.hstack([frame.points, frame.scores]).tobytes()


def test_nuscenes_points_and_sweeps_are_those_of_the_store_bit_for_bit():
    frame, facts = make_export_frame("nuscenes", num_sweeps=SWEEPS), settled_facts("nuscenes")
    files = TARGET.export(frame, facts).files
    paths = [path for path in files if not path.startswith("nuscenes_gt_database/")]
    assert paths == [frame.row.points_path, *(sweep.row.points_path for sweep in frame.sweeps)]
    for path, item in zip(paths, [frame, *frame.sweeps], strict=True):
        points = load_points(files[path], 16)
        assert points[:, :4].tobytes() == np.ascontiguousarray(item.points[:, :4]).tobytes()
        assert points[:, 5:].tobytes() == item.scores.tobytes()
        assert not points[:, 4].any()


def test_sweeps_are_written_by_one_keyframe_only():
    frame, facts = make_export_frame("nuscenes", num_sweeps=SWEEPS), settled_facts("nuscenes")
    from dataclasses import replace

    middle = replace(frame.sweeps[1], row=replace(frame.sweeps[1].row, is_keyframe=True))
    shared = replace(frame, sweeps=(frame.sweeps[0], middle, frame.sweeps[2]))
    one = TARGET.export(shared, facts)
    clouds = [path for path in one.files if "/LIDAR_TOP/" in path]
    assert clouds == [frame.row.points_path, frame.sweeps[0].row.points_path]
    assert [item["path"].split("/")[0] for item in one.facts["sweeps"]] == ["sweeps", "samples", "sweeps"]


def test_a_sweep_of_a_keyframe_that_is_not_exported_is_not_named():
    frame, facts = make_export_frame("nuscenes", num_sweeps=SWEEPS), settled_facts("nuscenes")
    from dataclasses import replace

    middle = replace(frame.sweeps[1], row=replace(frame.sweeps[1].row, is_keyframe=True))
    files, _ = exported([replace(frame, sweeps=(frame.sweeps[0], middle, frame.sweeps[2]))], facts)
    (info,) = pickle.loads(files["nuscenes_infos_train.pkl"])["data_list"]
    assert [sweep["lidar_points"]["lidar_path"] for sweep in info["lidar_sweeps"]] == [frame.sweeps[0].row.points_path]


def test_the_loader_moves_sweeps_where_they_belong():
    frame, facts = make_export_frame("nuscenes", num_sweeps=SWEEPS), settled_facts("nuscenes")
    files, _ = exported([frame], facts)
    info = pickle.loads(files["nuscenes_infos_train.pkl"])["data_list"][0]
    points = load_sweeps(info, load_points(files[frame.row.points_path], 16), files, 16)
    assert points[: len(frame.points), :3].tobytes() == np.ascontiguousarray(frame.points[:, :3]).tobytes()
    at = len(frame.points)
    for sweep in frame.sweeps:
        kept = sweep.points[~(np.abs(sweep.points[:, :2]) < 1).all(axis=1)]
        matrix = sweep.frame_SE3_sweep
        wanted = kept[:, :3].astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        np.testing.assert_allclose(points[at : at + len(kept), :3], wanted, atol=5e-6)
        np.testing.assert_allclose(points[at : at + len(kept), 4], sweep.lag_s, atol=1e-6)
        at += len(kept)
    assert at == len(points)


def test_the_matrix_of_a_sweep_is_what_the_loader_takes_it_for():
    # A quarter turn to the left and 2 m ahead: (1, 0, 0) of the sweep is (2, 1, 0) of the keyframe.
    frame_SE3_sweep = np.array([[0.0, -1, 0, 2], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    matrix, true_inverse = lidar2sensor(frame_SE3_sweep), np.linalg.inv(frame_SE3_sweep)
    assert (np.array([1.0, 0, 0]) @ matrix[:3, :3] - matrix[:3, 3]).tolist() == [2, 1, 0]
    assert (np.array([1.0, 0, 0]) @ true_inverse[:3, :3] - true_inverse[:3, 3]).round(9).tolist() != [2, 1, 0]


def test_kitti_infos_lead_back_to_the_boxes_of_the_catalog():
    frames, facts = drive("kitti"), settled_facts("kitti")
    files, _ = exported(frames, facts)
    loaded = pickle.loads(files["kitti_infos_train.pkl"])
    assert loaded["metainfo"]["info_version"] == "1.1"
    assert loaded["metainfo"]["categories"]["Cyclist"] == 1
    assert [info["sample_idx"] for info in loaded["data_list"]] == [0, 1]
    info, frame = loaded["data_list"][1], frames[1]
    assert info["lidar_points"]["lidar_path"] == "000001.bin"
    assert info["lidar_points"]["num_pts_feats"] == 8
    assert [item["bbox_label_3d"] for item in info["instances"]] == [2, 0, 1, 3]
    image = frame.images[0]
    np.testing.assert_allclose(np.array(info["images"]["CAM2"]["lidar2img"])[:3], image.image_from_lidar, atol=1e-9)
    for instance, box in zip(info["instances"], frame.boxes, strict=True):
        x, y, z, length, width, height, yaw = kitti_lidar_box(info, instance)
        np.testing.assert_allclose([x, y, z + height / 2], box.center_m, atol=0.02)  # upright there, tilted here
        np.testing.assert_array_equal([length, width, height], box.size_lwh_m)
        assert abs(np.angle(np.exp(1j * (yaw - box.yaw_rad)))) < 0.01
        assert instance["num_lidar_pts"] == POINTS_IN_BOX
        assert instance["bbox"] == box.box_2d_px.tolist()
        middle = image.image_from_lidar @ [*box.center_m, 1.0]
        np.testing.assert_allclose(instance["center_2d"], middle[:2] / middle[2], atol=1e-6)
        assert instance["depth"] == pytest.approx(middle[2])


def test_kitti_for_tests_has_no_boxes():
    files, _ = exported(drive("kitti"), settled_facts("kitti"))
    assert "instances" not in pickle.loads(files["kitti_infos_test.pkl"])["data_list"][0]


def test_nuscenes_infos_hold_the_boxes_of_the_catalog():
    frames, facts = drive("nuscenes"), settled_facts("nuscenes")
    files, _ = exported(frames, facts)
    loaded = pickle.loads(files["nuscenes_infos_train.pkl"])
    assert loaded["metainfo"]["version"] == "v1.0-trainval"
    assert loaded["metainfo"]["categories"]["ignore"] == -1
    info, frame = loaded["data_list"][0], frames[0]
    assert info["token"] == frame.row.sample_token
    assert info["timestamp"] == frame.row.timestamp_us / 1e6
    assert [item["bbox_label"] for item in info["instances"]] == [0, 7, 5, 9, -1]
    for instance, box in zip(info["instances"], frame.boxes, strict=True):
        assert instance["bbox_3d"] == [*box.center_m, *box.size_lwh_m, box.yaw_rad]
        assert instance["num_lidar_pts"] == POINTS_IN_BOX
        assert instance["bbox_3d_isvalid"] is True
    assert info["instances"][0]["velocity"] == [3.0, 0.5]
    assert np.isnan(info["instances"][2]["velocity"]).all()


def test_nuscenes_cameras_are_told_by_matrices_that_agree():
    files, _ = exported(drive("nuscenes"), settled_facts("nuscenes"))
    info = pickle.loads(files["nuscenes_infos_val.pkl"])["data_list"][0]
    assert len(info["images"]) == 6
    lidar2ego = np.array(info["lidar_points"]["lidar2ego"])
    for camera in info["images"].values():  # taken at the sweep's own time here
        np.testing.assert_allclose(np.array(camera["cam2ego"]) @ np.array(camera["lidar2cam"]), lidar2ego, atol=1e-9)


def test_without_sweeps_the_key_is_absent_and_nothing_loads_them():
    facts = make_facts("nuscenes")
    files, _ = exported([make_export_frame("nuscenes")], facts)
    assert "lidar_sweeps" not in pickle.loads(files["nuscenes_infos_train.pkl"])["data_list"][0]
    assert b"LoadPointsFromMultiSweeps" not in files["painted_nuscenes.py"]


@pytest.mark.parametrize("dataset", ["kitti", "nuscenes"])
def test_database_holds_the_painted_points_relative_to_the_bottom(dataset):
    frames, facts = drive(dataset), settled_facts(dataset)
    files, _ = exported(frames, facts)
    index, width = pickle.loads(files[f"{dataset}_dbinfos_train.pkl"]), WIDTHS[dataset]
    entries = [entry for items in index.values() for entry in items]
    assert len(entries) == (6 if dataset == "kitti" else 8)
    assert sorted(entry["group_id"] for entry in entries) == list(range(len(entries)))
    infos = pickle.loads(files[f"{dataset}_infos_train.pkl"])["data_list"]
    for entry in entries:
        info, frame = infos[entry["image_idx"]], frames[entry["image_idx"]]
        instance, box = info["instances"][entry["gt_idx"]], entry["box3d_lidar"]
        if dataset == "kitti":
            np.testing.assert_allclose(box, kitti_lidar_box(info, instance), atol=1e-5)
        else:  # NuScenesDataset.parse_ann_info: origin (0.5, 0.5, 0.5), and no velocity is 0
            x, y, z, length, w, height, yaw = instance["bbox_3d"]
            wanted = [x, y, z - height / 2, length, w, height, yaw, *np.nan_to_num(instance["velocity"])]
            np.testing.assert_allclose(box, wanted, atol=1e-6)
        sample = load_points(files[entry["path"]], width).copy()
        assert len(sample) == entry["num_points_in_gt"] >= POINTS_IN_BOX
        assert (sample[:, 2] >= 0).all()  # above the bottom
        sample[:, :3] += box[:3]  # points.translate
        scene = load_points(files[_cloud(frame)], width)
        if dataset == "nuscenes":
            scene = load_sweeps(info, scene, files, width)
        for row in sample:
            nearest = scene[np.abs(scene[:, :3] - row[:3]).sum(axis=1).argmin()]
            np.testing.assert_allclose(row[:3], nearest[:3], atol=5e-6)
            np.testing.assert_allclose(row[3:], nearest[3:], atol=1e-6)


def _cloud(frame):
    return frame.row.points_path if frame.sweeps else f"training/velodyne_painted/{frame.row.frame_id}.bin"


def run_config(text, folder="/data/painted"):
    """As `mmengine.Config` does: predefined variables are replaced, with slashes for backslashes, then it is run."""
    space, given = {}, re.sub(r"\{\{\s*fileDirname\s*\}\}", folder.replace("\\", "/"), text.decode())
    exec(compile(given, "config", "exec"), space)
    return space


@pytest.mark.parametrize(
    "folder", ["/it's/'", '/of "mine"', "/a: b/#x", "/grün 夜 \U0001f600", "/{}%s{{x}}", "\\\\host\\share\\new"]
)
def test_the_configurations_folder_may_be_called_anything(folder):
    """MMEngine puts the path as it is between the quotes that the configuration has."""
    for dataset in ("kitti", "nuscenes"):
        files, _ = exported(drive(dataset), settled_facts(dataset))
        config, root = run_config(files[f"painted_{dataset}.py"], folder), folder.replace("\\", "/") + "/"
        assert config["data_root"] == root
        assert config["db_sampler"]["info_path"] == f"{root}{dataset}_dbinfos_train.pkl"
        assert config["val_evaluator"]["ann_file"] == f"{root}{dataset}_infos_val.pkl"


@pytest.mark.parametrize("dataset", ["kitti", "nuscenes"])
def test_configuration_reads_the_whole_width_everywhere(dataset):
    files, _ = exported(drive(dataset), settled_facts(dataset))
    config, width = run_config(files[f"painted_{dataset}.py"]), WIDTHS[dataset]
    assert config["data_root"] == "/data/painted/"
    steps = config["train_pipeline"] + config["test_pipeline"]
    loaders = [step for step in steps if step["type"].startswith("LoadPoints")]
    loaders.append(config["db_sampler"]["points_loader"])
    assert len(loaders) == (3 if dataset == "kitti" else 5)
    for loader in loaders:
        assert loader["load_dim"] == width
        assert loader["use_dim"] == list(range(width))
    names = [step["type"] for step in config["train_pipeline"]]
    assert names.index("ObjectSample") > names.index("LoadAnnotations3D")
    index = pickle.loads(files[f"{dataset}_dbinfos_train.pkl"])
    assert all(index[name] for name in config["db_sampler"]["sample_groups"])
    assert set(config["db_sampler"]["prepare"]["filter_by_min_points"]) <= set(index)
    for loader in ("train_dataloader", "val_dataloader"):
        assert config[loader]["dataset"]["ann_file"] in files
    assert f"in_channels={width}" in files[f"pointpillars_painted_{dataset}.py"].decode()


def test_without_any_object_nothing_is_sampled():
    files, _ = exported([make_export_frame(boxes=())], settled_facts("kitti"))
    assert "ObjectSample" not in [step["type"] for step in run_config(files["painted_kitti.py"])["train_pipeline"]]
    assert pickle.loads(files["kitti_infos_train.pkl"])["data_list"][0]["instances"] == []


@pytest.mark.parametrize("dataset", ["kitti", "nuscenes"])
def test_what_was_written_has_no_faults(dataset):
    frames, facts = drive(dataset), settled_facts(dataset)
    files, done = exported(frames, facts)
    assert [fault for frame in frames for fault in TARGET.faults(frame, facts, files.__getitem__)] == []
    assert list(TARGET.finish_faults(done, facts, files.__getitem__)) == []


def flipped(content, at):
    at %= len(content)
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize("prefix", ["samples/", "sweeps/", "nuscenes_gt_database/"])
@pytest.mark.parametrize("spoil", [lambda content: flipped(content, -3), lambda content: content[:-4]])
def test_a_damaged_file_of_a_frame_is_found(prefix, spoil):
    frame, facts = make_export_frame("nuscenes", num_sweeps=SWEEPS), settled_facts("nuscenes")
    files, _ = exported([frame], facts)
    path = next(path for path in files if path.startswith(prefix))
    files[path] = spoil(files[path])
    faults = list(TARGET.faults(frame, facts, files.__getitem__))
    assert len(faults) == 1
    assert faults[0].startswith(path)


def respoiled(content, change):
    data = pickle.loads(content)
    change(data)
    return pickle.dumps(data)


@pytest.mark.parametrize(
    ("path", "change", "says"),
    [
        ("kitti_infos_train.pkl", lambda data: data["data_list"].reverse(), "is not that"),
        ("kitti_infos_train.pkl", lambda data: data["data_list"].pop(), "1 frames, not 2"),
        ("kitti_infos_val.pkl", lambda data: data["metainfo"].update(info_version="1.0"), "other metainfo"),
        ("kitti_infos_val.pkl", lambda data: data.pop("metainfo"), "no dict"),
        ("kitti_infos_val.pkl", lambda data: data["data_list"][0]["instances"][0].update(score=1.0), "is not that"),
        ("kitti_dbinfos_train.pkl", lambda data: data["Car"].pop(), "other objects"),
        ("kitti_dbinfos_train.pkl", lambda data: data["Car"][0].update(path="x"), "other objects"),
    ],
)
def test_a_damaged_list_is_found(path, change, says):
    facts = settled_facts("kitti")
    files, done = exported(drive("kitti"), facts)
    files[path] = respoiled(files[path], change)
    faults = list(TARGET.finish_faults(done, facts, files.__getitem__))
    assert faults
    assert all(path in fault and says in fault for fault in faults)


def test_settling():
    features = ("x", "y", "z", "intensity", "ring")
    kitti = TARGET.settle(ExportSettings(), "kitti", features)
    assert (kitti.taxonomy, kitti.background, kitti.sweeps) == ("kitti-det4", "keep", 0)
    assert TARGET.settle(ExportSettings(), "nuscenes", features).sweeps == 10
    assert TARGET.settle(ExportSettings(sweeps=0), "nuscenes", features).sweeps == 0
    for dataset, bad in (
        ("semantickitti", ExportSettings()),
        ("kitti", ExportSettings(sweeps=3)),
        ("kitti", ExportSettings(options=(("a", "b"),))),
        ("kitti", ExportSettings(fill="nearest")),
    ):
        with pytest.raises(ConfigError):
            TARGET.settle(bad, dataset, features)


def test_a_kitti_frame_without_its_camera_is_refused():
    with pytest.raises(ExportError, match="no image_2"):
        TARGET.export(make_export_frame(images=()), settled_facts("kitti"))
