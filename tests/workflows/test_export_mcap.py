"""Recordings written by the command: real and synthetic sequences, read by other readers."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.command import content, paintpipe, succeed
from support.mcap_files import metadata, only, points, read

import paintpipe as library
from paintpipe.schemas.painted import Flag
from paintpipe.workflows.catalog import open_catalog

Paint = Callable[..., str]


def test_a_drive_is_recorded_with_what_the_store_holds(
    workspace: Path, paint_masks: Paint, drive: Path, tmp_path: Path
) -> None:
    paint_masks(workspace)
    out = tmp_path / "out"
    command = ("export", "-w", workspace, "--to", "mcap", "--out", out, "--option", "scores=true", "-q")
    assert exported(*command) == 5
    data = (out / "08.mcap").read_bytes()
    messages = read(data)
    frames = list(library.open_painted(workspace).sequence("08"))
    clouds = only(messages, "/lidar")
    assert len(clouds) == len(frames) == 5
    for frame, cloud in zip(frames, clouds, strict=True):
        found, layer = points(cloud), frame.layer("masks")
        assert np.array_equal(found["x"], frame.points[:, 0])
        assert np.array_equal(found["label"], layer.label)
        assert np.array_equal(found["score_car"], layer.scores[:, list(layer.classes).index("car")].astype(np.float32))
    images = open_catalog(workspace / "catalog").images("08", 0, 5)
    pictures = only(messages, "/camera/image_2/image")
    assert [picture.data for picture in pictures] == [(drive / image.image_path).read_bytes() for image in images]
    assert metadata(data)["paintpipe"]["layer"] == "masks"
    assert exported(*command) == 0
    assert exported(*command, "--check") == 5


def test_a_second_export_has_the_same_bytes(workspace: Path, paint_masks: Paint, tmp_path: Path) -> None:
    paint_masks(workspace, "--frames-per-shard", 2)
    for name, executor in (("one", "serial"), ("two", "threads")):
        out = tmp_path / name / "out"
        out.parent.mkdir()
        succeed("export", "-w", workspace, "--to", "mcap", "--out", out, "--executor", executor, "-q")
    assert content(tmp_path / "one/out") == content(tmp_path / "two/out")


def test_an_image_that_is_gone_is_told_in_a_line(
    workspace: Path, paint_masks: Paint, drive: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(drive, tmp_path / "root"))
    succeed("ingest", "semantickitti", root, "-w", tmp_path / "w", "-q")
    succeed("paint", "-w", tmp_path / "w", "--from-masks", root / "masks", "-q")
    gone = next(path for path in root.glob("**/image_2/000003.png") if "masks" not in path.parts)
    gone.unlink()
    done = paintpipe("export", "-w", tmp_path / "w", "--to", "mcap", "--out", tmp_path / "out", "-q")
    assert done.code != 0
    assert "000003.png" in done.err
    assert "--option images=false" in done.err
    assert "Traceback" not in done.err
    assert not list((tmp_path / "out").glob("*.mcap"))
    command = ("export", "-w", tmp_path / "w", "--to", "mcap", "--out", tmp_path / "bare", "-q")
    assert exported(*command, "--option", "images=false") == 5


@pytest.mark.parametrize("dataset", ["kitti_raw", "nuscenes", "semantickitti"])
def test_real_sequences_are_recorded(real_data: Path, tmp_path: Path, dataset: str) -> None:
    """Projecting the recorded cloud by the recorded transforms finds the very points that a camera sees."""
    workspace, out = tmp_path / "workspace", tmp_path / "out"
    name = dataset.replace("_", "-")
    succeed("ingest", name, real_data / dataset, "-w", workspace, "-q", "--limit", 2, "--allow-rejects")
    catalog = open_catalog(workspace / "catalog")
    (sequence,) = catalog.sequences
    images = catalog.images(sequence, 0, 2)
    for image in images:
        mask = np.full((image.height_px, image.width_px), 3, np.uint8)
        path = tmp_path / "masks" / Path(image.image_path).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), mask)
    masks = ("--from-masks", tmp_path / "masks", "--taxonomy", "cityscapes19")
    succeed("paint", "-w", workspace, *masks, "--cameras", "all", "-q")
    assert exported("export", "-w", workspace, "--to", "mcap", "--out", out, "-q") == len(
        catalog.frames(sequence, 0, 2)
    )
    messages = read((out / f"{sequence}.mcap").read_bytes())
    frames = list(library.open_painted(workspace).sequence(sequence))
    clouds, transforms = only(messages, "/lidar"), only(messages, "/tf")
    for index, (frame, cloud) in enumerate(zip(frames, clouds, strict=True)):
        found, layer = points(cloud), frame.layer("masks")
        assert found["z"].tobytes() == np.ascontiguousarray(frame.points[:, 2]).tobytes()
        assert np.array_equal(found["label"], layer.label)
        seen = np.zeros(len(found), bool)
        for image in (image for image in images if image.index == index):
            calibrations = only(messages, f"/camera/{image.camera}/calibration")
            seen |= in_view(found, transforms[index], image.camera, calibrations[index])
        differs = seen != ((layer.flags & Flag.VISIBLE) != 0)
        assert differs.sum() <= 2  # published rotations are rounded, and a quaternion is not
    first = images[0]
    written = only(messages, f"/camera/{first.camera}/image")[0].data
    assert written == (real_data / dataset / first.image_path).read_bytes()


def exported(*command: object) -> int:
    """How many frames a run exported or read back."""
    result = json.loads(succeed(*command, "--json"))
    assert result["faults"] == []
    return int(result["frames_now"])


def in_view(found: Any, transforms: Any, camera: str, calibration: Any) -> Any:
    """(N,) bool: which recorded points a recorded camera sees."""
    (place,) = [item for item in transforms.transforms if item.child_frame_id == f"camera/{camera}"]
    turn, shift = place.rotation, place.translation
    lidar_SE3_camera = np.eye(4)
    lidar_SE3_camera[:3, :3] = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
    lidar_SE3_camera[:3, 3] = shift.x, shift.y, shift.z
    xyz1 = np.stack([found["x"], found["y"], found["z"], np.ones(len(found))]).astype(np.float64)
    u, v, depth = np.reshape(calibration.P, (3, 4)) @ np.linalg.inv(lidar_SE3_camera) @ xyz1
    with np.errstate(divide="ignore", invalid="ignore"):
        u, v = u / depth, v / depth
    return (depth > 0) & (u >= 0) & (u < calibration.width) & (v >= 0) & (v < calibration.height)
