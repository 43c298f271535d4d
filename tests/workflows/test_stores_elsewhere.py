"""A dataset's root and a painted store by URL or in another folder: the bytes of a local run, found again by name."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.command import content, paintpipe, succeed

from paintpipe import open_painted
from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.open import open_folder
from paintpipe.pipeline.lock import workspace_lock

Paint = Callable[..., str]


def upload(root: Path, url: str) -> str:
    open_folder(url).publish(
        {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    )
    return url


def everything(folder: Folder) -> dict[str, bytes]:
    return {path: folder.read(path) for path in folder.walk()}


def of_a_local_run(workspace: Path) -> dict[str, bytes]:
    return content(workspace / "painted.zarr", workspace / "ledger")


def test_from_a_url_into_a_url(drive: Path, workspace: Path, tmp_path: Path, moto: str) -> None:
    oracle = ("paint", "--oracle", "-q", "--frames-per-shard", 2, "-w")
    succeed(*oracle, workspace)
    elsewhere, store = tmp_path / "elsewhere", f"{moto}/painted"
    succeed("ingest", "semantickitti", upload(drive, f"{moto}/kitti"), "-w", elsewhere, "-q")
    for name in ("frames", "images", "boxes", "rejected"):
        assert (elsewhere / f"catalog/{name}.parquet").read_bytes() == (
            workspace / f"catalog/{name}.parquet"
        ).read_bytes()
    out = succeed(*oracle, elsewhere, "--store", store)
    assert f"store: {store}/painted.zarr" in out
    assert everything(open_folder(store)) == of_a_local_run(workspace)
    assert {path.name for path in elsewhere.iterdir()} == {"catalog", "ledger", "paintpipe.toml"}
    assert {path.name for path in (elsewhere / "ledger").iterdir()} == {"runs"}
    # From now on nobody names the store.
    assert "3 shards were done already" in succeed(*oracle, elsewhere)
    assert "6 shards, all as they should be" in succeed("verify", "--inputs", "-w", elsewhere, "-q")
    assert "5 of 5 frames" in succeed("status", "-w", elsewhere)
    succeed("evaluate", "-w", elsewhere, "-q")
    succeed("evaluate", "-w", workspace, "-q")
    assert content(elsewhere / "tables") == content(workspace / "tables")
    succeed("view", "-w", elsewhere, "-q")
    local = open_painted(workspace).sequence("08")[4].layer("oracle")
    for place in (elsewhere, store, f"{store}/painted.zarr"):
        there = open_painted(place).sequence("08")[4].layer("oracle")
        np.testing.assert_array_equal(there.scores, local.scores)
    # A lost file is painted again, and all is as it was.
    open_folder(store).remove("painted.zarr/08/layers/oracle/label/c/1/0")
    assert "2 frames painted" in succeed(*oracle, elsewhere)
    assert everything(open_folder(store)) == of_a_local_run(workspace)


def test_worker_processes_find_the_store_by_its_url(workspace: Path, moto: str, paint_masks: Paint) -> None:
    paint_masks(workspace, "--frames-per-shard", 2)
    paint_masks(workspace, "--frames-per-shard", 2, "--store", moto, "--executor", "processes", "--workers", 2)
    assert everything(open_folder(moto)) == of_a_local_run(workspace)


def test_parquet_in_memory(workspace: Path, paint_masks: Paint) -> None:
    store = f"memory://{workspace.parent.name}"
    paint_masks(workspace, "--store", store, "--format", "parquet", "--executor", "serial")
    assert "all as they should be" in succeed("verify", "-w", workspace, "-q")
    done = paintpipe("paint", "-w", workspace, "-q", "--oracle", "--executor", "processes")
    assert done.code == 2
    assert "no other process sees this store" in done.err
    painted = everything(open_folder(store))
    paint_masks(workspace, "--store", workspace, "--format", "parquet")
    assert painted == content(workspace / "painted.parquet", workspace / "ledger")


def test_another_folder_is_remembered_and_the_workspace_again(
    workspace: Path, tmp_path: Path, paint_masks: Paint
) -> None:
    other = tmp_path / "big disk"
    paint_masks(workspace, "--store", other)
    assert tomllib.loads((workspace / "paintpipe.toml").read_text())["store"]["url"] == str(other)
    assert not (workspace / "painted.zarr").exists()
    assert "done already" in paint_masks(workspace)
    assert open_painted(workspace).layers() == open_painted(other).layers() == ("masks",)
    paint_masks(workspace, "--store", workspace)
    assert "url" not in tomllib.loads((workspace / "paintpipe.toml").read_text())["store"]
    assert content(workspace / "painted.zarr", workspace / "ledger") == content(
        other / "painted.zarr", other / "ledger"
    )


def test_two_workspaces_take_turns_in_one_store(workspace: Path, moto: str, paint_masks: Paint) -> None:
    marks = open_folder(f"{moto}/ledger")
    with workspace_lock(marks):
        done = paintpipe("paint", "-w", workspace, "--oracle", "-q", "--store", moto)
    assert done.code == 2
    assert f"{moto}/ledger/lock: another run works here: process" in done.err
    paint_masks(workspace, "--store", moto)
    assert marks.size("lock") is None


@pytest.mark.parametrize("url", ["ftp://host/x", "s3://", "s3://a:b@c/d"])
def test_a_url_that_makes_no_sense_exits_2(workspace: Path, url: str) -> None:
    done = paintpipe("paint", "-w", workspace, "--oracle", "-q", "--store", url)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert paintpipe("ingest", "kitti", url, "-w", workspace).code == 2
