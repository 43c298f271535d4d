"""The export as OpenPCDet reads it; the loaders' rules are written out here once more, from its source."""

import io
import pickle
import types
from dataclasses import replace

import numpy as np
import pytest
import yaml
from support.export_frames import POINTS_IN_BOX, make_done, make_export_frame, make_facts

from paintpipe.schemas.errors import ConfigError, ExportError
from paintpipe.schemas.export import ExportSettings
from paintpipe.stages.export.openpcdet.target import CLASS_FILE, OpenPCDetTarget, class_file

TARGET = OpenPCDetTarget()
WIDTHS = {"kitti": 4 + 4, "nuscenes": 4 + 11}


def exported(frames, facts):
    """All files of an export by path, and its frames as `finish` sees them."""
    files, done = {}, []
    for frame in frames:
        one = TARGET.export(frame, facts)
        files |= one.files
        done.append(make_done(frame, **one.facts))
    return files | dict(TARGET.finish(done, facts)), done


def drive(dataset):
    splits = ("train", "train", "val", "test")
    return [make_export_frame(dataset, index=index, split=split) for index, split in enumerate(splits)]


def config(text):
    """As EasyDict does: keys are attributes too."""

    class Node(dict):
        __getattr__ = dict.__getitem__

    def wrap(value):
        if isinstance(value, dict):
            return Node({key: wrap(item) for key, item in value.items()})
        return [wrap(item) for item in value] if isinstance(value, list) else value

    return wrap(yaml.safe_load(text))


class Template:
    """The part of `pcdet/datasets/dataset.py` `DatasetTemplate` that a dataset class leans on, without augmentation."""

    def __init__(self, dataset_cfg=None, class_names=None, training=True, root_path=None, logger=None):
        self.dataset_cfg, self.class_names, self.training, self.root_path = (
            dataset_cfg,
            class_names,
            training,
            root_path,
        )
        self.total_epochs, self._merge_all_iters_to_one_epoch = 0, False

    @property
    def mode(self):
        return "train" if self.training else "test"

    def prepare_data(self, data_dict):
        if self.training:
            assert "gt_boxes" in data_dict
        if data_dict.get("gt_boxes") is not None:
            kept = np.array([i for i, name in enumerate(data_dict["gt_names"]) if name in self.class_names], np.int64)
            names, boxes = data_dict["gt_names"][kept], data_dict["gt_boxes"][kept]
            classes = np.array([self.class_names.index(name) + 1 for name in names], np.int32)
            boxes = np.concatenate((boxes, classes.reshape(-1, 1).astype(np.float32)), axis=1)
            data_dict |= {"gt_names": names, "gt_boxes": boxes}
        encoding = self.dataset_cfg.POINT_FEATURE_ENCODING
        assert encoding.encoding_type == "absolute_coordinates_encoding"
        assert encoding.src_feature_list[:3] == ["x", "y", "z"]
        used = [encoding.src_feature_list.index(name) for name in encoding.used_feature_list]
        return data_dict | {"points": data_dict["points"][:, used]}


@pytest.fixture
def painted_dataset(monkeypatch):
    """The emitted class over the stand-in."""
    modules = {name: types.ModuleType(name) for name in ("pcdet", "pcdet.datasets", "pcdet.datasets.dataset")}
    modules["pcdet.datasets.dataset"].DatasetTemplate = Template
    for name, module in modules.items():
        monkeypatch.setitem(__import__("sys").modules, name, module)
    space = {}
    exec(compile(class_file(), CLASS_FILE, "exec"), space)
    return space["PaintedDataset"]


def write(files, folder):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@pytest.mark.parametrize("dataset", ["kitti", "nuscenes"])
def test_points_are_those_of_the_store_bit_for_bit(dataset):
    frame, facts = make_export_frame(dataset), make_facts(dataset)
    name = frame.row.frame_id if dataset == "kitti" else frame.row.sample_token
    points = np.load(io.BytesIO(TARGET.export(frame, facts).files[f"points/{name}.npy"]))
    assert (points.dtype, points.shape) == (np.float32, (len(frame.points), WIDTHS[dataset]))
    assert points[:, :4].tobytes() == np.ascontiguousarray(frame.points[:, :4]).tobytes()
    assert points[:, 4:].tobytes() == frame.scores.tobytes()


def test_files_are_called_as_published():
    files, _ = exported(drive("kitti"), make_facts())
    fixed = {f"{kind}_{split}.pkl" for kind in ("custom_infos",) for split in ("train", "val", "test")}
    fixed |= {f"ImageSets/{split}.txt" for split in ("train", "val", "test")}
    fixed |= {"custom_dbinfos_train.pkl", "painted_dataset.yaml", CLASS_FILE}
    frames = {f"points/00000{i}.npy" for i in range(3)} | {f"labels/00000{i}.txt" for i in range(3)}
    objects = {
        f"gt_database/00000{i}_{name}_{k}.bin"
        for i in (0, 1)
        for k, name in enumerate(["Car", "Pedestrian", "Cyclist"])
    }
    assert set(files) == fixed | frames | objects | {"points/000003.npy"}
    assert files["ImageSets/train.txt"] == b"000000\n000001\n"


@pytest.mark.parametrize("dataset", ["kitti", "nuscenes"])
def test_labels_and_infos_hold_the_boxes_of_the_catalog(dataset):
    frames, facts = drive(dataset), make_facts(dataset)
    files, _ = exported(frames, facts)
    infos = pickle.loads(files["custom_infos_train.pkl"])
    assert [info["point_cloud"]["lidar_idx"] for info in infos] == files["ImageSets/train.txt"].decode().split()
    for info, frame in zip(infos, frames, strict=False):
        assert info["point_cloud"]["num_features"] == WIDTHS[dataset]
        lines = files[f"labels/{info['point_cloud']['lidar_idx']}.txt"].decode().splitlines()
        for line, box, row in zip(lines, frame.boxes, info["annos"]["gt_boxes_lidar"], strict=True):
            numbers = [float(word) for word in line.split(" ")[:-1]]
            assert numbers == [*box.center_m, *box.size_lwh_m, box.yaw_rad]
            np.testing.assert_array_equal(row[:7], np.float32(numbers))
        assert info["annos"]["name"].tolist() == [line.split(" ")[-1] for line in lines]
        assert info["annos"]["num_points_in_gt"].tolist() == [POINTS_IN_BOX] * len(frame.boxes)
    assert "annos" not in pickle.loads(files["custom_infos_test.pkl"])[0]


def test_nuscenes_names_are_those_of_detection_and_boxes_have_velocities():
    files, _ = exported(drive("nuscenes"), make_facts("nuscenes"))
    annos = pickle.loads(files["custom_infos_val.pkl"])[0]["annos"]
    assert annos["name"].tolist() == ["car", "pedestrian", "bicycle", "barrier", "ignore"]
    np.testing.assert_array_equal(
        annos["gt_boxes_lidar"][:, 7:], np.float32([[3.0, 0.5], [0.9, -0.1], [0, 0], [0, 0], [0, 0]])
    )


def test_names_have_room_for_those_that_evaluation_writes_over_them():
    files, _ = exported(drive("kitti"), make_facts())
    names = pickle.loads(files["custom_infos_val.pkl"])[0]["annos"]["name"]
    names[0] = "Person_sitting"
    assert names[0] == "Person_sitting"


@pytest.mark.parametrize("dataset", ["kitti", "nuscenes"])
def test_database_holds_the_painted_points_relative_to_the_box_centre(dataset):
    frames, facts = drive(dataset), make_facts(dataset)
    files, _ = exported(frames, facts)
    index = pickle.loads(files["custom_dbinfos_train.pkl"])
    classes = yaml.safe_load(files["painted_dataset.yaml"])["CLASS_NAMES"]
    assert list(index) == classes  # a missing class is a KeyError in DataBaseSampler.__init__
    assert sum(map(len, index.values())) == (6 if dataset == "kitti" else 8)
    frame = frames[1]
    entry = next(item for item in index[classes[0]] if item["path"].split("/")[1].startswith(_name(frame)))
    sample = np.frombuffer(files[entry["path"]], np.float32).reshape(-1, WIDTHS[dataset]).copy()
    assert len(sample) == entry["num_points_in_gt"] == POINTS_IN_BOX
    assert (np.abs(sample[:, :3]) <= np.linalg.norm(frame.boxes[0].size_lwh_m)).all()
    sample[:, :3] += entry["box3d_lidar"][:3].astype(np.float32)  # add_sampled_boxes_to_scene
    table = np.hstack([frame.points[:, :4], frame.scores])
    rows = [int(np.abs(table - row).sum(axis=1).argmin()) for row in sample]
    assert sorted(rows) == rows
    np.testing.assert_array_equal(sample[:, 3:], table[rows, 3:])
    np.testing.assert_allclose(sample[:, :3], table[rows, :3], atol=5e-7)


def _name(frame):
    return frame.row.sample_token if frame.row.sequence.startswith("scene") else frame.row.frame_id


def test_classes_without_an_object_are_listed_and_not_sampled():
    files, _ = exported([make_export_frame("nuscenes")], make_facts("nuscenes"))
    settings = yaml.safe_load(files["painted_dataset.yaml"])
    sampling = settings["DATA_AUGMENTOR"]["AUG_CONFIG_LIST"][0]
    assert [group.split(":")[0] for group in sampling["SAMPLE_GROUPS"]] == ["car", "barrier", "bicycle", "pedestrian"]
    assert pickle.loads(files["custom_dbinfos_train.pkl"])["truck"] == []


def test_without_any_object_nothing_is_sampled():
    files, _ = exported([make_export_frame(boxes=())], make_facts())
    steps = yaml.safe_load(files["painted_dataset.yaml"])["DATA_AUGMENTOR"]["AUG_CONFIG_LIST"]
    assert [step["NAME"] for step in steps] == ["random_world_flip", "random_world_rotation", "random_world_scaling"]
    assert pickle.loads(files["custom_infos_train.pkl"])[0]["annos"]["gt_boxes_lidar"].shape == (0, 7)


def test_configuration_names_every_column():
    settings = config(exported(drive("kitti"), make_facts())[0]["painted_dataset.yaml"])
    scores = ["score_car", "score_pedestrian", "score_cyclist", "score_background"]
    assert settings.POINT_FEATURE_ENCODING.src_feature_list == ["x", "y", "z", "intensity", *scores]
    assert settings.DATA_AUGMENTOR.AUG_CONFIG_LIST[0].NUM_POINT_FEATURES == 8
    assert settings.CLASS_NAMES == ["Car", "Pedestrian", "Cyclist"]
    low, high = np.array(settings.POINT_CLOUD_RANGE).reshape(2, 3)
    cells = (high - low) / np.array(settings.DATA_PROCESSOR[2].VOXEL_SIZE)
    assert cells.round(6).tolist() == [1408, 1600, 40]  # multiples of 16, and 40 (CUSTOM_DATASET_TUTORIAL.md)


@pytest.mark.parametrize("dataset", ["kitti", "nuscenes"])
def test_the_class_that_comes_with_the_export_reads_it(dataset, painted_dataset, tmp_path):
    frames, facts = drive(dataset), make_facts(dataset)
    files, _ = exported(frames, facts)
    settings = config(files["painted_dataset.yaml"])
    data = painted_dataset(settings, settings.CLASS_NAMES, True, write(files, tmp_path))
    assert len(data) == 2
    item = data[1]
    assert item["frame_id"] == _name(frames[1])
    np.testing.assert_array_equal(item["points"], np.hstack([frames[1].points[:, :4], frames[1].scores]))
    wanted = ["Car", "Pedestrian", "Cyclist"] if dataset == "kitti" else ["car", "pedestrian", "bicycle", "barrier"]
    assert item["gt_names"].tolist() == wanted
    assert item["gt_boxes"].shape == (len(wanted), 8 if dataset == "kitti" else 10)
    assert item["gt_boxes"].dtype == np.float32
    assert len(painted_dataset(settings, settings.CLASS_NAMES, False, tmp_path)) == 1


def test_the_class_refuses_files_of_another_width(painted_dataset, tmp_path):
    files, _ = exported(drive("kitti"), make_facts())
    settings = config(files["painted_dataset.yaml"])
    settings["POINT_FEATURE_ENCODING"]["src_feature_list"] = ["x", "y", "z", "intensity"]
    with pytest.raises(ValueError, match="expected 4 columns"):
        painted_dataset(settings, settings.CLASS_NAMES, True, write(files, tmp_path))[0]


def test_the_class_leaves_velocities_out_where_the_head_has_none(painted_dataset, tmp_path):
    files, _ = exported(drive("nuscenes"), make_facts("nuscenes"))
    settings = config(files["painted_dataset.yaml"])
    settings["PRED_VELOCITY"] = False
    data = painted_dataset(settings, settings.CLASS_NAMES, True, write(files, tmp_path))
    assert data[0]["gt_boxes"][:, 7].tolist() == [1, 9, 8, 6]


def test_the_class_leaves_out_boxes_that_nobody_can_see(painted_dataset, tmp_path):
    frame, facts = make_export_frame("nuscenes"), make_facts("nuscenes")
    far = replace(frame.boxes[0], center_m=frame.boxes[0].center_m + np.array([500.0, 0.0, 0.0]))
    files, _ = exported([replace(frame, boxes=(far, *frame.boxes[1:]))], facts)
    settings = config(files["painted_dataset.yaml"])
    data = painted_dataset(settings, settings.CLASS_NAMES, True, write(files, tmp_path))
    assert data[0]["gt_names"].tolist() == ["pedestrian", "bicycle", "barrier"]
    settings["FILTER_MIN_POINTS_IN_GT"] = 0
    assert data[0]["gt_names"].tolist() == ["car", "pedestrian", "bicycle", "barrier"]


ODD_NAMES = ("it's", 'a "b"', "a: b", "#x", "- y", "%s", "\\u0041", "grün", "夜", "\U0001f600", "~", "no", "1e3", "{z}")


def test_columns_may_be_called_anything_that_can_be_printed():
    features = ("x", "y", "z", *ODD_NAMES)
    facts = make_facts(features=features)
    frame = make_export_frame()
    points = np.zeros((len(frame.points), len(features)), np.float32)
    files, _ = exported([replace(frame, points=points)], facts)
    text = files["painted_dataset.yaml"]
    assert text.isascii()  # whatever encoding the machine reads it in
    for key in ("used_feature_list", "src_feature_list"):
        assert yaml.safe_load(text)["POINT_FEATURE_ENCODING"][key][: len(features)] == list(features)
    for name in ("a\nb", "a\x7f", "a\u2028b", "a\x85b"):
        with pytest.raises(ConfigError, match="expected a printable name"):
            TARGET.settle(ExportSettings(), "custom", (*features, name))


def test_sweeps_are_moved_to_the_keyframe_and_timed():
    settings = TARGET.settle(ExportSettings(sweeps=2), "nuscenes", make_facts("nuscenes").features)
    frame, facts = make_export_frame("nuscenes", num_sweeps=2), make_facts("nuscenes", settings=settings)
    files, _ = exported([frame], facts)
    points = np.load(io.BytesIO(files[f"points/{_name(frame)}.npy"]))
    names = yaml.safe_load(files["painted_dataset.yaml"])["POINT_FEATURE_ENCODING"]["src_feature_list"]
    assert names[:6] == ["x", "y", "z", "intensity", "timestamp", "score_car"]
    own, sweep = len(frame.points), frame.sweeps[0]
    assert points[:own, 4].tolist() == [0.0] * own
    assert points[own:, 4].tolist() == [np.float32(0.05)] * 9 + [np.float32(0.1)] * 9
    matrix = sweep.frame_SE3_sweep
    moved = sweep.points[:, :3].astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(points[own : own + 9, :3], moved, atol=1e-5)
    np.testing.assert_array_equal(points[own : own + 9, 5:], sweep.scores)
    assert list(TARGET.faults(frame, facts, files.__getitem__)) == []


@pytest.mark.parametrize("dataset", ["kitti", "nuscenes"])
def test_what_was_written_has_no_faults(dataset):
    frames, facts = drive(dataset), make_facts(dataset)
    files, done = exported(frames, facts)
    assert [fault for frame in frames for fault in TARGET.faults(frame, facts, files.__getitem__)] == []
    assert list(TARGET.finish_faults(done, facts, files.__getitem__)) == []


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("path", "spoil", "says"),
    [
        ("points/000000.npy", lambda content: flipped(content, -5), "1 of"),
        ("points/000000.npy", lambda content: content[:-4], "no array"),
        ("points/000000.npy", lambda content: b"", "no array"),
        ("labels/000000.txt", lambda content: content.replace(b"Car", b"Van", 1), "other classes"),
        ("labels/000000.txt", lambda content: content.replace(b"1", b"2", 1), "other boxes"),
        ("gt_database/000000_Car_0.bin", lambda content: flipped(content, -1), "other points"),
        ("gt_database/000000_Car_0.bin", lambda content: content[:-32], "other points"),
        ("gt_database/000000_Car_0.bin", lambda content: content[:-4], "no multiple of 8"),
    ],
)
def test_a_damaged_file_of_a_frame_is_found(path, spoil, says):
    frame, facts = make_export_frame(), make_facts()
    files, _ = exported([frame], facts)
    files[path] = spoil(files[path])
    faults = list(TARGET.faults(frame, facts, files.__getitem__))
    assert len(faults) == 1
    assert path in faults[0]
    assert says in faults[0]


@pytest.mark.parametrize(
    ("path", "spoil", "says"),
    [
        ("ImageSets/train.txt", lambda content: b"000001\n000000\n", "other frames"),
        ("custom_infos_train.pkl", lambda content: content[:-3], "no list"),
        ("custom_infos_val.pkl", lambda content: content.replace(b"000002", b"000009"), "is not that"),
        ("custom_infos_train.pkl", lambda content: pickle.dumps(pickle.loads(content)[::-1]), "is not that"),
        ("custom_dbinfos_train.pkl", lambda content: pickle.dumps({"Car": []}), "no lists"),
        ("custom_dbinfos_train.pkl", lambda content: content.replace(b"_Car_0", b"_Car_1"), "other objects"),
    ],
)
def test_a_damaged_list_is_found(path, spoil, says):
    facts = make_facts()
    files, done = exported(drive("kitti"), facts)
    files[path] = spoil(files[path])
    faults = list(TARGET.finish_faults(done, facts, files.__getitem__))
    assert faults
    assert all(path in fault and says in fault for fault in faults)


def test_settling():
    features = ("x", "y", "z", "intensity")
    kitti = TARGET.settle(ExportSettings(), "kitti", features)
    assert (kitti.taxonomy, kitti.background, kitti.sweeps) == ("kitti-det4", "keep", 0)
    assert TARGET.settle(ExportSettings(background="drop"), "kitti", features).background == "drop"
    assert TARGET.settle(ExportSettings(), "nuscenes", features).taxonomy == "nuscenes-det11"
    assert TARGET.settle(ExportSettings(), "custom", features).taxonomy == ""
    for bad in (ExportSettings(options=(("a", "b"),)), ExportSettings(fill="nearest"), ExportSettings(sweeps=3)):
        with pytest.raises(ConfigError):
            TARGET.settle(bad, "kitti", features)
    with pytest.raises(ConfigError, match="x, y, z first"):
        TARGET.settle(ExportSettings(), "custom", ("intensity", "x", "y", "z"))


def test_two_frames_of_one_name_are_an_error():
    frame, facts = make_export_frame(), make_facts()
    done = make_done(frame, **TARGET.export(frame, facts).facts)
    with pytest.raises(ExportError, match="two frames are called 000000"):
        TARGET.finish([done, done], facts)
