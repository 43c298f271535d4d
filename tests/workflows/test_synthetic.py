"""Synthetic drives, where painting has exact ground truth."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.command import content, paintpipe, succeed

import paintpipe as library
from paintpipe.pipeline.tables import read_parquet
from paintpipe.schemas.painted import Flag

Paint = Callable[..., str]


def test_exact_images_paint_the_points_labels_off_depth_edges(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace)
    succeed("evaluate", "-w", workspace, "-q")
    edges = {row["depth_edge"]: row for row in read_parquet(workspace / "tables/edges.parquet").to_pylist()}
    assert edges["off"]["num_points"] > 5000
    assert edges["off"]["accuracy"] >= 0.99
    assert edges["on"]["num_points"] > 100
    assert edges["on"]["accuracy"] < edges["off"]["accuracy"]


def test_the_scene_with_six_cameras_too(scene: Path, tmp_path: Path) -> None:
    succeed("ingest", "nuscenes", scene, "-w", tmp_path, "-q", "--sweeps")
    succeed("paint", "-w", tmp_path, "--from-masks", scene / "masks", "-q")
    succeed("evaluate", "-w", tmp_path, "-q", "--fill", "nearest")
    edges = {row["depth_edge"]: row for row in read_parquet(tmp_path / "tables/edges.parquet").to_pylist()}
    assert edges["off"]["accuracy"] >= 0.99
    summary = {row["subset"]: row for row in read_parquet(tmp_path / "tables/summary.parquet").to_pylist()}
    assert summary["all points"]["miou"] is None
    assert summary["all points, filled"]["fill"] == "nearest"
    assert summary["all points, filled"]["miou"] > 0.3
    frames = list(library.open_painted(tmp_path).sequence("scene-0103"))
    assert len(frames) > 10
    assert all((frame.layer("masks").flags & Flag.OVERLAP).any() for frame in frames)


def test_street_tiny_is_the_default_on_synthetic_streets_only(workspace: Path) -> None:
    assert "layer street-tiny" in succeed("paint", "-w", workspace, "-q", "--limit", 2)
    frame = library.open_painted(workspace).sequence("08")[0]
    assert (frame.layer("street-tiny").flags & Flag.PAINTED).any()


def test_serial_and_threads_write_the_same_bytes(workspace: Path, paint_masks: Paint, tmp_path: Path) -> None:
    other = Path(shutil.copytree(workspace, tmp_path / "other"))
    policies = ("--occlusion", "clear", "--edges", "smooth", "--frames-per-shard", 2)
    paint_masks(workspace, "--executor", "serial", *policies)
    paint_masks(other, "--executor", "threads", "--workers", 3, *policies)
    for name in ("painted.zarr", "ledger"):
        assert content(workspace / name) == content(other / name)


def test_zarr_and_parquet_hold_the_same(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace, "--provenance", "full")
    paint_masks(workspace, "--provenance", "full", "--format", "parquet")
    stores = [library.open_painted(workspace / f"painted.{kind}") for kind in ("zarr", "parquet")]
    for one, other in zip(*(store.sequence("08") for store in stores), strict=True):
        np.testing.assert_array_equal(one.points, other.points)
        first, second = one.layer("masks").arrays, other.layer("masks").arrays
        assert first.keys() == second.keys()
        for name in first:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_a_plain_xarray_opens_the_store_after_a_second_layer(workspace: Path, paint_masks: Paint) -> None:
    xarray = pytest.importorskip("xarray")
    paint_masks(workspace)
    succeed("paint", "-w", workspace, "--oracle", "-q")
    store = workspace / "painted.zarr"
    frame = xarray.open_zarr(store, group="08", consolidated=False)
    assert frame["points"].dims == ("frame", "point", "feature")
    for layer in ("masks", "oracle"):
        opened = xarray.open_zarr(store, group=f"08/layers/{layer}", consolidated=False)
        expected = library.open_painted(workspace).sequence("08")[1].layer(layer)
        got = opened["scores"].isel(frame=1).values[: len(expected.label)]
        np.testing.assert_array_equal(got, expected.scores)
        assert opened.attrs["taxonomy"] in ("synthetic", "semantickitti19")


def test_mapping_at_paint_equals_mapping_at_evaluate(workspace: Path) -> None:
    succeed("paint", "-w", workspace, "--model", "street-tiny", "-q", "--layer", "own")
    options = ("--model", "street-tiny", "--taxonomy", "semantickitti19", "--layer", "mapped")
    succeed("paint", "-w", workspace, "-q", *options)
    succeed("evaluate", "-w", workspace, "-q")
    rows = read_parquet(workspace / "tables/summary.parquet").to_pylist()
    accuracy = {row["layer"]: row["accuracy"] for row in rows if row["subset"] == "points in view"}
    assert accuracy["own"] == pytest.approx(accuracy["mapped"], abs=2e-3)


def test_without_points_the_layer_stands_alone(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace, "--no-points")
    frame = library.open_painted(workspace).sequence("08")[0]
    assert len(frame.layer("masks").label) == frame.num_points
    with pytest.raises(library.schemas.errors.WorkspaceError):  # type: ignore[attr-defined]
        _ = frame.points
    succeed("evaluate", "-w", workspace, "-q")


def test_synth_writes_what_it_is_asked_for(tmp_path: Path) -> None:
    succeed("synth", tmp_path / "drive", "--frames", 1, "--seed", 5, "-q")
    assert len(list((tmp_path / "drive").rglob("*.bin"))) == 1
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letter.txt").write_text("mine")
    done = paintpipe("synth", tmp_path / "full", "-q")
    assert done.code == 2
    assert "holds other files" in done.err
