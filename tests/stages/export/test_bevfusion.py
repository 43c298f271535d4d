from dataclasses import replace

import numpy as np
import pytest
import yaml
from support.export_frames import POINTS_IN_BOX
from support.ten_scores import Exported, ten_frame, thinned

from paintpipe.schemas.errors import ConfigError, ExportError
from paintpipe.schemas.export import ExportSettings
from paintpipe.schemas.geometry import se3_from_quaternion
from paintpipe.stages.export import pickles
from paintpipe.stages.export.bevfusion.target import BevFusionTarget
from paintpipe.stages.export.npy import dumps_item, loads_item

TARGET = BevFusionTarget()
INFOS = "nuscenes_infos_{}.pkl"
DB_INFOS = "nuscenes_dbinfos_train.pkl"


@pytest.fixture(scope="module")
def exported() -> Exported:
    frames = [ten_frame(index=index, num_sweeps=3, split=split) for index, split in enumerate(("train", "mini_val"))]
    return Exported(TARGET, frames)


def test_reads_back_without_a_fault(exported: Exported) -> None:
    assert exported.faults() == []


def test_every_point_is_listed_with_the_ring_where_the_time_goes(exported: Exported) -> None:
    for frame in exported.frames:
        path = f"virtual_points/{frame.row.points_path.replace('LIDAR_TOP/', 'LIDAR_TOP_VIRTUAL/')}.pkl.npy"
        item = loads_item(exported.files[path])
        assert item["real_points_indice"].tolist() == list(range(len(frame.points)))
        assert item["real_points"].tobytes() == np.hstack([frame.points, frame.scores]).tobytes()
        assert item["virtual_points"].shape == (0, 14)


def test_infos_have_poses_as_nuscenes_writes_them(exported: Exported) -> None:
    content = pickles.loads(exported.files[INFOS.format("train")])
    assert content["metadata"] == {"version": "v1.0-trainval"}
    (info,) = content["infos"]
    frame = exported.frames[3]
    for name, pose in (("lidar2ego", frame.row.ego_SE3_lidar), ("ego2global", frame.row.global_SE3_ego)):
        again = se3_from_quaternion(info[f"{name}_rotation"], info[f"{name}_translation"])
        np.testing.assert_allclose(again, pose, atol=1e-12)
    assert (info["timestamp"], info["token"]) == (frame.row.timestamp_us, frame.row.sample_token)


def test_a_camera_is_where_its_matrices_say(exported: Exported) -> None:
    (info,) = pickles.loads(exported.files[INFOS.format("val")])["infos"]
    frame = exported.frames[-1]
    assert list(info["cams"]) == [image.camera for image in frame.images]
    for image in frame.images:
        camera = info["cams"][image.camera]
        point = np.array([3.0, -7.0, 0.5])
        in_camera = np.linalg.inv(camera["sensor2lidar_rotation"]) @ (point - camera["sensor2lidar_translation"])
        np.testing.assert_allclose(in_camera, (image.camera_SE3_lidar @ [*point, 1])[:3], atol=1e-9)
        ego_SE3_camera = se3_from_quaternion(camera["sensor2ego_rotation"], camera["sensor2ego_translation"])
        global_SE3_ego = se3_from_quaternion(camera["ego2global_rotation"], camera["ego2global_translation"])
        by_way_of_the_world = global_SE3_ego @ ego_SE3_camera @ [*in_camera, 1]
        np.testing.assert_allclose(by_way_of_the_world, frame.row.global_SE3_lidar @ [*point, 1], atol=1e-9)
        assert camera["data_path"] == "data/nuscenes/" + image.image_path
        np.testing.assert_array_equal(camera["cam_intrinsic"], image.K)


def test_sweeps_are_as_many_as_there_are(exported: Exported) -> None:
    (info,) = pickles.loads(exported.files[INFOS.format("train")])["infos"]
    frame = exported.frames[3]
    assert [info["timestamp"] - sweep["timestamp"] for sweep in info["sweeps"]] == [50_000, 100_000, 150_000]
    for sweep, true in zip(info["sweeps"], frame.sweeps, strict=True):
        np.testing.assert_allclose(sweep["sensor2lidar_rotation"], true.frame_SE3_sweep[:3, :3], atol=1e-12)
        np.testing.assert_allclose(sweep["sensor2lidar_translation"], true.frame_SE3_sweep[:3, 3], atol=1e-12)


def test_all_boxes_are_there_and_those_with_lidar_points_count() -> None:
    frame = ten_frame()
    boxes = tuple(replace(box, num_lidar_points=number % 2) for number, box in enumerate(frame.boxes))
    exported = Exported(TARGET, [replace(frame, boxes=boxes)])
    assert exported.faults() == []
    (info,) = pickles.loads(exported.files[INFOS.format("train")])["infos"]
    np.testing.assert_allclose(info["gt_boxes"][0], [4.0, 10.0, -0.9, 1.9, 4.5, 1.6, -1.4 - np.pi / 2], atol=1e-12)
    assert info["gt_names"].tolist() == ["car", "pedestrian", "bicycle", "barrier", "static_object.bicycle_rack"]
    assert info["valid_flag"].tolist() == [False, True, False, True, False]
    assert info["gt_velocity"][1].tolist() == [0.9, -0.1]
    # Published, the place counts among the boxes that are valid.
    (barrier,) = pickles.loads(exported.files[DB_INFOS])["barrier"]
    assert barrier["gt_idx"] == 1


def test_the_database_is_cut_at_the_whole_box(exported: Exported) -> None:
    infos = pickles.loads(exported.files[DB_INFOS])
    assert sorted(infos) == ["barrier", "bicycle", "car", "pedestrian"]
    frame = exported.frames[3]
    for (item,) in infos.values():
        rows = np.frombuffer(exported.files[item["path"]], dtype=np.float32).reshape(-1, 16)
        assert len(rows) == item["num_points_in_gt"] == POINTS_IN_BOX
        half_height_m = frame.boxes[item["gt_idx"]].size_lwh_m[2] / 2
        assert rows[:, 2].min() < 0 < rows[:, 2].max() <= half_height_m
        assert (rows[:, 4] == 0).all()
        assert (rows[:, 15] == 0).all()
        assert item["box3d_lidar"].dtype == np.float32
        assert item["box3d_lidar"].shape == (9,)
        assert item["image_idx"] == frame.row.sample_token


def test_without_sweeps_the_keyframe_stands_in_for_ten() -> None:
    exported = Exported(TARGET, [ten_frame()])
    assert exported.faults() == []
    (car,) = pickles.loads(exported.files[DB_INFOS])["car"]
    assert car["num_points_in_gt"] == 11 * POINTS_IN_BOX


def test_the_test_set_has_no_boxes() -> None:
    exported = Exported(TARGET, [ten_frame(split="test")])
    assert exported.faults() == []
    (info,) = pickles.loads(exported.files[INFOS.format("test")])["infos"]
    assert "gt_boxes" not in info


def test_the_fragment_is_yaml_and_pastes_only_what_there_is(exported: Exported) -> None:
    content = yaml.safe_load(exported.files["paintpipe_bevfusion.yaml"])
    assert (content["load_augmented"], content["load_dim"], content["use_dim"]) == ("pointpainting", 16, 16)
    steps = {step["type"]: step for step in content["train_pipeline"]}
    assert steps["ObjectPaste"]["db_sampler"]["sample_groups"] == {
        "car": 2, "barrier": 2, "bicycle": 6, "pedestrian": 2
    }  # fmt: skip
    assert steps["LoadPointsFromMultiSweeps"]["remove_close"] is True
    assert "LoadBEVSegmentation" not in steps
    assert "ObjectPaste" not in {step["type"] for step in content["test_pipeline"]}
    nothing = Exported(TARGET, [ten_frame(split="val")]).files["paintpipe_bevfusion.yaml"]
    assert b"ObjectPaste" not in nothing
    assert yaml.safe_load(nothing)["train_pipeline"]
    few = Exported(TARGET, [thinned(ten_frame(), "vehicle.bicycle", 2)], sweeps=0)
    assert "bicycle" in pickles.loads(few.files["nuscenes_dbinfos_train.pkl"])
    assert b"bicycle: " not in few.files["paintpipe_bevfusion.yaml"]


@pytest.mark.parametrize(("asked", "read"), [(None, 9), (10, 9), (3, 3), (0, 0)])
def test_the_loader_is_told_to_stack_as_many_sweeps_as_there_are(asked: int | None, read: int) -> None:
    content = yaml.safe_load(Exported(TARGET, [ten_frame()], sweeps=asked).files["paintpipe_bevfusion.yaml"])
    for pipeline in ("train_pipeline", "test_pipeline"):
        steps = {step["type"]: step for step in content[pipeline]}
        assert steps["LoadPointsFromMultiSweeps"]["sweeps_num"] == read


def test_no_sweeps_leave_the_keyframe_alone() -> None:
    alone = Exported(TARGET, [ten_frame()], sweeps=0)
    (car,) = pickles.loads(alone.files["nuscenes_dbinfos_train.pkl"])["car"]
    assert car["num_points_in_gt"] == POINTS_IN_BOX


def test_no_damage_to_a_pickle_stops_the_check(exported: Exported) -> None:
    rng = np.random.default_rng(5)
    for path in [path for path in exported.files if path.endswith((".pkl", "pkl.npy"))][::2]:
        whole = exported.files[path]
        for place in rng.integers(0, len(whole), 12):
            exported.files[path] = whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :]
            assert all(isinstance(line, str) for line in exported.faults())
        exported.files[path] = whole


def test_each_kind_of_damage_is_found(exported: Exported) -> None:
    def faults_with(path: str, content: bytes) -> list[str]:
        before = exported.files[path]
        exported.files[path] = content
        try:
            return exported.faults()
        finally:
            exported.files[path] = before

    path = next(path for path in exported.files if path.startswith("virtual_points/sweeps"))
    item = loads_item(exported.files[path])
    item["real_points"][1, 5] += np.float32(2**-11)
    assert any("1 points differ" in line for line in faults_with(path, dumps_item(item)))
    assert any(
        "beyond" in line
        for line in faults_with(path, dumps_item(item | {"real_points_indice": item["real_points_indice"] + 1}))
    )
    assert any("other keys" in line for line in faults_with(path, dumps_item([1])))
    assert any("than arrays" in line for line in faults_with(path, dumps_item(item | {"real_points": 3})))
    content = pickles.loads(exported.files[INFOS.format("train")])
    content["infos"][0]["sweeps"].reverse()
    assert any("out of order" in line for line in faults_with(INFOS.format("train"), pickles.dumps(content)))
    content["infos"][0]["gt_velocity"] += 1
    assert any("boxes differ" in line for line in faults_with(INFOS.format("train"), pickles.dumps(content)))
    for place, key in (
        (lambda info: info, "location"),
        (lambda info: info, "lidar2ego_rotation"),
        (lambda info: info["sweeps"][1], "sensor2lidar_translation"),
        (lambda info: info["cams"]["CAM_BACK"], "camera_intrinsics"),
    ):
        content = pickles.loads(exported.files[INFOS.format("train")])
        del place(content["infos"][0])[key]
        assert any(f"without {key}" in line for line in faults_with(INFOS.format("train"), pickles.dumps(content)))
    infos = pickles.loads(exported.files[DB_INFOS])
    del infos["car"][0]["difficulty"]
    assert any("no difficulty" in line for line in faults_with(DB_INFOS, pickles.dumps(infos)))
    infos = pickles.loads(exported.files[DB_INFOS])
    infos["car"][0]["box3d_lidar"][0] += 1
    assert any("another box" in line for line in faults_with(DB_INFOS, pickles.dumps(infos)))
    del infos["car"]
    assert any("3 objects, expected 4" in line for line in faults_with(DB_INFOS, pickles.dumps(infos)))


def test_a_frame_without_poses() -> None:
    frame = ten_frame()
    bare = replace(frame, row=replace(frame.row, global_SE3_ego=None))
    with pytest.raises(ExportError, match="pose unknown"):
        Exported(TARGET, [bare])


def test_an_option_that_it_does_not_know() -> None:
    with pytest.raises(ConfigError, match="no option 'painted'"):
        TARGET.settle(ExportSettings(options=(("painted", "no"),)), "nuscenes", ("x", "y", "z", "intensity", "ring"))
