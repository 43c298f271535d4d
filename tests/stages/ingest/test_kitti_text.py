import numpy as np
import pytest
from support.ingest import P2, TR

from paintpipe.schemas.errors import CalibrationError
from paintpipe.stages.ingest.kitti_text import check_last_row, parse_calibration, parse_column, parse_poses

TEXT = f"calib_time: 09-Jan-2012 13:57:47\nP2: {P2}\n\nTr: {TR}\nnot a key\n"


def test_values_by_key() -> None:
    calibration = parse_calibration(TEXT, "calib.txt")
    assert calibration.projection("P2").tolist() == [[100, 0, 30, 5], [0, 100, 10, 0.5], [0, 0, 1, 0.25]]
    assert calibration.se3("Tr").tolist() == [[0, -1, 0, 0], [0, 0, -1, -0.1], [1, 0, 0, -0.3], [0, 0, 0, 1]]


def test_a_missing_key_names_file_key_and_what_is_there() -> None:
    with pytest.raises(
        CalibrationError, match=r"^calib\.txt: key P3 is missing; expected P3 beside calib_time, P2, Tr; "
    ):
        parse_calibration(TEXT, "calib.txt").projection("P3")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("P2: 1 2 3", "3 numbers; expected 12 finite numbers"),
        ("P2: " + "nan " * 12, "not finite"),
        ("P2: " + "1 " * 11 + "inf", "not finite"),
        ("P2: " + "1 " * 11 + "x", "could not convert"),
        ("P2: 0 0 0 0 0 0 0 0 0 0 0 0", "singular"),
        ("P2: 700 0 600 0 700 0 600 0 0 0 1 0", "singular"),
    ],
)
def test_projections_that_no_camera_has(line: str, message: str) -> None:
    with pytest.raises(CalibrationError, match=rf"^a/calib\.txt: P2: .*{message}"):
        parse_calibration(line, "a/calib.txt").projection("P2")


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ("0 0 0 0 0 0 0 0 0 0 0 0", "singular"),
        ("1 0 0 0 1 0 0 0 0 0 1 0", "singular"),
        ("1 0 0 0 0 1 0 0 0 0 -1 0", "no rotation"),
        ("0 -1e-320 0 0 0 0 -1 0 1 0 0 0", "singular"),
        ("2 0 0 0 0 2 0 0 0 0 2 0", "no rotation"),
    ],
)
def test_transforms_that_are_not_rigid(numbers: str, message: str) -> None:
    with pytest.raises(CalibrationError, match=rf"^calib\.txt: Tr: .*{message}.* expected a rotation"):
        parse_calibration(f"Tr: {numbers}", "calib.txt").se3("Tr")


def test_poses_and_columns_name_the_line() -> None:
    poses = parse_poses("1 0 0 4 0 1 0 5 0 0 1 6\n0 -1 0 0 1 0 0 0 0 0 1 0\n\n \n", "poses.txt")
    assert poses.shape == (2, 4, 4)
    assert poses[0, :3, 3].tolist() == [4, 5, 6]
    assert poses[:, 3].tolist() == [[0, 0, 0, 1]] * 2
    assert parse_column("0\r\n1.5e+00\r\n", "times.txt").tolist() == [0.0, 1.5]
    assert parse_poses("", "poses.txt").shape == (0, 4, 4)
    with pytest.raises(CalibrationError, match=r"poses\.txt: line 2: 11 numbers"):
        parse_poses("1 0 0 4 0 1 0 5 0 0 1 6\n1 0 0 4 0 1 0 5 0 0 1\n", "poses.txt")
    with pytest.raises(CalibrationError, match=r"times\.txt: line 3"):
        parse_column("0\n1\nnan\n", "times.txt")


@pytest.mark.parametrize("blank", ["", " ", "\r"])
def test_a_blank_line_inside_is_an_error_and_moves_nothing(blank: str) -> None:
    pose = "1 0 0 4 0 1 0 5 0 0 1 6"
    for text, line in ((f"{pose}\n{blank}\n{pose}\n", 2), (f"{blank}\n{pose}\n", 1)):
        with pytest.raises(CalibrationError, match=rf"^poses\.txt: line {line}: 0 numbers"):
            parse_poses(text, "poses.txt")
        with pytest.raises(CalibrationError, match=rf"^times\.txt: line {line}: 0 numbers"):
            parse_column(text.replace(pose, "0.5"), "times.txt")
    assert len(parse_poses(f"{pose}\n{pose}\n{blank}\n\n", "poses.txt")) == 2
    assert parse_column(f"1\n{blank}\n\n", "times.txt").tolist() == [1.0]
    assert parse_column(f"{blank}\n", "times.txt").shape == (0,)


def test_the_last_row_of_a_matrix() -> None:
    K = np.array([[700.0, 0, 600], [0, 700, 180], [0, 0, 1]])
    pose = np.eye(4)
    pose[:3, 3] = 1, 2, 3
    for good in (K, pose, pose[:3], np.stack([pose, pose]), K + 5e-7):
        assert check_last_row(good, "a") is good
    for bad in (K.T, 2 * K, pose.T, np.stack([pose, pose.T]), K + 2e-6, K * np.nan):
        with pytest.raises(
            CalibrationError, match=r"^a: the last row is another \(transposed\?\); expected 0 0 (0 )?1$"
        ):
            check_last_row(bad, "a")
