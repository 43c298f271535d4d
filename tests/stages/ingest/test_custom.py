from pathlib import Path

import numpy as np
import pytest
from support.ingest import write, write_custom
from support.roots import DirectoryRoot

from paintpipe.schemas.errors import ConfigError, InputFileError
from paintpipe.stages.ingest.custom import CustomReader, open_custom, spec_root, write_spec
from paintpipe.stages.ingest.reader import IngestOptions

SPEC = write_spec()
FULL = "\n".join(
    line.removeprefix("# ") if line.startswith(("# [", "# pattern", "# format", "# taxonomy", "# unit")) else line
    for line in SPEC.splitlines()
)
ONE = """
name = "drive"
[points]
pattern = "lidar/{frame}.npy"
format = "npy"
columns = ["x", "y", "z"]
"""


def opened(path: Path, text: str = SPEC, **options) -> CustomReader:
    return open_custom(text, DirectoryRoot(path), IngestOptions(**options))


def test_the_written_specification_reads_what_it_describes(tmp_path: Path) -> None:
    reader = opened(write_custom(tmp_path))
    assert (reader.dataset, reader.version, reader.sequences()) == ("custom", "my-drives", ["a", "b"])
    assert (reader.labels_taxonomy, reader.boxes_taxonomy, reader.synthetic) == (None, None, False)
    rows = reader.read("b", None)
    assert rows.rejected == []
    assert [(frame.index, frame.frame_id, frame.num_points) for frame in rows.frames] == [(0, "1", 5), (1, "2", 5)]
    assert rows.frames[0].point_features == ("x", "y", "z", "intensity")
    image = rows.images[1]
    assert (image.image_path, image.camera, image.width_px, image.height_px) == ("b/front/2.png", "front", 60, 20)
    # (10, 2, 1): right -2, down -1.1, ahead 9.7
    np.testing.assert_allclose(image.image_from_lidar @ [10, 2, 1, 1], [-1400 + 600 * 9.7, -770 + 180 * 9.7, 9.7])
    assert (image.P_rect, image.timestamp_us) == (None, None)
    assert spec_root(SPEC) == "."


def test_all_optional_parts(tmp_path: Path) -> None:
    reader = opened(write_custom(tmp_path), FULL)
    assert (reader.labels_taxonomy, reader.boxes_taxonomy) == ("semantickitti19", "kitti-det4")
    rows = reader.read("a", None)
    assert rows.rejected == []
    frame = rows.frames[1]
    assert (frame.labels_path, frame.labels_format, frame.timestamp_us) == ("a/labels/2.label", "semantickitti", 100000)
    assert frame.global_SE3_lidar is not None
    assert frame.global_SE3_lidar[:3, 3].tolist() == [1, 0, 0]
    [box] = rows.boxes
    assert (box.frame_id, box.index, box.class_name, box.yaw_rad) == ("1", 0, "Car", 0.25)
    assert box.center_m.tolist() == [1, 2, 3]
    assert box.size_lwh_m.tolist() == [4, 2, 1.5]


def test_one_drive_of_npy_files_in_natural_order(tmp_path: Path) -> None:
    for frame in (1, 2, 10):
        (tmp_path / "lidar").mkdir(exist_ok=True)
        np.save(tmp_path / "lidar" / f"{frame}.npy", np.zeros((frame, 3)))
    reader = opened(tmp_path, ONE)
    assert reader.sequences() == ["drive"]
    frames = reader.read("drive", None).frames
    assert [(frame.frame_id, frame.num_points, frame.points_format) for frame in frames] == [
        ("1", 1, "npy"),
        ("2", 2, "npy"),
        ("10", 10, "npy"),
    ]
    assert [frame.frame_id for frame in reader.read("drive", 2).frames] == ["1", "2"]


def test_poses_as_npy(tmp_path: Path) -> None:
    write_custom(tmp_path)
    poses = np.tile(np.eye(4)[:3], (2, 1, 1))
    poses[1, 2, 3] = 7
    np.save(tmp_path / "a" / "poses.npy", poses)
    text = SPEC + '[poses]\npattern = "{sequence}/poses.npy"\nformat = "npy"\n'
    pose = opened(tmp_path, text).read("a", None).frames[1].global_SE3_lidar
    assert pose is not None
    assert pose.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 7], [0, 0, 0, 1]]


def test_transposed_npy_poses_are_rejected(tmp_path: Path) -> None:
    write_custom(tmp_path)
    poses = np.tile(np.eye(4, dtype=np.float32), (2, 1, 1))
    poses[1, 2, 3] = 7
    np.save(tmp_path / "a" / "poses.npy", poses.transpose(0, 2, 1))
    text = SPEC + '[poses]\npattern = "{sequence}/poses.npy"\nformat = "npy"\n'
    rows = opened(tmp_path, text).read("a", None)
    assert all(frame.global_SE3_lidar is None for frame in rows.frames)
    assert [row.path for row in rows.rejected] == ["a/poses.npy"]
    assert "transposed?" in rows.rejected[0].reason


def test_what_is_broken_is_rejected_and_the_rest_stays(tmp_path: Path) -> None:
    write_custom(tmp_path, frames=4)
    write(tmp_path / "a/lidar/2.bin", b"\0" * 15)
    write(tmp_path / "a/labels/3.label", b"\0" * 16)
    (tmp_path / "a/labels/4.label").unlink()
    write(tmp_path / "a/front/1.png", b"")
    (tmp_path / "a/front/4.png").unlink()
    write(tmp_path / "a/poses.txt", "1 0 0 0 0 1 0 0 0 0 1 0\n")
    write(tmp_path / "a/times.txt", "now\n")
    write(tmp_path / "a/boxes.csv", "frame,class,x,y,z,l,w,h,yaw\n0001,Car,1,2,3,4,2,1,0\n1,Van,1,2,3,4,2,1,0\n")
    rows = opened(tmp_path, FULL).read("a", None)
    assert [(frame.index, frame.frame_id) for frame in rows.frames] == [(0, "1"), (1, "3"), (2, "4")]
    assert [frame.labels_path for frame in rows.frames] == ["a/labels/1.label", None, None]
    assert [(image.index, image.frame_id) for image in rows.images] == [(1, "3")]
    assert [(box.index, box.class_name) for box in rows.boxes] == [(0, "Van")]
    assert all(frame.global_SE3_lidar is frame.timestamp_us is None for frame in rows.frames)
    found = {row.path: row.reason for row in rows.rejected}
    assert "1 of them; expected 4" in found.pop("a/poses.txt")
    assert "line 1" in found.pop("a/times.txt")
    assert "boxes of 1 frames without points, such as '0001'" in found.pop("a/boxes.csv")
    assert "truncated" in found.pop("a/lidar/2.bin")
    assert "4 labels for 5 points" in found.pop("a/labels/3.label")
    assert "empty" in found.pop("a/front/1.png")
    assert found.pop("{sequence}/labels/{frame}.label").startswith("absent for 1 of 3")
    assert found.pop("{sequence}/front/{frame}.png").startswith("absent for 1 of 3")
    assert found == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("frame,class,x,y,z\n", "expected frame,class,x,y,z,l,w,h,yaw"),
        ("", "the first line is nothing"),
        ("frame,class,x,y,z,l,w,h,yaw\n1,Car,1,2,3,4,2\n", "line 2"),
        ("frame,class,x,y,z,l,w,h,yaw\n1,Car,1,2,3,4,2,0,0\n", "line 2: not a box"),
        ("frame,class,x,y,z,l,w,h,yaw\n1,Car,1,2,3,4,2,1,nan\n", "line 2: not a box"),
        ("frame,class,x,y,z,l,w,h,yaw\n1,Car,1,2,3,4,2,1,0,9\n", "line 2: not a box"),
        ("frame,class,x,y,z,l,w,h,yaw\n1,Car,a,2,3,4,2,1,0\n", "could not convert"),
    ],
)
def test_a_broken_box_file_rejects_all_of_its_boxes(tmp_path: Path, text: str, reason: str) -> None:
    write_custom(tmp_path)
    write(tmp_path / "a/boxes.csv", text)
    rows = opened(tmp_path, FULL).read("a", None)
    assert rows.boxes == []
    assert [row.path for row in rows.rejected] == ["a/boxes.csv"]
    assert reason in rows.rejected[0].reason


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name =", "nmae =", "^name: missing; expected a text"),
        ("[points]", "[pionts]", "^points: missing"),
        ("root =", "root2 =", "^root2: unknown key"),
        ('name = "my-drives"', "name = 3", "^name: 3 is no good; expected a text"),
        ('"float32" ', '"pcd" ', r"^points\.format: unknown value 'pcd'; expected one of float32, npy"),
        ('["x", "y", "z", "intensity"]', '["y", "x", "z"]', r"^points\.columns: "),
        ('["x", "y", "z", "intensity"]', '["x", "y", "z", "z"]', r"^points\.columns: "),
        ('["x", "y", "z", "intensity"]', '["x", "y", "z", 4]', r"^points\.columns: "),
        ("{sequence}/lidar/{frame}.bin", "{sequence}/lidar/a.bin", r"^points\.pattern: .*\{frame\} in it"),
        ("{sequence}/lidar/{frame}.bin", "../{sequence}/{frame}.bin", r"^points\.pattern: .* below `root`"),
        ("{sequence}/lidar/{frame}.bin", "/{sequence}/{frame}.bin", r"^points\.pattern: "),
        ("{sequence}/lidar/{frame}.bin", "{sequence}/{frame}/{}.bin", r"^points\.pattern: "),
        ("{sequence}/front/{frame}.png", "front/{frame}.png", r"^cameras\.front\.image: .*\{sequence\}, \{frame\}"),
        ("{sequence}/front/{frame}.png", "{sequence}/{camera}/{frame}.png", r"^cameras\.front\.image: "),
        ("image =", "distortion = [0.1]\nimage =", r"^cameras\.front\.distortion: lens distortion .*undistort"),
        ("image =", "size = [1, 2]\nimage =", r"^cameras\.front\.size: unknown key"),
        ("[700.0,   0.0, 600.0],", "[700.0, 600.0],", r"^cameras\.front\.K: not a matrix; expected 3 rows of 3"),
        ("[700.0,   0.0, 600.0],", "", r"^cameras\.front\.K: a 2x3 matrix"),
        ("[700.0,   0.0, 600.0],", "[0.0, 0.0, 600.0],", r"^cameras\.front\.K: the camera matrix is singular"),
        ("[700.0,   0.0, 600.0],", "[inf, 0.0, 600.0],", r"^cameras\.front\.K: .*not finite"),
        ("[1.0,  0.0,  0.0, -0.3],", "[0.0, 0.0, 0.0, 0.0],", r"^cameras\.front\.camera_SE3_lidar: .*singular"),
        ("[1.0,  0.0,  0.0, -0.3],", "[-1.0, 0.0, 0.0, 0.0],", r"^cameras\.front\.camera_SE3_lidar: .*no rotation"),
        ("[  0.0,   0.0,   1.0]", "[600.0, 180.0, 1.0]", r"^cameras\.front\.K: .*transposed.*expected 0 0 1$"),
        (
            "[0.0,  0.0,  0.0,  1.0]",
            "[0.0, -0.1, -0.3, 1.0]",
            r"^cameras\.front\.camera_SE3_lidar: .*transposed.*expected 0 0 0 1$",
        ),
        ("[[cameras]]", "[cameras]", "^cameras: .* expected a list"),
        ("K = [", "K = [ [", "^specification: not a TOML file"),
    ],
)
def test_a_specification_with_a_mistake_names_the_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    write_custom(tmp_path)
    assert old in SPEC
    with pytest.raises(ConfigError, match=message):
        opened(tmp_path, SPEC.replace(old, new, 1))


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        ('[labels]\npattern = "{sequence}/{frame}.label"', r"^labels\.taxonomy: missing"),
        (
            '[labels]\npattern = "{sequence}/{frame}.label"\ntaxonomy = "kitti-det4"',
            r"^labels\.taxonomy: kitti-det4 has no ids of label files; expected one of .*semantickitti19",
        ),
        ('[labels]\npattern = "{sequence}/{frame}.label"\ntaxonomy = "x"', r"^labels\.taxonomy: unknown taxonomy 'x'"),
        ('[poses]\npattern = "poses.txt"', r"^poses\.pattern: .*\{sequence\} in it"),
        ('[poses]\npattern = "{sequence}/{frame}.txt"', r"^poses\.pattern: "),
        ('[timestamps]\npattern = "{sequence}.txt"\nunit = "min"', r"^timestamps\.unit: .*one of s, ms, us, ns"),
        (
            '[boxes]\npattern = "{sequence}.csv"\ntaxonomy = "kitti-det4"\nformat = "json"',
            r"^boxes\.format: unknown key",
        ),
        ("[radar]", "^radar: unknown key"),
    ],
)
def test_optional_parts_with_a_mistake(tmp_path: Path, addition: str, message: str) -> None:
    write_custom(tmp_path)
    with pytest.raises(ConfigError, match=message):
        opened(tmp_path, f"{SPEC}\n{addition}\n")


def test_two_cameras_of_one_name(tmp_path: Path) -> None:
    camera = SPEC[SPEC.index("[[cameras]]") : SPEC.index("# All that follows")]
    with pytest.raises(ConfigError, match="two cameras are called front"):
        opened(write_custom(tmp_path), SPEC + camera)


def test_selections(tmp_path: Path) -> None:
    write_custom(tmp_path)
    assert opened(tmp_path, sequences=("b",)).sequences() == ["b"]
    with pytest.raises(ConfigError, match="no sequence c; expected some of a, b"):
        opened(tmp_path, sequences=("c",))
    with pytest.raises(ConfigError, match="this dataset has none"):
        opened(tmp_path, split="train")
    with pytest.raises(InputFileError, match="no point file fits the pattern"):
        opened(tmp_path / "a")
