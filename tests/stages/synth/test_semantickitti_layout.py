from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.synth import SMALL, files_of, look, read_rows

from paintpipe.schemas.geometry import invert_se3
from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.write import write_semantickitti

CLASS_OF = {40: 0, 48: 1, 50: 2, 80: 3, 81: 4, 70: 5, 10: 6, 252: 6, 30: 7, 254: 7, 31: 8, 253: 8}


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("synth") / "kitti"
    write_semantickitti(root, SynthSettings(seed=11, frames=3))
    return root


def labels_of(root: Path, path: str) -> np.ndarray:
    raw = np.fromfile(root / path, dtype="<u4")
    return np.array([CLASS_OF[int(value)] for value in raw & 0xFFFF])


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    write_semantickitti(tmp_path / "a", SMALL, lambda done, total: calls.append((done, total)))
    write_semantickitti(tmp_path / "b", SMALL)
    write_semantickitti(tmp_path / "c", replace(SMALL, seed=4))
    first, again, other = (files_of(tmp_path / name) for name in "abc")
    assert first == again
    assert calls == [(1, 2), (2, 2)]
    image = "sequences/08/image_2/000001.png"
    assert set(first) == set(other)
    assert first[image] != other[image]


def test_the_ordinary_reader_reads_it(drive: Path) -> None:
    rows = read_rows("semantickitti", drive)
    assert rows.rejected == []
    assert [frame.frame_id for frame in rows.frames] == ["000000", "000001", "000002"]
    assert all(frame.num_points > 40_000 and frame.labels_path for frame in rows.frames)
    assert [(image.width_px, image.height_px) for image in rows.images] == [(640, 192)] * 3


def test_masks_agree_with_labels_off_depth_edges(drive: Path) -> None:
    rows = read_rows("semantickitti", drive)
    for frame, image in zip(rows.frames, rows.images, strict=True):
        points = np.fromfile(drive / frame.points_path, dtype="<f4").reshape(-1, 4)
        labels = labels_of(drive, str(frame.labels_path))
        seen = look(drive, points, image)
        assert len(seen.rows) > 4000
        agree = seen.mask == labels[seen.rows]
        assert agree[~seen.edge].mean() >= 0.99
        # parallax and occlusion are real: on edges, some points belong to what the camera can't see
        assert 0.5 < agree[seen.edge].mean() < 0.99


def test_poses_carry_one_sweep_into_the_next_image(drive: Path) -> None:
    rows = read_rows("semantickitti", drive)
    first, last = rows.frames[0], rows.frames[2]
    assert first.global_SE3_lidar is not None
    assert last.global_SE3_lidar is not None
    last_SE3_first = invert_se3(last.global_SE3_lidar) @ first.global_SE3_lidar
    assert 0.9 < -last_SE3_first[0, 3] < 2.0  # two tenths of a second of driving
    points = np.fromfile(drive / first.points_path, dtype="<f4").reshape(-1, 4)[:, :3]
    moved = (points @ last_SE3_first[:3, :3].T + last_SE3_first[:3, 3]).astype(np.float32)
    labels = labels_of(drive, str(first.labels_path))
    seen = look(drive, moved, rows.images[2])
    still = ~seen.edge & np.isin(labels[seen.rows], (0, 1, 2, 5)) & np.isin(seen.mask, (0, 1, 2, 5))
    assert (seen.mask == labels[seen.rows])[still].mean() > 0.98


def test_instances_lie_in_the_upper_bits(drive: Path) -> None:
    raw = np.fromfile(drive / "sequences/08/labels/000000.label", dtype="<u4")
    has_instance = (raw >> 16) > 0
    assert np.array_equal(has_instance, np.isin(raw & 0xFFFF, (10, 252, 30, 254, 31, 253)))
    pairs = np.unique(raw[has_instance])
    assert len(np.unique(pairs >> 16)) == len(pairs) > 15  # an instance has one class


def test_half_pixel_matters(drive: Path) -> None:
    # the same test with masks shifted by two pixels must see a difference, or it could not see a wrong calibration
    rows = read_rows("semantickitti", drive)
    points = np.fromfile(drive / rows.frames[0].points_path, dtype="<f4").reshape(-1, 4)
    labels = labels_of(drive, str(rows.frames[0].labels_path))
    image = rows.images[0]
    shift = np.array([[1.0, 0, 2.0], [0, 1.0, 2.0], [0, 0, 1.0]])
    shifted = look(drive, points, replace(image, image_from_lidar=shift @ image.image_from_lidar))
    right = look(drive, points, image)
    wrong_share = (shifted.mask != labels[shifted.rows])[~shifted.edge].mean()
    assert wrong_share > 3 * (right.mask != labels[right.rows])[~right.edge].mean()
