"""People's own data through the command: a drive told by a specification is painted as it is under its own name."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from support.command import paintpipe, succeed

import paintpipe as library
from paintpipe.pipeline.tables import read_parquet
from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.painted import Flag
from paintpipe.workflows.api import PaintedSequence

SPEC = """
name = "mine"
root = "data"

[points]
pattern = "{sequence}/velodyne/{frame}.FORMAT"
format = "POINTS"

[[cameras]]
name = "front"
image = "{sequence}/image_2/{frame}.png"
K = INTRINSICS
camera_SE3_lidar = EXTRINSICS

[labels]
pattern = "{sequence}/labels/{frame}.label"
taxonomy = "semantickitti19"

[poses]
pattern = "{sequence}/lidar-poses.npy"
format = "npy"

[timestamps]
pattern = "{sequence}/times.txt"

[boxes]
pattern = "{sequence}/boxes.csv"
taxonomy = "kitti-det4"
"""
MASKS = ("--taxonomy", "synthetic", "--layer", "masks", "-q")
BOXES = "class,frame,x,y,z,l,w,h,yaw\nCar,000001,8,0,-1,6,4,4,0.5\nPedestrian,000001,8,0,-1,6,4,4,0.5\n"


def spec_text(K: Float64, camera_SE3_lidar: Float64, points: str = "float32") -> str:
    words = {"INTRINSICS": K.tolist(), "EXTRINSICS": camera_SE3_lidar.tolist()}
    words |= {"FORMAT": "bin" if points == "float32" else points, "POINTS": points}
    text = SPEC
    for word, value in words.items():
        text = text.replace(word, str(value))
    return text


def shifted(P: Float64, rect_SE3_lidar: Float64) -> Float64:
    """camera_SE3_lidar of a KITTI camera: P = K · [I | t], so it stands t beside the rectified frame."""
    camera_SE3_lidar = rect_SE3_lidar.copy()
    camera_SE3_lidar[:3, 3] += np.linalg.inv(P[:, :3]) @ P[:, 3]
    return camera_SE3_lidar


def calibration(path: Path, *keys: str) -> list[Float64]:
    lines = dict(line.split(": ", 1) for line in path.read_text().splitlines() if ": " in line)
    return [np.array(lines[key].split(), dtype=np.float64) for key in keys]


def square(matrix: Float64) -> Float64:
    return np.vstack([matrix.reshape(3, 4), [0.0, 0.0, 0.0, 1.0]])


@pytest.fixture
def own(drive: Path, tmp_path: Path) -> Path:
    """A folder with spec.toml and data/, as somebody might keep the synthetic drive."""
    folder = Path(shutil.copytree(drive / "sequences/08", tmp_path / "own/data/drive-1")).parent
    shutil.copytree(drive / "masks/sequences/08", tmp_path / "masks/drive-1")
    P2, Tr = calibration(folder / "drive-1/calib.txt", "P2", "Tr")
    rect_SE3_lidar = square(Tr)
    rows = np.loadtxt(folder / "drive-1/poses.txt")
    poses = [np.linalg.inv(rect_SE3_lidar) @ square(row) @ rect_SE3_lidar for row in rows]
    np.save(folder / "drive-1/lidar-poses.npy", np.array(poses))
    (folder / "drive-1/boxes.csv").write_text(BOXES)
    P2 = P2.reshape(3, 4)
    (tmp_path / "own/spec.toml").write_text(spec_text(P2[:, :3], shifted(P2, rect_SE3_lidar)))
    return tmp_path / "own"


def assert_painted_alike(one: PaintedSequence, other: PaintedSequence, layer: str) -> None:
    """Every point, score, label, camera and flag; where one knows times and poses, both do."""
    assert len(one) == len(other) > 0
    for mine, theirs in zip(one, other, strict=True):
        assert mine.frame_id == theirs.frame_id
        assert mine.timestamp_us == theirs.timestamp_us
        np.testing.assert_array_equal(mine.points, theirs.points)
        np.testing.assert_allclose(mine.global_SE3_lidar, theirs.global_SE3_lidar, atol=1e-9)
        for name, array in theirs.layer(layer).arrays.items():
            np.testing.assert_array_equal(mine.layer(layer).arrays[name], array, err_msg=name)
        assert (mine.layer(layer).flags & Flag.PAINTED).any()


def test_painted_and_judged_as_semantickitti_is(own: Path, drive: Path, workspace: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    told = succeed("ingest", "custom", own / "spec.toml", "-w", mine, "-q")
    assert "5 frames" in told
    assert "2 boxes" in told
    succeed("paint", "-w", mine, "--from-masks", tmp_path / "masks", *MASKS)
    succeed("paint", "-w", workspace, "--from-masks", drive / "masks", *MASKS)
    one, other = (library.open_painted(each) for each in (mine, workspace))
    assert one.sequences == ("drive-1",)
    assert_painted_alike(one.sequence("drive-1"), other.sequence("08"), "masks")
    assert one.sequence("drive-1")[0].layer("masks").camera_names == ("front",)
    for each in (mine, workspace):
        succeed("evaluate", "-w", each, "-q")
    for table in ("summary", "classes", "coverage", "ranges", "edges", "confusion"):
        assert read_parquet(mine / f"tables/{table}.parquet") == read_parquet(workspace / f"tables/{table}.parquet")


def test_points_as_npy_with_more_columns_change_nothing_but_the_columns(own: Path, tmp_path: Path) -> None:
    spec = own / "spec.toml"
    for path in (own / "data/drive-1/velodyne").glob("*.bin"):
        points = np.fromfile(path, np.float32).reshape(-1, 4)
        np.save(path.with_suffix(".npy"), np.column_stack([points, np.arange(len(points))]).astype(np.float64))
    text = spec.read_text().replace("{frame}.bin", "{frame}.npy")
    columns = 'columns = ["x", "y", "z", "intensity", "ring"]'
    (own / "npy.toml").write_text(text.replace('format = "float32"', f'format = "npy"\n{columns}'))
    painted = []
    for each in (spec, own / "npy.toml"):
        workspace = tmp_path / each.stem
        succeed("ingest", "custom", each, "-w", workspace, "-q")
        succeed("paint", "-w", workspace, "--from-masks", tmp_path / "masks", *MASKS)
        painted.append(library.open_painted(workspace).sequence("drive-1"))
    for plain, more in zip(*painted, strict=True):
        np.testing.assert_array_equal(more.points[:, :4], plain.points)
        np.testing.assert_array_equal(more.points[:, 4], np.arange(plain.num_points))
        np.testing.assert_array_equal(more.layer("masks").scores, plain.layer("masks").scores)
    assert painted[1][0].features == ("x", "y", "z", "intensity", "ring")


def test_own_boxes_are_counted_as_by_hand(own: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    succeed("ingest", "custom", own / "spec.toml", "-w", mine, "-q")
    succeed("paint", "-w", mine, "--from-masks", tmp_path / "masks", *MASKS)
    succeed("evaluate", "-w", mine, "-q")
    frame = library.open_painted(mine).sequence("drive-1")[1]
    layer = frame.layer("masks")
    seen = (layer.flags & Flag.VISIBLE) != 0
    x, y, z = (frame.points[:, :3].astype(np.float64) - [8.0, 0.0, -1.0]).T
    along, across = x * np.cos(0.5) + y * np.sin(0.5), y * np.cos(0.5) - x * np.sin(0.5)
    inside = seen & (abs(along) <= 3) & (abs(across) <= 2) & (abs(z) <= 2)
    rows = {row["category"]: row for row in read_parquet(mine / "tables/boxes.parquet").to_pylist()}
    assert inside.sum() > 50
    for category, name in (("Car", "car"), ("Pedestrian", "pedestrian")):
        assert rows[category]["points_inside"] == inside.sum()
        assert rows[category]["right"] == (layer.label[inside] == layer.classes.index(name)).sum()


def test_what_is_absent_or_damaged_is_left_out_and_told(own: Path, tmp_path: Path) -> None:
    (own / "data/drive-1/image_2/000002.png").unlink()
    (own / "data/drive-1/labels/000003.label").write_bytes(b"123")
    (own / "data/drive-1/times.txt").write_text("0.0\n0.1\n")
    done = paintpipe("ingest", "custom", own / "spec.toml", "-w", tmp_path / "w", "-q")
    assert done.code == 1
    rejected = read_parquet(tmp_path / "w/catalog/rejected.parquet").to_pylist()
    reasons = {row["path"]: row["reason"] for row in rejected}
    assert "5" in reasons["drive-1/times.txt"]
    assert "labels" in reasons["drive-1/labels/000003.label"]
    assert "absent for 1 of 5" in reasons["{sequence}/image_2/{frame}.png"]
    frames = read_parquet(tmp_path / "w/catalog/frames.parquet").to_pylist()
    assert [row["labels_path"] is None for row in frames] == [False, False, False, True, False]
    assert all(row["timestamp_us"] is None for row in frames)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[points]", "[pionts]", "points"),
        ('name = "front"', 'name = "front"\ndistortion = [0.1]', "undistort"),
        ('taxonomy = "semantickitti19"', 'taxonomy = "mine"', "semantickitti19"),
        ("{sequence}/velodyne", "../velodyne", "points.pattern"),
    ],
)
def test_a_specification_that_makes_no_sense_is_one_line(
    own: Path, tmp_path: Path, old: str, new: str, words: str
) -> None:
    spec = own / "spec.toml"
    spec.write_text(spec.read_text().replace(old, new))
    done = paintpipe("ingest", "custom", spec, "-w", tmp_path / "w", "-q")
    assert done.code == 2
    assert words in done.err
    assert len(done.err.splitlines()) == 1


def test_the_commented_specification_works_once_files_lie_as_it_says(drive: Path, tmp_path: Path) -> None:
    spec = tmp_path / "mine/spec.toml"
    spec.parent.mkdir()
    succeed("ingest", "custom", "--write-spec", spec)
    assert paintpipe("ingest", "custom", "--write-spec", spec).code == 2
    for name, source in (("lidar", "velodyne"), ("front", "image_2")):
        shutil.copytree(drive / "sequences/08" / source, spec.parent / "monday" / name)
    told = succeed("ingest", "custom", spec, "-w", tmp_path / "w", "-q")
    assert "5 frames" in told


def test_a_real_drive_is_painted_as_kitti_raw_is(real_data: Path, tmp_path: Path) -> None:
    day = real_data / "kitti_raw/2011_09_26"
    P, R_rect = calibration(day / "calib_cam_to_cam.txt", "P_rect_02", "R_rect_00")
    R, T = calibration(day / "calib_velo_to_cam.txt", "R", "T")
    P, rect_SE3_velo = P.reshape(3, 4), square(np.column_stack([R.reshape(3, 3), T]))
    rect_SE3_velo[:3] = R_rect.reshape(3, 3) @ rect_SE3_velo[:3]
    text = spec_text(P[:, :3], shifted(P, rect_SE3_velo)).split("[labels]")[0]
    text = text.replace("velodyne/", "velodyne_points/data/").replace("image_2/", "image_02/data/")
    (tmp_path / "spec.toml").write_text(text.replace('root = "data"', f'root = "{day}"'))
    model = "espnetv2-s0.5-cityscapes"
    weights = real_data / "weights/espnetv2/espnetv2_s_0.5_city_1024x512.pth"
    painted = []
    for name, dataset in (("mine", ("custom", tmp_path / "spec.toml")), ("raw", ("kitti-raw", day))):
        workspace = tmp_path / name
        succeed("ingest", *dataset, "-w", workspace, "-q", "--limit", 2)
        succeed("paint", "-w", workspace, "-q", "--model", model, "--weights", weights, "--input-size", "640x192")
        store = library.open_painted(workspace)
        painted.append(store.sequence(store.sequences[0]))
    assert_painted_alike(painted[0], painted[1], model)
