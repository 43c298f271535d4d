import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.export_frames import POINTS_IN_BOX
from support.ten_scores import Exported, ten_facts, ten_frame, thinned

from paintpipe.schemas.errors import ConfigError, ExportError
from paintpipe.schemas.export import ExportSettings
from paintpipe.stages.export import pickles
from paintpipe.stages.export.centerpoint.target import CenterPointTarget
from paintpipe.stages.export.npy import dumps_array, dumps_item, loads_array, loads_item

TARGET = CenterPointTarget()
FEATURES = ("x", "y", "z", "intensity", "ring")
INFOS = "infos_{}_10sweeps_withvelo_filter_True.pkl"
DB_INFOS = "dbinfos_train_10sweeps_withvelo_{}.pkl"


@pytest.fixture(scope="module")
def exported() -> Exported:
    frames = [ten_frame(index=index, num_sweeps=3, split=split) for index, split in enumerate(("train", "val"))]
    return Exported(TARGET, frames)


def test_reads_back_without_a_fault(exported: Exported) -> None:
    assert exported.faults() == []


def test_painted_rows_are_the_point_file_and_ten_scores(exported: Exported) -> None:
    for frame in exported.frames:
        folder, name = frame.row.points_path.split("/")[0], frame.row.points_path.split("/")[-1]
        table = loads_array(exported.files[f"{folder}/painted_LIDAR_TOP/{name}.npy"])
        assert (table.dtype, table.shape) == (np.float32, (len(frame.points), 15))
        assert table[:, :5].tobytes() == frame.points.tobytes()
        assert table[:, 5:].tobytes() == frame.scores.tobytes()


def test_the_dict_lists_points_whose_best_class_is_an_object(exported: Exported) -> None:
    frame = exported.frames[-1]
    item = loads_item(exported.files["samples/LIDAR_TOP_VIRTUAL/" + frame.row.points_path.split("/")[-1] + ".pkl.npy"])
    background = exported.facts.taxonomy.index("background")
    expected = np.flatnonzero((frame.label != background) & (frame.label != 255))
    assert item["real_points_indice"].tolist() == expected.tolist()
    assert 0 < len(expected) < len(frame.points)
    np.testing.assert_array_equal(item["real_points"][:, :4], frame.points[expected, :4])
    np.testing.assert_array_equal(item["real_points"][:, 4:14], frame.scores[expected])
    np.testing.assert_array_equal(item["real_points"][:, 14], frame.scores[expected].max(axis=1))
    assert item["virtual_points"].shape == (0, 14)


def test_a_keyframe_has_nine_sweeps_in_order_the_last_one_repeated(exported: Exported) -> None:
    (info,) = pickles.loads(exported.files[INFOS.format("val")])
    assert [round(sweep["time_lag"], 6) for sweep in info["sweeps"]] == [0.05, 0.1, 0.15] + [0.15] * 6
    sweep, frame = info["sweeps"][1], exported.frames[-1]
    assert sweep["lidar_path"] == "data/nuScenes/" + frame.sweeps[1].row.points_path
    np.testing.assert_allclose(sweep["transform_matrix"], frame.sweeps[1].frame_SE3_sweep, atol=1e-12)
    np.testing.assert_allclose(info["car_from_global"] @ frame.row.global_SE3_ego, np.eye(4), atol=1e-12)


def test_the_first_keyframe_of_a_scene_stands_in_for_its_sweeps() -> None:
    exported = Exported(TARGET, [ten_frame()])
    assert exported.faults() == []
    (info,) = pickles.loads(exported.files[INFOS.format("train")])
    itself = {"transform_matrix": None, "time_lag": 0, "lidar_path": info["lidar_path"]}
    assert len(info["sweeps"]) == 9
    assert all(sweep.items() >= itself.items() for sweep in info["sweeps"])
    (car,) = pickles.loads(exported.files[DB_INFOS.format("painted")])["car"]
    assert car["num_points_in_gt"] == 10 * POINTS_IN_BOX


def test_boxes_are_centre_width_length_height_velocity_and_a_clockwise_angle(exported: Exported) -> None:
    (info,) = pickles.loads(exported.files[INFOS.format("train")])
    np.testing.assert_allclose(
        info["gt_boxes"][0], [4.0, 10.0, -0.9, 1.9, 4.5, 1.6, 3.0, 0.5, -1.4 - np.pi / 2], atol=1e-12
    )
    assert info["gt_names"].tolist() == ["car", "pedestrian", "bicycle", "barrier", "ignore"]
    assert np.isnan(info["gt_boxes"][2, 6:8]).all()
    assert info["gt_boxes_velocity"].shape == (5, 3)
    assert info["gt_boxes_token"].tolist() == [box.annotation_token for box in exported.frames[3].boxes]


def test_boxes_without_lidar_points_are_left_out() -> None:
    frame = ten_frame()
    boxes = tuple(replace(box, num_lidar_points=number % 2) for number, box in enumerate(frame.boxes))
    exported = Exported(TARGET, [replace(frame, boxes=boxes)])
    assert exported.faults() == []
    (info,) = pickles.loads(exported.files[INFOS.format("train")])
    assert info["gt_names"].tolist() == ["pedestrian", "barrier"]
    (barrier,) = pickles.loads(exported.files[DB_INFOS.format("virtual")])["barrier"]
    assert (barrier["gt_idx"], barrier["group_id"]) == (1, 1)


@pytest.mark.parametrize(("form", "width"), [("painted", 15), ("virtual", 16)])
def test_the_database_holds_training_objects_of_the_ten_classes(exported: Exported, form: str, width: int) -> None:
    infos = pickles.loads(exported.files[DB_INFOS.format(form)])
    assert sorted(infos) == ["barrier", "bicycle", "car", "pedestrian"]
    (train,) = pickles.loads(exported.files[INFOS.format("train")])
    frame = exported.frames[3]
    for name, (item,) in infos.items():
        assert item["path"].startswith(f"gt_database_10sweeps_withvelo_{form}/{name}/{frame.row.sample_token}_")
        rows = np.frombuffer(exported.files[item["path"]], dtype=np.float32).reshape(-1, width)
        assert len(rows) == item["num_points_in_gt"]
        own = rows[rows[:, width - 2] == 1] if form == "virtual" else rows
        assert len(own) == POINTS_IN_BOX
        box = frame.boxes[item["gt_idx"]]
        back = np.sort(own[:, :3] + box.center_m.astype(np.float32), axis=0)
        expected = [point for point in frame.points if np.abs(point[:3] - box.center_m).max() < 5 and point[2] < 1]
        np.testing.assert_allclose(back, np.sort(np.array(expected)[:, :3], axis=0), atol=1e-6)
        velocity = np.nan_to_num(train["gt_boxes"][item["gt_idx"], 6:8])
        np.testing.assert_array_equal(item["box3d_lidar"][6:8], velocity.astype(np.float32))
        assert (rows[:, -1] == 0).all()


def test_the_test_set_has_no_boxes() -> None:
    exported = Exported(TARGET, [ten_frame(split="test")])
    assert exported.faults() == []
    (info,) = pickles.loads(exported.files["infos_test_10sweeps_withvelo.pkl"])
    assert "gt_boxes" not in info
    assert pickles.loads(exported.files[INFOS.format("train")]) == []


def test_one_form_alone() -> None:
    exported = Exported(TARGET, [ten_frame()], options=(("virtual", "false"),))
    assert exported.faults() == []
    assert not any("VIRTUAL" in path or "virtual" in path for path in exported.files)


def test_the_fragment_is_python_and_pastes_only_what_there_is(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "fragment.py").write_bytes(exported.files["paintpipe_centerpoint.py"])
    settings = runpy.run_path(str(tmp_path / "fragment.py"))
    assert settings["num_point_features_virtual"] == 16
    assert settings["train_anno"] == "data/nuScenes/" + INFOS.format("train")
    groups = settings["db_sampler_virtual"]["sample_groups"]
    assert groups == [{"car": 2}, {"barrier": 2}, {"bicycle": 6}, {"pedestrian": 2}]


def test_a_class_whose_objects_the_sampler_filters_out_is_not_pasted(tmp_path: Path) -> None:
    few = Exported(TARGET, [thinned(ten_frame(), "vehicle.bicycle", 2)], sweeps=0)
    (tmp_path / "fragment.py").write_bytes(few.files["paintpipe_centerpoint.py"])
    settings = runpy.run_path(str(tmp_path / "fragment.py"))
    assert pickles.loads(few.files["dbinfos_train_1sweeps_withvelo_painted.pkl"])["bicycle"][0]["num_points_in_gt"] == 2
    for form in ("painted", "virtual"):
        sampler = settings[f"db_sampler_{form}"]
        assert sampler["sample_groups"] == [{"car": 2}, {"barrier": 2}, {"pedestrian": 2}]
        assert list(sampler["db_prep_steps"][0]["filter_by_min_num_points"]) == ["car", "barrier", "pedestrian"]


def damaged(exported: Exported, path: str, content: bytes | None) -> list[str]:
    before = exported.files[path]
    try:
        if content is None:
            del exported.files[path]
        else:
            exported.files[path] = content
        return exported.faults()
    finally:
        exported.files[path] = before


def test_no_damage_to_a_pickle_stops_the_check(exported: Exported) -> None:
    rng = np.random.default_rng(5)
    for path in [path for path in exported.files if path.endswith((".pkl", "pkl.npy"))][::2]:
        whole = exported.files[path]
        for place in rng.integers(0, len(whole), 12):
            exported.files[path] = whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :]
            assert all(isinstance(line, str) for line in exported.faults())
        exported.files[path] = whole


def test_each_kind_of_damage_is_found(exported: Exported) -> None:
    key = next(path for path in exported.files if path.startswith("samples/painted"))
    table = loads_array(exported.files[key])
    table[2, 7] += np.float32(2**-11)
    assert any(
        "1 points differ from the store, the first is row 2" in line
        for line in damaged(exported, key, dumps_array(table))
    )
    assert any("float64" in line for line in damaged(exported, key, dumps_array(table.astype(float))))
    assert damaged(exported, key, None)
    virtual = next(path for path in exported.files if path.startswith("sweeps/LIDAR_TOP_VIRTUAL"))
    item = loads_item(exported.files[virtual])
    for key_, value in (
        ("real_points_indice", item["real_points_indice"] + 1000),
        ("virtual_points", np.zeros((1, 14))),
    ):
        assert damaged(exported, virtual, dumps_item(item | {key_: value}))
    sample = next(path for path in exported.files if path.endswith("car_0.bin"))
    content = bytearray(exported.files[sample])
    content[3] ^= 1
    assert any("other points" in line for line in damaged(exported, sample, bytes(content)))
    assert any("bytes" in line for line in damaged(exported, sample, bytes(content[:-60])))
    infos = pickles.loads(exported.files[INFOS.format("train")])
    del infos[0]["sweeps"][2]["transform_matrix"]
    lines = damaged(exported, INFOS.format("train"), pickles.dumps(infos))
    assert any("without transform_matrix" in line for line in lines)
    infos = pickles.loads(exported.files[INFOS.format("train")])
    infos[0]["sweeps"] = infos[0]["sweeps"][::-1]
    assert any("out of order" in line for line in damaged(exported, INFOS.format("train"), pickles.dumps(infos)))
    infos[0]["sweeps"], infos[0]["gt_boxes"] = [], infos[0]["gt_boxes"] * 2
    lines = damaged(exported, INFOS.format("train"), pickles.dumps(infos))
    assert any("boxes" in line for line in lines)
    assert any("0 sweeps" in line for line in lines)
    for path in (INFOS.format("val"), DB_INFOS.format("virtual")):
        assert damaged(exported, path, b"nonsense")
        assert damaged(exported, path, None)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"background": "keep"}, "11 score columns"),
        ({"fov_only": True}, "fov-only"),
        ({"fill": "nearest"}, "fill"),
        ({"sweeps": 11}, "--sweeps 11"),
        ({"pad_channels": 12}, "pad-channels"),
        ({"options": (("painted", "no"), ("virtual", "no"))}, "without painted and without virtual"),
        ({"options": (("colour", "yes"),)}, "no option 'colour'"),
        ({"classes": ("car", "lorry")}, "lorry"),
    ],
)
def test_settings_that_the_loader_has_no_room_for(settings: dict, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        TARGET.settle(ExportSettings(**settings), "nuscenes", FEATURES)


def test_another_dataset() -> None:
    with pytest.raises(ConfigError, match="nuScenes alone"):
        TARGET.settle(ExportSettings(), "kitti", ("x", "y", "z", "intensity"))


def test_fewer_classes_are_padded_to_ten() -> None:
    facts = ten_facts(TARGET, classes=("pedestrian", "car"))
    assert facts.channels == ("pedestrian", "car", *(f"pad{number}" for number in range(8)))


@pytest.mark.parametrize("path", ["name.bin", "LIDAR_TOP/name.bin", "/a/b/name.bin", "a/../b/name.bin"])
def test_a_path_that_the_loader_can_not_take_apart(path: str) -> None:
    frame = ten_frame()
    with pytest.raises(ExportError, match="take apart"):
        TARGET.export(replace(frame, row=replace(frame.row, points_path=path)), ten_facts(TARGET))
