"""Real KITTI frames through the command: the reference figures of ESPNetv2 s2.0 and of points in view."""

from pathlib import Path

import numpy as np
import pytest
from support.command import succeed

import paintpipe
from paintpipe.pipeline.tables import read_parquet
from paintpipe.schemas.painted import Flag
from paintpipe.workflows.catalog import open_catalog

LAYER = "espnetv2-s2.0-cityscapes"
IN_VIEW = [20285, 18630, 20210, 18911, 19063, 19962]


@pytest.fixture(scope="module")
def painted(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("kitti")
    weights = real_data / "weights/espnetv2/espnetv2_s_2.0_city_1024x512.pth"
    succeed("ingest", "kitti", real_data / "kitti", "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "-q", "--model", LAYER, "--weights", weights, "--frames-per-shard", 4)
    return workspace


def test_points_in_view_are_exactly_the_reference(painted: Path) -> None:
    frames = list(paintpipe.open_painted(painted).sequence("training"))
    flags = [frame.layer(LAYER).flags for frame in frames]
    assert [int(((flag & Flag.VISIBLE) != 0).sum()) for flag in flags] == IN_VIEW
    assert [int(((flag & Flag.PAINTED) != 0).sum()) for flag in flags] == IN_VIEW


def test_points_in_boxes_carry_the_right_class(painted: Path) -> None:
    succeed("evaluate", "-w", painted, "-q")
    rows = {row["category"]: row for row in read_parquet(painted / "tables/boxes.parquet").to_pylist()}
    car, pedestrian = rows["Car"], rows["Pedestrian"]
    assert car["points_inside"] == 859
    assert pedestrian["points_inside"] == 446
    assert car["right_share"] >= 0.95
    assert pedestrian["right_share"] >= 0.80


def test_points_are_the_files_rows_and_nothing_behind_the_camera_is_painted(painted: Path, real_data: Path) -> None:
    catalog = open_catalog(painted / "catalog")
    images = {image.index: image for image in catalog.images("training", 0, 6) if image.camera == "image_2"}
    for frame in paintpipe.open_painted(painted).sequence("training"):
        raw = np.fromfile(real_data / f"kitti/training/velodyne/{frame.frame_id}.bin", np.float32).reshape(-1, 4)
        np.testing.assert_array_equal(frame.points, raw)
        seen = raw[(frame.layer(LAYER).flags & Flag.PAINTED) != 0, :3].astype(np.float64)
        depth_m = seen @ images[frame.index].image_from_lidar[2, :3] + images[frame.index].image_from_lidar[2, 3]
        assert depth_m.min() > 0.0


def test_scores_of_a_painted_point_sum_to_one(painted: Path) -> None:
    layer = paintpipe.open_painted(painted).sequence("training")[0].layer(LAYER)
    sums = layer.scores.astype(np.float32).sum(axis=1)
    on = (layer.flags & Flag.PAINTED) != 0
    assert np.abs(sums[on] - 1.0).max() < 2e-3
    assert not sums[~on].any()
    assert (layer.label[~on] == 255).all()
    np.testing.assert_array_equal(layer.label[on], layer.scores[on].argmax(axis=1))


def test_both_cameras_overlap_and_the_larger_margin_wins(real_data: Path, tmp_path: Path) -> None:
    weights = real_data / "weights/espnetv2/espnetv2_s_0.5_city_1024x512.pth"
    succeed("ingest", "kitti", real_data / "kitti", "-w", tmp_path, "-q", "--limit", 1)
    model = ("--model", "espnetv2-s0.5-cityscapes", "--weights", weights, "--cameras", "all")
    succeed("paint", "-w", tmp_path, "-q", *model, "--provenance", "full")
    layer = paintpipe.open_painted(tmp_path).sequence("training")[0].layer("espnetv2-s0.5-cityscapes")
    both = (layer.flags & Flag.OVERLAP) != 0
    assert layer.camera_names == ("image_2", "image_3")
    assert 10_000 < both.sum() < IN_VIEW[0]
    first, second = layer.scores[both].astype(np.float32), layer.arrays["second/scores"][both].astype(np.float32)

    def margin(scores: np.ndarray) -> np.ndarray:
        ordered = np.sort(scores, axis=1)
        return ordered[:, -1] - ordered[:, -2]

    assert (margin(first) >= margin(second) - 2e-3).all()
    assert (layer.arrays["second/camera"][both] == 1 - layer.camera[both]).all()
