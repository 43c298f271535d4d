"""Real KITTI and SemanticKITTI frames: repainted, fused and calibrated through the command."""

from pathlib import Path

import numpy as np
import pytest
from support.command import succeed

import paintpipe
from paintpipe.pipeline.tables import read_parquet
from paintpipe.schemas.painted import Flag

MODEL = "espnetv2-s0.5-cityscapes"


@pytest.fixture(scope="module")
def network(real_data: Path) -> tuple[object, ...]:
    weights = real_data / "weights/espnetv2/espnetv2_s_0.5_city_1024x512.pth"
    return ("--model", MODEL, "--weights", weights, "-q", "--input-size", "320x96", "--provenance", "full")


def test_six_real_cameras_repainted_are_painted_anew(
    real_data: Path, network: tuple[object, ...], tmp_path: Path
) -> None:
    succeed("ingest", "nuscenes", real_data / "nuscenes", "-w", tmp_path, "-q")
    succeed("paint", "-w", tmp_path, *network, "--occlusion", "off", "--layer", "off")
    other = ("--overlap", "random", "--occlusion", "clear", "--edges", "smooth", "--temperature", "1.5")
    succeed("paint", "-w", tmp_path, *network, *other, "--layer", "anew")
    succeed("repaint", "-w", tmp_path, "-q", "--from", "off", *other, "--layer", "again")
    frame = paintpipe.open_painted(tmp_path).sequence("scene-0061")[0]
    anew, again = frame.layer("anew"), frame.layer("again")
    assert ((anew.flags & Flag.OVERLAP) != 0).sum() > 1000
    assert ((anew.flags & Flag.OCCLUDED) != 0).any()
    for name, array in anew.arrays.items():
        assert again.arrays[name].tobytes() == array.tobytes(), name


def test_a_real_street_is_fused_with_its_truth_and_calibrated(
    real_data: Path, network: tuple[object, ...], tmp_path: Path
) -> None:
    succeed("ingest", "semantickitti", real_data / "semantickitti/dataset", "-w", tmp_path, "-q", "--allow-rejects")
    succeed("paint", "-w", tmp_path, *network, "--limit", 1, "--frames-per-shard", 1)
    succeed("paint", "-w", tmp_path, "-q", "--oracle", "--limit", 1)
    succeed("calibrate", "-w", tmp_path, "-q", "--layer", MODEL)
    row = read_parquet(tmp_path / "tables/calibration.parquet").to_pylist()[0]
    assert row["nll_after"] < row["nll_before"]
    assert row["num_points"] > 15_000
    fused = ("--taxonomy", "semantickitti19", "--layer", "mix")
    succeed("fuse", "-w", tmp_path, "-q", "--layers", f"{MODEL},oracle", *fused)
    frame = paintpipe.open_painted(tmp_path).sequence("00")[0]
    mix, oracle = frame.layer("mix"), frame.layer("oracle")
    on = (mix.flags & Flag.PAINTED) != 0
    np.testing.assert_allclose(mix.scores[on].astype(np.float32).sum(axis=1), 1.0, atol=1e-3)
    alone = (oracle.flags & Flag.PAINTED != 0) & (mix.camera < 0)
    np.testing.assert_array_equal(mix.label[alone], oracle.label[alone])
    assert "all as they should be" in succeed("verify", "-w", tmp_path, "-q")
