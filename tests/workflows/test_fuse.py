"""`paintpipe fuse`: one layer from two."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.command import COMMAND, content, paintpipe, start, succeed

import paintpipe as library
from paintpipe.pipeline.tables import read_parquet, write_parquet
from paintpipe.schemas.errors import WorkspaceError
from paintpipe.schemas.painted import Flag
from paintpipe.stages.evaluate.class_choice import best_layers

Paint = Callable[..., str]


@pytest.fixture(scope="module")
def two_layers(ingested: Path, drive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drive painted from masks and by the ground truth, a shard a frame; to be copied."""
    workspace = Path(shutil.copytree(ingested, tmp_path_factory.mktemp("two") / "workspace"))
    succeed("paint", "-w", workspace, "-q", "--from-masks", drive / "masks", "--frames-per-shard", 1)
    succeed("paint", "-w", workspace, "-q", "--oracle")
    return workspace


@pytest.fixture
def painted(two_layers: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(two_layers, tmp_path / "workspace"))


def fuse(workspace: Path, *options: object) -> str:
    return succeed("fuse", "-w", workspace, "-q", "--layers", "masks,oracle", *options)


def test_average_of_two_layers(painted: Path) -> None:
    """Where both paint, halves of both; else the one that does. Masks are in other classes than the truth."""
    assert "5 frames painted" in fuse(painted, "--layer", "mix", "--taxonomy", "semantickitti19")
    frame = library.open_painted(painted).sequence("08")[1]
    mix, masks, oracle = (frame.layer(name) for name in ("mix", "masks", "oracle"))
    assert mix.attributes["taxonomy"] == "semantickitti19+other"
    assert ((mix.flags & Flag.PAINTED) != 0).tolist() == (((masks.flags | oracle.flags) & Flag.PAINTED) != 0).tolist()
    alone = (masks.flags & Flag.PAINTED) == 0
    np.testing.assert_array_equal(mix.scores[alone][:, : oracle.scores.shape[1]], oracle.scores[alone])
    both = ((masks.flags & oracle.flags) & Flag.PAINTED) != 0
    tops = np.sort(mix.scores[both].astype(np.float32), axis=1)[:, -2:]
    assert set(map(tuple, tops.tolist())) == {(0.0, 1.0), (0.5, 0.5)}
    np.testing.assert_array_equal(mix.camera[both], masks.camera[both])
    assert "all as they should be" in succeed("verify", "-w", painted, "-q")
    assert "margin" not in mix.arrays


def test_the_order_of_layers_does_not_matter_to_the_scores(painted: Path) -> None:
    taxonomy = ("--taxonomy", "semantickitti19", "--limit", 1, "--rule", "product")
    fuse(painted, "--layer", "one", *taxonomy)
    succeed("fuse", "-w", painted, "-q", "--layers", "oracle,masks", "--layer", "other", *taxonomy)
    frame = library.open_painted(painted).sequence("08")[0]
    assert frame.layer("one").scores.tobytes() == frame.layer("other").scores.tobytes()


def test_classes_by_the_last_evaluation_or_as_told(painted: Path, tmp_path: Path) -> None:
    per_class = ("--rule", "per-class", "--taxonomy", "semantickitti19", "--limit", 1)
    done = paintpipe("fuse", "-w", painted, "-q", "--layers", "masks,oracle", "--layer", "mix", *per_class)
    assert done.code == 2
    assert "no scores by class" in done.err
    succeed("evaluate", "-w", painted, "-q")
    fuse(painted, "--layer", "best", *per_class)
    stored = library.open_painted(painted).sequence("08")[0].layer("best")
    owners = dict(zip(stored.classes, stored.attributes["painter"]["owners"], strict=True))
    rows = read_parquet(painted / "tables/classes.parquet").to_pylist()
    ious = {(row["class"], row["layer"]): row["iou"] for row in rows if row["subset"] == "points in view"}
    assert ious["car", "oracle"] > ious["car", "masks"] > 0
    assert (owners["car"], owners["other"], owners["truck"]) == ("oracle", "masks", "masks")
    table = tmp_path / "classes.toml"
    table.write_text('car = "oracle"\nroad = "oracle"\n')
    fuse(painted, "--layer", "file", *per_class, "--class-layers", table)
    fuse(painted, "--layer", "told", *per_class, "--class-layers", "car=oracle, road=oracle")
    frame = library.open_painted(painted).sequence("08")[0]
    assert frame.layer("file").attributes["painter"] == frame.layer("told").attributes["painter"]
    assert frame.layer("told").scores.tobytes() == frame.layer("file").scores.tobytes()


PER_CLASS = ("--rule", "per-class", "--taxonomy", "semantickitti19", "--limit", 1)


def test_scores_by_class_of_a_layer_that_has_changed_are_not_used(workspace: Path, drive: Path, tmp_path: Path) -> None:
    """More frames painted since do not matter; other bytes in those that were judged do, and so do other classes."""
    masks = Path(shutil.copytree(drive / "masks", tmp_path / "masks"))
    paint = ("paint", "-w", workspace, "-q", "--frames-per-shard", 1)
    succeed(*paint, "--oracle")
    succeed(*paint, "--from-masks", masks, "--limit", 2)
    succeed("evaluate", "-w", workspace, "-q")
    succeed(*paint, "--from-masks", masks)
    fuse(workspace, "--layer", "grown", *PER_CLASS)
    path = sorted(masks.rglob("000001.png"))[0]
    cv2.imwrite(str(path), np.zeros_like(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)))
    succeed(*paint, "--from-masks", masks, "--overwrite")
    again = ("fuse", "-w", workspace, "-q", "--layers", "masks,oracle", "--layer", "mix", *PER_CLASS)
    done = paintpipe(*again)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "layer masks, or how its classes are mapped, has changed since it was evaluated" in done.err
    succeed("evaluate", "-w", workspace, "-q")
    assert "1 frame painted" in succeed(*again)
    table = read_parquet(workspace / "tables/classes.parquet")
    write_parquet(workspace / "tables/classes.parquet", table.replace_schema_metadata({}))
    assert "say what they are of; run `paintpipe evaluate` again" in paintpipe(*again, "--overwrite").err


def test_scores_by_class_in_other_classes_are_not_used(painted: Path) -> None:
    """All classes of the one taxonomy may be in the other: their names alone do not tell."""
    succeed("evaluate", "-w", painted, "-q", "--limit", 1)
    path = painted / "tables/classes.parquet"
    table = read_parquet(path)
    known = table.schema.metadata[b"paintpipe.judged"].replace(b"semantickitti19", b"kitti-det4")
    write_parquet(path, table.replace_schema_metadata({b"paintpipe.judged": known}))
    done = paintpipe("fuse", "-w", painted, "-q", "--layers", "masks,oracle", "--layer", "mix", *PER_CLASS)
    assert "was evaluated in the classes of kitti-det4, not semantickitti19" in done.err
    rows = [{**row, "class": "sea"} for row in table.to_pylist()]
    with pytest.raises(WorkspaceError, match="fuse and evaluate with the same --taxonomy"):
        best_layers(rows, ("masks", "oracle"), ("car", "road"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--layers", "masks,oracle"), "say with --taxonomy which classes"),
        (("--layers", "masks"), "two layers or more"),
        (("--layers", "masks,masks"), "two layers or more"),
        (("--layers", "masks,gone"), "no painted layer 'gone'"),
        (("--layers", "masks,mix"), "can't be one of those"),
        (("--layers", "masks,oracle", "--taxonomy", "cityscapes19"), "no mapping leads from"),
        (("--layers", "masks,oracle", "--class-layers", "car=masks"), "--rule per-class"),
        (("--layers", "masks,oracle", "--rule", "per-class", "--class-layers", "car"), "CLASS=LAYER"),
        (("--layers", "masks,oracle", "--rule", "per-class", "--class-layers", "car=masks,car=x"), "each class once"),
        (("--layers", "masks,oracle", "--rule", "per-class", "--class-layers", "x=masks", "--taxonomy", "kitti-det4"),
         "no class 'x'"),
        (("--layers", "masks,oracle", "--rule", "per-class", "--class-layers", "car=x", "--taxonomy", "kitti-det4"),
         "from layer 'x'"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_in_one_line(painted: Path, options: tuple[str, ...], told: str) -> None:
    done = paintpipe("fuse", "-w", painted, "-q", "--layer", "mix", *options)
    assert done.code == 2
    assert told in done.err
    assert len(done.err.splitlines()) == 1


def test_only_what_both_layers_have_is_fused(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace, "--frames-per-shard", 1, "--limit", 2)
    succeed("paint", "-w", workspace, "-q", "--oracle")
    assert "2 frames painted" in fuse(workspace, "--layer", "mix", "--taxonomy", "semantickitti19")
    paint_masks(workspace)
    assert "3 frames painted" in fuse(workspace, "--layer", "mix", "--taxonomy", "semantickitti19")


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")
def test_killed_in_mid_fuse_and_started_again_gives_the_same_bytes(painted: Path, tmp_path: Path) -> None:
    whole = Path(shutil.copytree(painted, tmp_path / "whole"))
    options = ("--layer", "mix", "--taxonomy", "semantickitti19", "--executor", "serial")
    fuse(whole, *options)
    marks = painted / "ledger/layers/mix/08"
    process = start("fuse", "-w", painted, "-q", "--layers", "masks,oracle", *options)
    while not list(marks.glob("0*.json")) and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.communicate()
    assert len(list(marks.glob("0*.json"))) < 5, "the kill came too late to prove anything"
    fuse(painted, *options)
    for name in ("painted.zarr", "ledger"):
        assert content(painted / name) == content(whole / name)
    assert not list(painted.rglob("*.partial"))


def test_processes_write_the_bytes_of_threads(painted: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(painted, tmp_path / "other"))
    options = ("--layer", "mix", "--taxonomy", "semantickitti19", "--limit", 2)
    fuse(painted, *options)
    fuse(other, *options, "--executor", "processes", "--workers", 1)
    assert content(other / "painted.zarr") == content(painted / "painted.zarr")
    assert content(other / "ledger") == content(painted / "ledger")
