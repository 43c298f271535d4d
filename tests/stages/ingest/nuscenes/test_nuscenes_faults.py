"""Bad input: one clear row for each record or file, and the rest goes on."""

from pathlib import Path

import pytest
from support.ingest import png_of, points_bytes, write
from support.nuscenes_tables import find, make_tables, open_small, reasons, write_dataset, write_files, write_tables

from paintpipe.schemas.errors import InputFileError

SWEEP = "scene-0061-LIDAR_TOP-10"
IMAGE = "scene-0061-CAM_FRONT-6"


def read_spoiled(root: Path, table: str, record: str, **changed):
    """Rows of scene-0061, and all rejected rows, after one record was changed (its file stays where it was)."""
    tables = make_tables()
    write_files(root, tables)
    find(tables, table, record).update(changed)
    write_tables(root, tables)
    reader = open_small(root)
    rows = reader.read("scene-0061", None)
    assert open_small(root).read("scene-0103", None).rejected == []
    return rows, reader.rejected + rows.rejected


@pytest.mark.parametrize(
    ("field", "other"),
    [("sample_token", "sample"), ("ego_pose_token", "ego_pose"), ("calibrated_sensor_token", "calibrated_sensor")],
)
@pytest.mark.parametrize("token", [SWEEP, IMAGE])
def test_a_dangling_token_of_a_file(tmp_path: Path, field: str, other: str, token: str) -> None:
    rows, rejected = read_spoiled(tmp_path, "sample_data", token, **{field: "gone"})
    if token == IMAGE:
        assert (len(rows.frames), len(rows.images), len(rows.boxes)) == (3, 5, 4)
    else:
        assert (len(rows.frames), len(rows.images), len(rows.boxes)) == (2, 4, 3)
        assert [frame.index for frame in rows.frames] == [0, 1]
    assert f"v1.0-mini/sample_data.json: sample_data {token}: {other} gone is absent or was rejected" in reasons(
        rejected
    )


@pytest.mark.parametrize(
    ("table", "token", "changed", "expected"),
    [
        ("calibrated_sensor", "scene-0061-CAM_FRONT", {"sensor_token": "gone"}, "sensor gone is absent"),
        ("sample", "scene-0061-s1", {"scene_token": "gone"}, "sample scene-0061-s1: scene gone is absent"),
        ("sample", "scene-0061-s1", {"timestamp": "noon"}, "sample scene-0061-s1: Expected `int`, got `str`"),
        ("sample_data", IMAGE, {"is_key_frame": "yes"}, f"sample_data {IMAGE}: Expected `bool`, got `str`"),
        ("sample_data", IMAGE, {"filename": None}, f"sample_data {IMAGE}: Expected `str`, got `null`"),
        ("ego_pose", f"pose-{IMAGE}", {"rotation": [1, 0, 0]}, f"ego_pose pose-{IMAGE}: Expected `array` of length 4"),
        ("ego_pose", f"pose-{IMAGE}", {"rotation": [0, 0, 0, 0]}, "is no quaternion"),
        ("ego_pose", f"pose-{IMAGE}", {"token": "renamed"}, f"ego_pose pose-{IMAGE} is absent"),
    ],
)
def test_a_record_that_can_not_be_used(tmp_path: Path, table: str, token: str, changed, expected: str) -> None:
    rows, rejected = read_spoiled(tmp_path, table, token, **changed)
    assert expected in reasons(rejected)
    assert 2 <= len(rows.frames) <= 3
    assert 3 <= len(rows.images) < 6


@pytest.mark.parametrize(
    ("K", "expected"),
    [
        ([[0.0, 0.0, 32.0], [0.0, 50.0, 24.0], [0.0, 0.0, 1.0]], "singular camera_intrinsic"),
        ([[0.0] * 3] * 3, "singular camera_intrinsic"),
        ([[50.0, 0.0, 32.0], [0.0, 50.0, 24.0]], "camera_intrinsic is no 3x3 matrix"),
        ([], "camera_intrinsic is no 3x3 matrix"),
    ],
)
def test_intrinsics_that_no_camera_has(tmp_path: Path, K, expected: str) -> None:
    rows, rejected = read_spoiled(tmp_path, "calibrated_sensor", "scene-0061-CAM_FRONT", camera_intrinsic=K)
    assert {row.camera for row in rows.images} == {"CAM_BACK"}
    assert len(rows.frames) == 3
    assert len(rejected) == 3
    assert f"calibrated_sensor scene-0061-CAM_FRONT: {expected}" in rejected[0].reason


def test_infinite_intrinsics_never_get_in(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    path = tmp_path / "v1.0-mini" / "calibrated_sensor.json"
    path.write_text(path.read_text().replace("50.0", "1e999"))
    reader = open_small(tmp_path)
    assert "calibrated_sensor scene-0061-CAM_FRONT: Number out of range" in reasons(reader.rejected)
    assert reader.read("scene-0061", None).images == []


@pytest.mark.parametrize("filename", ["../../etc/passwd", "/etc/passwd", "samples/../../outside.bin"])
@pytest.mark.parametrize("token", [SWEEP, IMAGE])
def test_a_filename_that_climbs_out_is_never_read(tmp_path: Path, filename: str, token: str) -> None:
    write(tmp_path / "outside.bin", points_bytes(30, 5))
    rows, rejected = read_spoiled(tmp_path / "root", "sample_data", token, filename=filename)
    (row,) = rejected
    assert row.path == filename
    assert "absolute" in row.reason or "climbs" in row.reason
    assert filename not in {frame.points_path for frame in rows.frames} | {image.image_path for image in rows.images}
    assert (len(rows.frames), len(rows.images)) == ((3, 5) if token == IMAGE else (2, 4))


def test_a_symlink_out_of_the_root_is_never_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    tables = write_dataset(root)
    outside = write(tmp_path / "outside.bin", points_bytes(30, 5))
    path = root / find(tables, "sample_data", SWEEP)["filename"]
    path.unlink()
    path.symlink_to(outside)
    rows = open_small(root).read("scene-0061", None)
    assert len(rows.frames) == 2
    assert "symlink leads out" in reasons(rows.rejected)


def test_labels_that_climb_out(tmp_path: Path) -> None:
    tables = make_tables()
    tables["lidarseg"] = [{"token": "l", "sample_data_token": SWEEP, "filename": "../labels.bin"}]
    write_dataset(tmp_path, tables)
    rows = open_small(tmp_path).read("scene-0061", None)
    assert [frame.labels_path for frame in rows.frames] == [None] * 3
    assert "../labels.bin: the path climbs" in reasons(rows.rejected)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "absent"),
        (b"", "empty sweep"),
        (points_bytes(30, 5)[:-1], "599 bytes; expected a multiple of 20"),
        (points_bytes(30, 4), None),
    ],
)
def test_sweeps_that_are_not_whole(tmp_path: Path, content: bytes | None, expected: str | None) -> None:
    tables = write_dataset(tmp_path)
    path = tmp_path / find(tables, "sample_data", SWEEP)["filename"]
    path.unlink() if content is None else path.write_bytes(content)
    rows = open_small(tmp_path).read("scene-0061", None)
    if expected is None:
        assert [frame.num_points for frame in rows.frames] == [30, 24, 30]
        return
    assert [(frame.index, frame.frame_id) for frame in rows.frames] == [
        (0, "scene-0061-LIDAR_TOP-0"),
        (1, "scene-0061-LIDAR_TOP-20"),
    ]
    assert {row.index for row in rows.images} == {0, 1}
    assert [box.index for box in rows.boxes] == [0, 0, 1]
    (row,) = rows.rejected
    assert row.path == f"samples/LIDAR_TOP/{SWEEP}.pcd.bin"
    assert expected in row.reason


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "absent"),
        (b"", "the file is empty"),
        (b"not an image", "not an image that can be read"),
        (png_of(64, 48, 8, 2, b"")[:20], ""),
        (png_of(20_000, 20_000, 8, 2, b""), "at most 64 megapixels"),
        (png_of(48, 64, 8, 2, b""), "48x64 px; expected 64x48 as sample_data"),
    ],
)
def test_images_that_can_not_be_used(tmp_path: Path, content: bytes | None, expected: str) -> None:
    tables = write_dataset(tmp_path)
    path = tmp_path / find(tables, "sample_data", IMAGE)["filename"]
    path.unlink() if content is None else path.write_bytes(content)
    rows = open_small(tmp_path).read("scene-0061", None)
    assert (len(rows.frames), len(rows.images)) == (3, 5)
    (row,) = rows.rejected
    assert row.path == f"samples/CAM_FRONT/{IMAGE}.jpg"
    assert expected in row.reason


def test_a_bad_image_of_many_sweeps_is_reported_once(tmp_path: Path) -> None:
    tables = write_dataset(tmp_path)
    (tmp_path / find(tables, "sample_data", IMAGE)["filename"]).unlink()
    rows = open_small(tmp_path, sweeps=True).read("scene-0061", None)
    assert len(rows.rejected) == 1
    assert len(rows.images) < 42


def test_a_size_that_the_table_does_not_say_comes_from_the_header(tmp_path: Path) -> None:
    rows, rejected = read_spoiled(tmp_path, "sample_data", IMAGE, width=0, height=0)
    assert rejected == []
    assert {(row.width_px, row.height_px) for row in rows.images} == {(64, 48)}


def test_a_broken_chain_of_sweeps_ends_where_it_breaks(tmp_path: Path) -> None:
    rows, rejected = read_spoiled(tmp_path, "sample_data", "scene-0061-LIDAR_TOP-7", prev="gone")
    assert rows.frames[1].previous_sweeps == tuple(f"scene-0061-LIDAR_TOP-{step}" for step in (9, 8, 7))
    assert "sample_data scene-0061-LIDAR_TOP-7: previous sweep sample_data gone is absent" in reasons(rejected)


def test_a_chain_that_bites_its_tail_ends(tmp_path: Path) -> None:
    rows, _ = read_spoiled(tmp_path, "sample_data", "scene-0061-LIDAR_TOP-7", prev="scene-0061-LIDAR_TOP-9")
    assert rows.frames[1].previous_sweeps == tuple(f"scene-0061-LIDAR_TOP-{step}" for step in (9, 8, 7))


@pytest.mark.parametrize("table", ["scene", "sample", "sample_data", "ego_pose", "calibrated_sensor", "sensor"])
def test_a_table_that_is_needed(tmp_path: Path, table: str) -> None:
    write_dataset(tmp_path)
    path = tmp_path / "v1.0-mini" / f"{table}.json"
    path.write_text(path.read_text()[:-5])
    with pytest.raises(InputFileError, match=rf"^v1\.0-mini/{table}\.json: damaged table"):
        open_small(tmp_path)
    path.unlink()
    with pytest.raises(InputFileError, match=rf"^v1\.0-mini/{table}\.json: the table is absent"):
        open_small(tmp_path)


def test_a_damaged_table_of_boxes_costs_the_boxes_only(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    path = tmp_path / "v1.0-mini" / "sample_annotation.json"
    path.write_text(path.read_text()[:-5])
    reader = open_small(tmp_path)
    rows = reader.read("scene-0061", None)
    assert (len(rows.frames), rows.boxes, reader.boxes_taxonomy) == (3, [], None)
    assert reasons(reader.rejected).startswith("v1.0-mini/sample_annotation.json: damaged table")


def test_radar_and_foreign_sensors_are_left_alone(tmp_path: Path) -> None:
    tables = write_dataset(tmp_path)
    for record in tables["sample_data"]:
        if "RADAR" in record["filename"]:
            (tmp_path / record["filename"]).unlink()
    rows = open_small(tmp_path, sweeps=True).read("scene-0061", None)
    assert rows.rejected == []
    assert {row.camera for row in rows.images} == {"CAM_FRONT", "CAM_BACK"}
