"""Real nuScenes, KITTI raw and SemanticKITTI frames through the command."""

from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from nuscenes.nuscenes import NuScenes, NuScenesExplorer
from nuscenes.utils.geometry_utils import view_points
from support.command import succeed

import paintpipe
from paintpipe.pipeline.tables import read_parquet
from paintpipe.schemas.painted import Flag
from paintpipe.workflows.catalog import open_catalog

MODEL = "espnetv2-s0.5-cityscapes"


@pytest.fixture(scope="module")
def network(real_data: Path) -> tuple[object, ...]:
    return ("--model", MODEL, "--weights", real_data / "weights/espnetv2/espnetv2_s_0.5_city_1024x512.pth", "-q")


def test_the_devkit_preset_paints_the_very_points_of_the_devkit(
    real_data: Path, network: tuple[object, ...], tmp_path: Path
) -> None:
    succeed("ingest", "nuscenes", real_data / "nuscenes", "-w", tmp_path, "-q")
    succeed("paint", "-w", tmp_path, *network, "--projection", "nuscenes-devkit", "--input-size", "416x224")
    frame = paintpipe.open_painted(tmp_path).sequence("scene-0061")[0]
    layer = frame.layer(MODEL)
    tables = NuScenes("v1.0-mini", str(real_data / "nuscenes"), verbose=False)
    explorer, sample = NuScenesExplorer(tables), tables.sample[0]
    counts = np.zeros(frame.num_points, dtype=int)
    for camera in layer.camera_names:
        counts[_rows_in_view(explorer, sample["data"], camera)] += 1
    np.testing.assert_array_equal((layer.flags & Flag.VISIBLE) != 0, counts > 0)
    np.testing.assert_array_equal((layer.flags & Flag.OVERLAP) != 0, counts > 1)


def _rows_in_view(explorer: Any, tokens: dict[str, str], camera: str) -> np.ndarray:
    """(N,) bool of the points that the devkit keeps: it returns their pixels, which are found among all pixels."""
    with mock.patch("nuscenes.nuscenes.view_points", wraps=view_points) as projecting:
        every: list[np.ndarray] = []
        projecting.side_effect = lambda *args, **kwargs: every.append(view_points(*args, **kwargs)) or every[-1]
        kept, _, image = explorer.map_pointcloud_to_image(tokens["LIDAR_TOP"], tokens[camera])
        image.close()
    row = np.dtype((np.void, every[0].itemsize * 3))
    return np.isin(*(np.ascontiguousarray(pixels.T).view(row).ravel() for pixels in (every[0], kept)))


def test_kitti_raw_paints_what_lies_in_view_and_nothing_behind(
    real_data: Path, network: tuple[object, ...], tmp_path: Path
) -> None:
    succeed("ingest", "kitti-raw", real_data / "kitti_raw/2011_09_26", "-w", tmp_path, "-q")
    succeed("paint", "-w", tmp_path, *network, "--input-size", "640x192")
    drive = "2011_09_26_drive_9999_sync"
    frames = paintpipe.open_painted(tmp_path).sequence(drive)
    assert len(frames) == 16
    painted = [(frame.layer(MODEL).flags & Flag.PAINTED) != 0 for frame in frames]
    assert (int(painted[0].sum()), int(painted[15].sum())) == (16333, 15989)
    for frame, on in zip(frames, painted, strict=True):
        matrix = open_catalog(tmp_path / "catalog").images(drive, frame.index, frame.index + 1)[0].image_from_lidar
        assert (frame.points[on, :3].astype(np.float64) @ matrix[2, :3] + matrix[2, 3]).min() > 0.0


def test_the_oracle_scores_exactly_one(real_data: Path, tmp_path: Path) -> None:
    succeed("ingest", "semantickitti", real_data / "semantickitti", "-w", tmp_path, "-q", "--allow-rejects")
    succeed("paint", "-w", tmp_path, "--oracle", "-q")
    succeed("evaluate", "-w", tmp_path, "-q")
    rows = read_parquet(tmp_path / "tables/summary.parquet").to_pylist()
    assert {row["subset"] for row in rows} == {"all points", "points in view"}
    assert all(row["miou_present"] == 1.0 for row in rows)
    view = next(row for row in rows if row["subset"] == "points in view")
    frame = paintpipe.open_painted(tmp_path).sequence("00")[0]
    assert int(((frame.layer("oracle").flags & Flag.VISIBLE) != 0).sum()) == 19369
    assert 0 < view["num_points"] < 19369


def test_labels_corrupted_in_a_known_way_give_the_iou_worked_out_by_hand(real_data: Path, tmp_path: Path) -> None:
    """All cars are called road: car has IoU 0, road tp / (tp + cars), every other class 1."""
    source = real_data / "semantickitti/dataset/sequences/00"
    predictions = tmp_path / "predictions/sequences/00/predictions"
    predictions.mkdir(parents=True)
    car_id, road_id, cars, roads = 10, 40, 0, 0
    for file in sorted((source / "labels").glob("*.label")):
        ids = np.fromfile(file, np.uint32) & 0xFFFF
        cars, roads = cars + int(np.isin(ids, [10, 252]).sum()), roads + int(np.isin(ids, [40, 60]).sum())
        wrong = np.where(np.isin(ids, [car_id, 252]), road_id, ids).astype(np.uint32)
        wrong.tofile(predictions / file.name)
    workspace = tmp_path / "workspace"
    succeed("ingest", "semantickitti", real_data / "semantickitti", "-w", workspace, "-q", "--allow-rejects")
    succeed("paint", "-w", workspace, "--from-predictions", tmp_path / "predictions", "-q")
    succeed("evaluate", "-w", workspace, "-q")
    rows = read_parquet(workspace / "tables/classes.parquet").to_pylist()
    iou = {row["class"]: row["iou"] for row in rows if row["subset"] == "all points" and row["support"]}
    assert cars > 1000
    assert iou.pop("car") == 0.0
    assert iou.pop("road") == pytest.approx(roads / (roads + cars), abs=1e-12)
    assert iou
    assert all(value == pytest.approx(1.0, abs=1e-12) for value in iou.values())


def test_image_evaluation_gives_the_published_figures(real_data: Path, tmp_path: Path) -> None:
    folders = [real_data / "cityscapes" / name for name in ("leftImg8bit/val", "gtFine/val")]
    model = ("--model", MODEL, "--weights", real_data / "weights/espnetv2/espnetv2_s_0.5_city_1024x512.pth")
    options = ("--input-size", "1024x512", "--tta", "flip", "-q", "-w", tmp_path)
    succeed("evaluate", "--images", folders[0], "--labels", folders[1], *model, *options)
    plain, plain_all, augmented, _ = read_parquet(tmp_path / "tables/images.parquet").to_pylist()
    assert plain["miou"] == pytest.approx(0.5949, abs=0.003)
    assert plain["accuracy"] == pytest.approx(0.9584, abs=0.003)
    assert plain["miou"] == plain_all["miou"]
    assert augmented["tta"] == "flip"
    assert augmented["miou"] != plain["miou"]
