"""Boxes of a small dataset, against hand-made numbers and against the devkit on the same tables."""

from pathlib import Path

import numpy as np
import pytest
from support.nuscenes_tables import find, make_tables, open_small, reasons, write_dataset


def test_names_counts_and_sizes(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    boxes = open_small(tmp_path).read("scene-0061", None).boxes
    assert [(box.index, box.class_name, box.attribute) for box in boxes] == [
        (0, "vehicle.car", "vehicle.moving"),
        (0, "human.adult", "vehicle.moving, tall"),
        (1, "vehicle.car", "vehicle.moving"),
        (2, "vehicle.car", "vehicle.moving"),
    ]
    assert {(box.visibility, box.num_lidar_points) for box in boxes} == {("v80-100", 7)}
    assert (boxes[0].instance_token, boxes[0].annotation_token) == ("scene-0061-car", "scene-0061-car-0")
    np.testing.assert_array_equal(boxes[0].size_lwh_m, [4.5, 1.9, 1.6])
    assert {box.box_2d_px for box in boxes} == {None}


@pytest.mark.filterwarnings("ignore")
def test_place_and_velocity_are_those_of_the_devkit(tmp_path: Path) -> None:
    from nuscenes import NuScenes

    tables = make_tables(samples=5)
    # One box is seen again only after a gap that is too long for one side, and the last after one too long for both.
    find(tables, "sample", "scene-0061-s3")["timestamp"] += 1_700_000
    find(tables, "sample", "scene-0061-s4")["timestamp"] += 9_000_000
    write_dataset(tmp_path, tables)
    devkit = NuScenes("v1.0-mini", str(tmp_path), verbose=False)
    rows = open_small(tmp_path).read("scene-0061", None)
    known = 0
    for row in rows.boxes:
        frame = rows.frames[row.index]
        box = next(box for box in devkit.get_sample_data(frame.frame_id)[1] if box.token == row.annotation_token)
        np.testing.assert_allclose(row.center_m, box.center, atol=1e-6)
        assert abs(np.dot(row.rotation_wxyz, box.orientation.normalised.elements)) == pytest.approx(1, abs=1e-12)
        velocity = frame.global_SE3_lidar[:3, :3].T @ devkit.box_velocity(row.annotation_token)
        assert (row.velocity_mps is None) == bool(np.isnan(velocity).any())
        if row.velocity_mps is not None:
            known += 1
            np.testing.assert_allclose(row.velocity_mps, velocity[:2], atol=1e-6)
    assert 0 < known < len(rows.boxes) - 1


def test_velocity_by_hand(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    rows = open_small(tmp_path).read("scene-0061", None)
    for row in rows.boxes:
        if row.class_name == "human.adult":
            assert row.velocity_mps is None
            continue
        turned = rows.frames[row.index].global_SE3_lidar[:3, :3].T @ [1.0, 2.0, 0.0]
        np.testing.assert_allclose(row.velocity_mps, turned[:2], atol=1e-9)


def test_sweeps_between_keyframes_have_no_boxes(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    rows = open_small(tmp_path, sweeps=True).read("scene-0061", None)
    assert [box.index for box in rows.boxes] == [0, 0, 10, 20]


def test_a_dangling_link_costs_the_velocity_only(tmp_path: Path) -> None:
    tables = make_tables()
    find(tables, "sample_annotation", "scene-0061-car-0")["next"] = "gone"
    write_dataset(tmp_path, tables)
    rows = open_small(tmp_path).read("scene-0061", None)
    assert len(rows.boxes) == 4
    assert rows.boxes[0].velocity_mps is None
    assert "sample_annotation scene-0061-car-0: next sample_annotation gone is absent" in reasons(rows.rejected)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"instance_token": "gone"}, "instance gone is absent or was rejected"),
        ({"visibility_token": "9"}, "visibility 9 is absent"),
        ({"attribute_tokens": ["att-tall", "gone"]}, "attribute gone is absent"),
        ({"sample_token": "gone"}, "sample gone is absent"),
        ({"sample_token": ""}, "sample (no token) is absent"),
        ({"rotation": [0, 0, 0, 0]}, "no box"),
        ({"size": [1.0, -4.0, 1.0]}, "no box"),
        ({"translation": [1.0, 2.0]}, "Expected `array` of length 3"),
        ({"translation": [1.0, 2.0, "far"]}, "Expected `float`, got `str`"),
    ],
)
def test_a_box_that_can_not_be_used_is_rejected_and_the_rest_goes_on(tmp_path: Path, changed, expected) -> None:
    tables = make_tables()
    find(tables, "sample_annotation", "scene-0061-man-0").update(changed)
    write_dataset(tmp_path, tables)
    reader = open_small(tmp_path)
    rows = reader.read("scene-0061", None)
    assert [box.annotation_token for box in rows.boxes] == [f"scene-0061-car-{number}" for number in range(3)]
    (row,) = reader.rejected + rows.rejected
    assert (row.path, row.stage) == ("v1.0-mini/sample_annotation.json", "ingest")
    assert row.reason.startswith("sample_annotation scene-0061-man-0: ")
    assert expected in row.reason


@pytest.mark.parametrize("table", ["attribute", "visibility"])
def test_names_that_were_not_downloaded_stay_unknown(tmp_path: Path, table: str) -> None:
    write_dataset(tmp_path)
    (tmp_path / "v1.0-mini" / f"{table}.json").unlink()
    reader = open_small(tmp_path)
    boxes = reader.read("scene-0061", None).boxes
    assert len(boxes) == 4
    assert {getattr(box, table) for box in boxes} == {None}
    assert [row.path for row in reader.rejected] == [f"v1.0-mini/{table}.json"]


@pytest.mark.parametrize("table", ["sample_annotation", "instance", "category"])
def test_without_a_table_of_boxes_the_frames_are_still_there(tmp_path: Path, table: str) -> None:
    write_dataset(tmp_path)
    (tmp_path / "v1.0-mini" / f"{table}.json").unlink()
    reader = open_small(tmp_path)
    rows = reader.read("scene-0061", None)
    assert (len(rows.frames), len(rows.images), rows.boxes) == (3, 6, [])
    assert [row.path for row in reader.rejected] == [f"v1.0-mini/{table}.json"]
