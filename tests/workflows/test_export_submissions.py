"""Submissions to the benchmarks, written by the command and judged by the official tools and by paintpipe itself."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from support.command import content, paintpipe, succeed
from support.submissions import refusals

from paintpipe.pipeline.tables import read_parquet
from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.write import write_semantickitti
from paintpipe.workflows.catalog import open_catalog

Paint = Callable[..., str]
SPLITS = "nuscenes.eval.lidarseg.utils.create_splits_scenes"


def figures(workspace: Path, table: str, subset: str, *, layer: str) -> list[dict[str, Any]]:
    """Rows of a table about some points of a layer, without what names the layer and the subset."""
    names = ("layer", "subset", "fill", "tta")
    rows = read_parquet(workspace / f"tables/{table}.parquet").to_pylist()
    kept = [row for row in rows if row["subset"] == subset and row["layer"] == layer]
    assert kept, {(row["subset"], row["layer"]) for row in rows}
    return [{key: value for key, value in row.items() if key not in names} for row in kept]


def assert_scores_of_the_export_are_those_of_the_layer(workspace: Path, out: Path) -> None:
    succeed("evaluate", "-w", workspace, "-q", "--layer", "masks", "--fill", "nearest")
    filled = {name: figures(workspace, name, "all points, filled", layer="masks") for name in ("summary", "classes")}
    succeed("paint", "-w", workspace, "--from-predictions", out, "--layer", "submitted", "-q")
    succeed("evaluate", "-w", workspace, "-q", "--layer", "submitted")
    for name, rows in filled.items():
        submitted = figures(workspace, name, "all points", layer="submitted")
        assert [{key: row[key] for key in rows[0]} for row in submitted] == rows


def test_semantickitti_is_submitted_and_scores_the_same(workspace: Path, paint_masks: Paint, tmp_path: Path) -> None:
    paint_masks(workspace)
    out = tmp_path / "out"
    printed = succeed("export", "-w", workspace, "--to", "semantickitti", "--out", out, "--fill", "nearest", "-q")
    assert "sequence 08: 5 of 4071 scans" in printed
    assert json.loads((out / "completeness.json").read_text())["complete"] is False
    rows = open_catalog(workspace / "catalog").frames("08", 0, 5)
    scans = {"08": {row.frame_id: row.num_points for row in rows}}
    assert refusals((out / "submission.zip").read_bytes(), scans) == []
    with zipfile.ZipFile(out / "submission.zip") as archive:
        for row in rows:
            path = f"sequences/08/predictions/{row.frame_id}.label"
            assert archive.read(path) == (out / path).read_bytes()
    assert_scores_of_the_export_are_those_of_the_layer(workspace, out)


def test_a_zip_that_the_server_would_refuse_is_told(
    workspace: Path, paint_masks: Paint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_folders(paths: Any, read: Any, file: Any) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for path in paths:
                archive.writestr(path, read(path))

    paint_masks(workspace, "--frames-per-shard", 1, "--limit", 1)
    command = ("export", "-w", workspace, "--to", "semantickitti", "--out", tmp_path / "out", "--fill", "road", "-q")
    with monkeypatch.context() as patch:
        patch.setattr("paintpipe.stages.export.submissions.semantickitti.write_zip", without_folders)
        done = paintpipe(*command, "--partial")
    assert done.code == 1
    assert "submission.zip: no entry for the folder sequences/08/predictions/" in done.out
    succeed(*command, "--partial")
    succeed(*command, "--partial", "--check")


def test_the_test_split_is_submitted_alone(tmp_path: Path) -> None:
    root, workspace, out = tmp_path / "root", tmp_path / "workspace", tmp_path / "out"
    write_semantickitti(root, SynthSettings(seed=5, sequences=("08", "11"), frames=1, azimuths=200, beams=16))
    succeed("ingest", "semantickitti", root, "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "--from-masks", root / "masks", "-q")
    command = ("export", "-w", workspace, "--to", "semantickitti", "--out", out, "--fill", "nearest", "-q")
    printed = succeed(*command, "--split", "test")
    assert "sequence 11: 1 of 921 scans" in printed
    assert "nothing of 10 sequences: 12, 13, 14, 15, 16, …" in printed
    (row,) = open_catalog(workspace / "catalog").frames("11", 0, 1)
    data = (out / "submission.zip").read_bytes()
    assert refusals(data, {"11": {row.frame_id: row.num_points}}) == []
    assert refusals(data, {"08": {}}) == ["sequences/08/ missing", "sequences/08/predictions/ missing"]


def test_without_a_rule_the_first_unlabelled_points_are_told(
    workspace: Path, paint_masks: Paint, tmp_path: Path
) -> None:
    paint_masks(workspace)
    done = paintpipe("export", "-w", workspace, "--to", "semantickitti", "--out", tmp_path / "out", "-q")
    assert done.code == 2
    assert "sequence 08, scan 00000" in done.err
    assert "points are unlabelled; expected a class for every point; add --fill nearest or --fill CLASS" in done.err
    assert not list(tmp_path.glob("out/sequences/**/*.label"))


def test_a_class_fills_too_and_every_executor_writes_the_same(
    workspace: Path, paint_masks: Paint, tmp_path: Path
) -> None:
    paint_masks(workspace, "--frames-per-shard", 2)
    command = ("export", "-w", workspace, "--to", "semantickitti", "--fill", "road", "-q")
    succeed(*command, "--out", tmp_path / "one", "--executor", "serial")
    succeed(*command, "--out", tmp_path / "two", "--executor", "threads", "--workers", 3)
    one, two = (content(tmp_path / name) for name in ("one", "two"))
    assert {key.partition("/")[2]: value for key, value in one.items()} == {
        key.partition("/")[2]: value for key, value in two.items()
    }
    ids = np.frombuffer(one["one/sequences/08/predictions/000000.label"], "<u4")
    assert (ids == 40).mean() > 0.5


@pytest.fixture
def lidarseg(scene: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A painted workspace of the scene, and its export."""
    workspace, out = tmp_path / "workspace", tmp_path / "out"
    succeed("ingest", "nuscenes", scene, "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "--from-masks", scene / "masks", "-q")
    printed = succeed("export", "-w", workspace, "--to", "nuscenes-lidarseg", "--out", out, "--fill", "nearest", "-q")
    assert "set mini_val: 1 of 81 scans" in printed
    assert "nothing of 1 sequences: scene-0916" in printed
    return workspace, out


def test_lidarseg_is_submitted_and_scores_the_same(lidarseg: tuple[Path, Path]) -> None:
    assert_scores_of_the_export_are_those_of_the_layer(*lidarseg)


def test_the_devkits_own_validator_takes_it(lidarseg: tuple[Path, Path], scene: Path) -> None:
    """The validator of the installed devkit, told that the set is this one scene; and it refuses what is wrong."""
    from nuscenes import NuScenes
    from nuscenes.eval.lidarseg.validate_submission import validate_submission

    _, out = lidarseg
    devkit = NuScenes("v1.0-mini", str(scene), verbose=False)
    with mock.patch(SPLITS, return_value={"mini_val": ["scene-0103"]}):
        validate_submission(devkit, str(out), "mini_val")
        (labels,) = out.glob("lidarseg/mini_val/*.bin")
        labels.write_bytes(b"\0" + labels.read_bytes()[1:])
        with pytest.raises(AssertionError, match="must be between 1 and 16"):
            validate_submission(devkit, str(out), "mini_val")


def test_what_the_inputs_were_may_be_told(lidarseg: tuple[Path, Path], tmp_path: Path) -> None:
    workspace, _ = lidarseg
    command = ("export", "-w", workspace, "--to", "nuscenes-lidarseg", "--out", tmp_path / "own", "--fill", "manmade")
    succeed(*command, "--option", "use_external=false", "--option", "zip=false", "-q")
    meta = json.loads((tmp_path / "own/mini_val/submission.json").read_text())["meta"]
    assert meta["use_external"] is False
    assert not (tmp_path / "own/submission.zip").exists()


def test_real_scans_are_submitted_with_their_own_labels(real_data: Path, tmp_path: Path) -> None:
    """The oracle's submission of real scans is the ground truth, moving classes counted as standing ones."""
    succeed("ingest", "semantickitti", real_data / "semantickitti", "-w", tmp_path, "-q", "--allow-rejects")
    succeed("paint", "-w", tmp_path, "--oracle", "-q")
    out = tmp_path / "out"
    succeed("export", "-w", tmp_path, "--to", "semantickitti", "--out", out, "--fill", "road", "-q")
    same = {10, 11, 15, 18, 20, 30, 31, 32, 40, 44, 48, 49, 50, 51, 70, 71, 72, 80, 81}
    for path in sorted(out.glob("sequences/00/predictions/*.label")):
        labels = real_data / "semantickitti/dataset/sequences/00/labels" / path.name
        truth, found = np.fromfile(labels, "<u4") & 0xFFFF, np.fromfile(path, "<u4")
        plain = np.isin(truth, list(same))
        assert plain.sum() > 100_000
        assert np.array_equal(found[plain], truth[plain])
        assert set(found[truth == 252]) <= {10}
    assert len(list(out.glob("sequences/00/predictions/*.label"))) == 3


def test_the_real_nuscenes_sample_is_submitted(real_data: Path, tmp_path: Path) -> None:
    """The classes of a layer, one by one, as the devkit's validator wants them."""
    from nuscenes import NuScenes
    from nuscenes.eval.lidarseg.validate_submission import validate_submission

    workspace, out = tmp_path / "workspace", tmp_path / "out"
    succeed("ingest", "nuscenes", real_data / "nuscenes", "-w", workspace, "-q")
    classes = np.random.default_rng(5).integers(0, 16, 34688).astype(np.uint8)
    (row,) = open_catalog(workspace / "catalog").frames("scene-0061", 0, 1)
    (tmp_path / "scene-0061").mkdir()
    np.save(tmp_path / f"scene-0061/{row.frame_id}.npy", classes)
    succeed("paint", "-w", workspace, "--from-predictions", tmp_path, "--taxonomy", "nuscenes16", "-q")
    command = ("export", "-w", workspace, "--to", "nuscenes-lidarseg", "--out", out, "-q")
    succeed(*command)
    (path,) = out.glob("lidarseg/mini_train/*_lidarseg.bin")
    assert np.array_equal(np.fromfile(path, np.uint8), classes + 1)
    devkit = NuScenes("v1.0-mini", str(real_data / "nuscenes"), verbose=False)
    devkit.lidarseg, devkit.lidarseg_name2idx_mapping = [], {}  # as for the test set: points are counted instead
    with mock.patch(SPLITS, return_value={"mini_train": ["scene-0061"]}):
        validate_submission(devkit, str(out), "mini_train")
    assert "read back" in succeed(*command, "--check")
