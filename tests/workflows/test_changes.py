"""What changes between runs: masks, catalogs, stores and settings files; nothing stale is taken for done."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.command import content, paintpipe, succeed

import paintpipe as library
from paintpipe.pipeline.ledger import decode_mark
from paintpipe.pipeline.tables import read_parquet
from paintpipe.schemas.painted import Flag

Paint = Callable[..., str]


@pytest.fixture
def masks(drive: Path, tmp_path: Path) -> Path:
    """The drive's masks, to be changed."""
    return Path(shutil.copytree(drive / "masks", tmp_path / "masks"))


@pytest.fixture
def copy(drive: Path, tmp_path: Path) -> Path:
    """The drive, to be changed."""
    return Path(shutil.copytree(drive, tmp_path / "drive"))


def test_other_masks_are_noticed_and_painted_on_demand(workspace: Path, masks: Path) -> None:
    options = ("paint", "-w", workspace, "--from-masks", masks, "-q")
    succeed(*options)
    path = masks / "sequences/08/image_2/000002.png"
    cv2.imwrite(str(path), np.zeros_like(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)))
    done = paintpipe(*options)
    assert done.code == 2
    assert "painter_files" in done.err
    succeed(*options, "--overwrite")
    frame = library.open_painted(workspace).sequence("08")[2].layer("masks")
    assert set(frame.label.tolist()) == {0, 255}


def test_a_missing_mask_is_remembered_and_one_added_later_is_painted(workspace: Path, masks: Path) -> None:
    path = masks / "sequences/08/image_2/000002.png"
    path.rename(masks / "aside.png")
    options = ("paint", "-w", workspace, "--from-masks", masks, "-q")
    for _ in range(2):
        done = paintpipe(*options)
        assert done.code == 1
        assert "no mask" in done.out
    (mark,) = (decode_mark(path.read_bytes()) for path in (workspace / "ledger/layers/masks/08").iterdir())
    assert mark is not None
    assert list(mark.rejects) == [2]
    (masks / "aside.png").rename(path)
    assert paintpipe(*options).code == 2
    succeed(*options, "--overwrite")
    assert (library.open_painted(workspace).sequence("08")[2].layer("masks").flags & Flag.PAINTED).any()


def test_overwrite_mends_a_damaged_shard_and_leaves_the_others(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace, "--frames-per-shard", 1)
    before = content(workspace / "painted.zarr")
    damaged = workspace / "painted.zarr/08/layers/masks/label/c/3/0"
    data = bytearray(damaged.read_bytes())
    data[50] ^= 255
    damaged.write_bytes(bytes(data))
    assert "1 frame painted" in paint_masks(workspace, "--overwrite")
    assert content(workspace / "painted.zarr") == before


def test_a_store_that_is_gone_is_painted_again(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace)
    before = content(workspace / "painted.zarr")
    (workspace / "painted.zarr/08/layers/masks/flags/c/0/0").unlink()
    done = paintpipe("evaluate", "-w", workspace, "-q")
    assert done.code == 2
    assert "gone" in done.err
    paint_masks(workspace)
    assert content(workspace / "painted.zarr") == before
    shutil.rmtree(workspace / "painted.zarr")
    assert "5 frames painted" in paint_masks(workspace)
    assert content(workspace / "painted.zarr") == before


def test_one_layer_has_one_painter_in_all_sequences(tmp_path: Path) -> None:
    succeed("synth", tmp_path / "two", "--sequences", "00,08", "--frames", 1, "-q")
    workspace = tmp_path / "workspace"
    succeed("ingest", "semantickitti", tmp_path / "two", "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "-q", "--oracle", "--layer", "z", "--sequences", "00")
    masks = ("--from-masks", tmp_path / "two/masks", "--layer", "z", "--sequences", "08")
    done = paintpipe("paint", "-w", workspace, "-q", *masks)
    assert done.code == 2
    assert "layer z of 00" in done.err
    succeed("paint", "-w", workspace, "-q", *masks, "--overwrite")
    assert library.open_painted(workspace).layers("00") == ()
    succeed("paint", "-w", workspace, "-q", "--oracle", "--sequences", "00")
    succeed("evaluate", "-w", workspace, "-q", "--sequences", "00")
    assert {row["layer"] for row in read_parquet(workspace / "tables/summary.parquet").to_pylist()} == {"oracle"}


def test_a_catalog_ingested_anew_is_never_mixed_with_old_paint(copy: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    succeed("ingest", "semantickitti", copy, "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "-q", "--from-masks", copy / "masks")
    (copy / "sequences/08/velodyne/000000.bin").unlink()
    succeed("ingest", "semantickitti", copy, "-w", workspace, "-q", "--allow-rejects")
    for words in (("evaluate",), ("view",), ("paint", "--from-masks", copy / "masks")):
        done = paintpipe(*words, "-w", workspace, "-q")
        assert done.code == 2, done
        assert "catalog" in done.err
        assert len(done.err.splitlines()) == 1
    succeed("paint", "-w", workspace, "-q", "--from-masks", copy / "masks", "--overwrite")
    succeed("evaluate", "-w", workspace, "-q")
    assert library.open_painted(workspace).sequence("08")[0].frame_id == "000001"
    succeed("verify", "-w", workspace, "-q")


def test_a_layer_can_not_be_named_like_an_unfinished_file(workspace: Path) -> None:
    done = paintpipe("paint", "-w", workspace, "--oracle", "-q", "--layer", "x.partial")
    assert done.code == 2
    assert "x.partial" in done.err


def test_labels_that_can_not_be_read_are_told_by_evaluate(copy: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    succeed("ingest", "semantickitti", copy, "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "-q", "--from-masks", copy / "masks")
    (copy / "sequences/08/labels/000001.label").unlink()
    done = paintpipe("evaluate", "-w", workspace, "-q")
    assert done.code == 1
    assert "000001.label" in done.out


@pytest.mark.parametrize("kind", ["zarr", "parquet"])
def test_a_store_is_read_without_its_settings_file(workspace: Path, paint_masks: Paint, kind: str) -> None:
    paint_masks(workspace, "--format", kind, "--frames-per-shard", 2)
    before = [frame.layer("masks").label for frame in library.open_painted(workspace).sequence("08")]
    (workspace / "paintpipe.toml").unlink()
    after = [frame.layer("masks").label for frame in library.open_painted(workspace / f"painted.{kind}").sequence("08")]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    succeed("evaluate", "-w", workspace, "-q")
    assert "0 frames painted" in paint_masks(workspace)


def test_verify_inputs_passes_on_untouched_data(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace)
    assert "all as they should be" in succeed("verify", "-w", workspace, "-q", "--inputs")


def test_a_damaged_prediction_costs_its_frame_and_is_told(workspace: Path, drive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "predictions/sequences/08/predictions"
    shutil.copytree(drive / "sequences/08/labels", folder)
    damaged = folder / "000003.label"
    damaged.write_bytes(damaged.read_bytes()[:-4])
    done = paintpipe("paint", "-w", workspace, "-q", "--from-predictions", tmp_path / "predictions")
    assert done.code == 1
    assert "000003.label" in done.out
    (mark,) = (decode_mark(path.read_bytes()) for path in (workspace / "ledger/layers/predictions/08").iterdir())
    assert mark is not None
    assert list(mark.rejects) == [3]
    succeed("evaluate", "-w", workspace, "-q")


def test_a_layer_that_can_not_be_judged_does_not_hide_the_others(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace)
    network = ("--model", "street-tiny", "--taxonomy", "kitti-det4", "--layer", "boxes-only")
    succeed("paint", "-w", workspace, "-q", *network)
    done = paintpipe("evaluate", "-w", workspace, "-q")
    assert done.code == 1
    assert "boxes-only is left out" in done.out
    assert "| masks |" in done.out
    assert paintpipe("evaluate", "-w", workspace, "-q", "--layer", "boxes-only").code == 2


def test_naming_the_cameras_that_are_painted_anyway_changes_nothing(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace)
    assert "0 frames painted" in paint_masks(workspace, "--cameras", "image_2")
    assert "0 frames painted" in paint_masks(workspace, "--cameras", "all")
    done = paintpipe("paint", "-w", workspace, "-q", "--oracle", "--cameras", "rear")
    assert done.code == 2
    assert "image_2" in done.err


def test_a_layer_that_was_created_but_never_painted_is_no_obstacle(workspace: Path) -> None:
    failed = paintpipe("paint", "-w", workspace, "-q", "--layer", "net", "--input-size", "100x64")
    assert failed.code == 2
    assert "multiples of 32 pixels, such as 96x64" in failed.err
    succeed("paint", "-w", workspace, "-q", "--layer", "net", "--input-size", "96x64")
