"""Scenes, splits, versions and frames of a small dataset."""

from pathlib import Path

import numpy as np
import pytest
from support.ingest import write
from support.nuscenes_tables import SCENES, make_tables, open_small, write_dataset, write_tables

from paintpipe.pipeline.roots import LocalRoot
from paintpipe.schemas.catalog import BOXES, FRAMES, IMAGES, rows_to_table
from paintpipe.schemas.errors import ConfigError, InputFileError
from paintpipe.stages.ingest.reader import IngestOptions, open_dataset


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nuscenes")
    write_dataset(folder)
    return folder


def test_opens_by_name_and_reads_keyframes(root: Path) -> None:
    reader = open_dataset("nuscenes", LocalRoot(root), IngestOptions())
    assert reader.sequences() == list(SCENES)
    rows = reader.read("scene-0103", None)
    assert rows.rejected == reader.rejected == []
    assert [frame.frame_id for frame in rows.frames] == [f"scene-0103-LIDAR_TOP-{step}" for step in (0, 10, 20)]
    assert [frame.index for frame in rows.frames] == [0, 1, 2]
    assert [frame.sample_token for frame in rows.frames] == [f"scene-0103-s{step}" for step in range(3)]
    assert all(frame.is_keyframe and frame.sweep_token == frame.frame_id for frame in rows.frames)
    assert [frame.timestamp_us for frame in rows.frames] == [2_000_000_000, 2_000_500_000, 2_001_000_000]
    assert rows.frames[0].num_points == 30
    assert rows.frames[0].point_features == ("x", "y", "z", "intensity", "ring")
    assert [(row.index, row.camera) for row in rows.images] == [
        (index, camera) for index in range(3) for camera in ("CAM_BACK", "CAM_FRONT")
    ]


def test_rows_fit_the_schemas(root: Path) -> None:
    rows = open_small(root, sweeps=True).read("scene-0061", None)
    assert rows_to_table(rows.frames, FRAMES).num_rows == 21
    assert rows_to_table(rows.images, IMAGES).num_rows == 42
    assert rows_to_table(rows.boxes, BOXES).num_rows == 4


def test_previous_sweeps_follow_the_chain_nearest_first(root: Path) -> None:
    frames = open_small(root).read("scene-0061", None).frames
    assert frames[0].previous_sweeps == ()
    assert frames[1].previous_sweeps == tuple(f"scene-0061-LIDAR_TOP-{step}" for step in range(9, -1, -1))
    assert frames[2].previous_sweeps == tuple(f"scene-0061-LIDAR_TOP-{step}" for step in range(19, 9, -1))
    between = open_small(root, sweeps=True).read("scene-0061", None).frames
    assert between[3].previous_sweeps == tuple(f"scene-0061-LIDAR_TOP-{step}" for step in (2, 1, 0))


def test_limit_keeps_the_first_frames_and_their_rows(root: Path) -> None:
    rows = open_small(root, sweeps=True).read("scene-0061", 11)
    assert [frame.index for frame in rows.frames] == list(range(11))
    assert [frame.is_keyframe for frame in rows.frames] == [True, *[False] * 9, True]
    assert {row.index for row in rows.images} == set(range(11))
    assert {row.index for row in rows.boxes} == {0, 10}
    assert open_small(root).read("scene-0061", 0).frames == []


def test_splits_are_the_official_ones(root: Path, tmp_path: Path) -> None:
    reader = open_small(root)
    assert [reader.read(scene, 1).frames[0].split for scene in SCENES] == ["mini_train", "mini_val"]
    assert open_small(root, split="mini_val").sequences() == ["scene-0103"]
    assert open_small(root, split="val").sequences() == ["scene-0103"]
    assert open_small(root, split="train").sequences() == ["scene-0061"]
    write_dataset(tmp_path)
    (tmp_path / "v1.0-mini").rename(tmp_path / "v1.0-trainval")
    assert open_small(tmp_path).read("scene-0061", 1).frames[0].split == "train"


def test_unknown_selections_say_what_there_is(root: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown split 'nope'.*mini_train.*val"):
        open_small(root, split="nope")
    with pytest.raises(ConfigError, match="no scene of split 'test' is here"):
        open_small(root, split="test")
    with pytest.raises(ConfigError, match=r"no sequence scene-9999; expected some of scene-0061, scene-0103"):
        open_small(root, sequences=("scene-9999",))


def test_a_selected_scene_has_the_same_rows_alone(root: Path) -> None:
    alone, among = open_small(root, sequences=("scene-0103",)), open_small(root)
    assert alone.sequences() == ["scene-0103"]
    mine, theirs = (reader.read("scene-0103", None) for reader in (alone, among))
    for schema, name in ((FRAMES, "frames"), (IMAGES, "images"), (BOXES, "boxes")):
        assert rows_to_table(getattr(mine, name), schema).equals(rows_to_table(getattr(theirs, name), schema))


def test_the_version_is_found_or_chosen(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no nuScenes tables are here"):
        open_small(tmp_path)
    write_dataset(tmp_path)
    assert open_small(tmp_path).version == "v1.0-mini"
    with pytest.raises(ConfigError, match=r"no version 'v1.0-test' here; expected one of those here: v1.0-mini"):
        open_small(tmp_path, version="v1.0-test")
    write_tables(tmp_path, make_tables(), "v1.0-trainval")
    with pytest.raises(ConfigError, match=r"several versions are here: v1\.0-mini, v1\.0-trainval; choose one"):
        open_small(tmp_path)
    assert open_small(tmp_path, version="v1.0-trainval").version == "v1.0-trainval"


def test_lidarseg_labels_where_they_fit(tmp_path: Path) -> None:
    tables = make_tables()
    tables["lidarseg"] = [
        {"token": token, "sample_data_token": token, "filename": f"lidarseg/{token}.bin"}
        for token in (f"scene-0061-LIDAR_TOP-{step}" for step in (0, 10, 20))
    ]
    write_dataset(tmp_path, tables)
    write(tmp_path / "lidarseg" / "scene-0061-LIDAR_TOP-0.bin", bytes(30))
    write(tmp_path / "lidarseg" / "scene-0061-LIDAR_TOP-10.bin", bytes(31))
    reader = open_small(tmp_path)
    assert reader.labels_taxonomy == "nuscenes16"
    rows = reader.read("scene-0061", None)
    assert [frame.labels_path for frame in rows.frames] == ["lidarseg/scene-0061-LIDAR_TOP-0.bin", None, None]
    assert [frame.labels_format for frame in rows.frames] == ["uint8", None, None]
    assert [(row.path, row.reason.split(";")[0]) for row in rows.rejected] == [
        ("lidarseg/scene-0061-LIDAR_TOP-10.bin", "31 labels for 30 points"),
        ("lidarseg/scene-0061-LIDAR_TOP-20.bin", "absent"),
    ]


def test_a_synthetic_root_says_so(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    assert not open_small(tmp_path).synthetic
    write(tmp_path / "paintpipe-synth.json", "{}")
    assert open_small(tmp_path).synthetic


def test_a_version_without_boxes(tmp_path: Path) -> None:
    tables = make_tables() | {"sample_annotation": [], "instance": []}
    write_dataset(tmp_path, tables)
    reader = open_small(tmp_path)
    assert (reader.boxes_taxonomy, reader.rejected) == (None, [])
    rows = reader.read("scene-0061", None)
    assert (len(rows.frames), rows.boxes, rows.rejected) == (3, [], [])


def test_rows_do_not_depend_on_the_order_of_the_tables(root: Path, tmp_path: Path) -> None:
    tables = make_tables()
    rng = np.random.default_rng(3)
    for name in ("scene", "sample", "sample_data", "ego_pose", "calibrated_sensor"):
        tables[name] = [tables[name][place] for place in rng.permutation(len(tables[name]))]
    write_dataset(tmp_path, tables)
    for schema, name in ((FRAMES, "frames"), (IMAGES, "images"), (BOXES, "boxes")):
        sorted_rows, shuffled = (
            getattr(open_small(folder, sweeps=True).read("scene-0061", None), name) for folder in (root, tmp_path)
        )
        assert rows_to_table(sorted_rows, schema).equals(rows_to_table(shuffled, schema))
