"""`paintpipe calibrate`: the scores of street-tiny, fitted on one street and tried on another."""

import json
import shutil
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.command import paintpipe, succeed

from paintpipe.pipeline.tables import read_parquet
from paintpipe.schemas import tables
from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.write import write_semantickitti

NET = "street-tiny"


@pytest.fixture(scope="module")
def streets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two streets that street-tiny has not seen, painted by it; to be copied."""
    folder = tmp_path_factory.mktemp("streets")
    write_semantickitti(folder / "data", SynthSettings(seed=11, sequences=("00", "08"), frames=2, azimuths=300))
    succeed("ingest", "semantickitti", folder / "data", "-w", folder / "workspace", "-q")
    succeed("paint", "-w", folder / "workspace", "-q", "--frames-per-shard", 1)
    return folder / "workspace"


@pytest.fixture
def painted(streets: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(streets, tmp_path / "workspace"))


def test_temperature_lowers_the_error_on_frames_held_out(painted: Path) -> None:
    said = json.loads(succeed("calibrate", "-w", painted, "-q", "--held-out", "08", "--json"))
    fitted, held_out = said["calibration"]
    assert (fitted["selection"], held_out["selection"]) == ("fitted", "held out")
    assert said["temperature"] > 1.1, "street-tiny is too sure of itself"
    assert "no painted layer ''" in paintpipe("calibrate", "-w", painted, "-q", "--layer", "").err
    for row in (fitted, held_out):
        assert row["nll_after"] < row["nll_before"]
        assert row["ece_after"] < 0.7 * row["ece_before"]
        assert row["num_points"] > 1500
    assert read_parquet(painted / "tables/calibration.parquet").schema.equals(tables.CALIBRATION)
    assert cv2.imread(str(painted / f"figures/{NET}-calibration.png")).shape[1] > 1000
    # What the layer then holds says the same, as far as float16 goes.
    fit_only = ("evaluate", "-w", painted, "-q", "--layer", NET, "--layer", "cool", "--sequences", "08")
    succeed("repaint", "-w", painted, "-q", "--from", NET, "--layer", "cool", "--temperature", "fitted")
    succeed(*fit_only)
    rows = {row["layer"]: row for row in read_parquet(painted / "tables/confidence.parquet").to_pylist()}
    assert rows[NET]["ece"] == pytest.approx(held_out["ece_before"], abs=1e-12)
    assert rows[NET]["nll"] == pytest.approx(held_out["nll_before"], abs=1e-9)
    assert rows["cool"]["ece"] == pytest.approx(held_out["ece_after"], abs=2e-4)
    assert rows["cool"]["nll"] == pytest.approx(held_out["nll_after"], abs=1e-3)
    assert rows["cool"]["accuracy"] == rows[NET]["accuracy"]
    assert sum(row["points"] for row in read_parquet(painted / "tables/reliability.parquet").to_pylist()) == (
        rows["cool"]["num_points"] * 2
    )


def test_what_was_fitted_is_kept_with_the_layer_until_it_is_painted_anew(painted: Path) -> None:
    said = json.loads(succeed("calibrate", "-w", painted, "-q", "--sequences", "00", "--json"))
    known = tomllib.loads((painted / "paintpipe.toml").read_text())["layers"][NET]
    assert known["temperature"] == said["temperature"]
    succeed("paint", "-w", painted, "-q", "--overwrite", "--projection", "openpcdet", "--limit", 1)
    done = paintpipe("repaint", "-w", painted, "-q", "--from", NET, "--layer", "cool", "--temperature", "fitted")
    assert done.code == 2
    assert "fitted before layer street-tiny was painted anew" in done.err


def test_a_temperature_is_refused_after_other_inputs_gave_other_scores(
    workspace: Path, drive: Path, tmp_path: Path
) -> None:
    """The settings are the same; a mask is not. A frame that was not fitted on may change."""
    masks = Path(shutil.copytree(drive / "masks", tmp_path / "masks"))
    paint = ("paint", "-w", workspace, "-q", "--from-masks", masks, "--frames-per-shard", 1)
    warm = ("repaint", "-w", workspace, "-q", "--from", "masks", "--layer", "warm", "--temperature", "fitted")
    succeed(*paint)
    succeed("calibrate", "-w", workspace, "-q", "--limit", 2)
    for name, code in (("000002", 0), ("000001", 2)):
        path = sorted(masks.rglob(f"{name}.png"))[0]
        cv2.imwrite(str(path), np.zeros_like(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)))
        succeed(*paint, "--overwrite")
        done = paintpipe(*warm, "--overwrite")
        assert done.code == code
    assert "fitted before layer masks was painted anew" in done.err


def test_the_parts_of_the_work_do_not_matter(painted: Path) -> None:
    one, other = (
        json.loads(succeed("calibrate", "-w", painted, "-q", "--json", "--limit", 3, "--executor", *executor))
        for executor in (("serial",), ("threads", "--workers", 2))
    )
    assert one["temperature"] == other["temperature"]
    assert one["calibration"] == other["calibration"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--sequences", "08", "--held-out", "08"), "to be fitted on and held out"),
        (("--held-out", "00,08"), "no painted frame is left"),
        (("--held-out", "99"), "no painted sequence or split '99'"),
        (("--sequences", "99"), "no painted sequence '99'"),
        (("--split", "nowhere"), "no painted split 'nowhere'"),
        (("--layer", "gone"), "no painted layer 'gone'"),
        (("--taxonomy", "nuimages"), "no mapping leads from"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(painted: Path, options: tuple[str, ...], told: str) -> None:
    done = paintpipe("calibrate", "-w", painted, "-q", *options)
    assert done.code == 2
    assert told in done.err
    assert len(done.err.splitlines()) == 1


def test_labels_that_settle_nothing_are_told(painted: Path) -> None:
    """The ground truth is always right: the surer, the likelier."""
    succeed("paint", "-w", painted, "-q", "--oracle", "--limit", 2)
    assert "the likelihood still rises" in succeed("calibrate", "-w", painted, "-q", "--layer", "oracle")
