"""Runs that are killed, repeated, changed or doubled."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command import COMMAND, content, paintpipe, start, succeed

Paint = Callable[..., str]
SHARDS = ("--frames-per-shard", 1)


def marks(workspace: Path) -> list[Path]:
    """The marks so far; looks into no folder that a run at work may be about to remove."""
    return [*(workspace / "ledger").glob("points/*/0*.json"), *(workspace / "ledger").glob("layers/*/*/0*.json")]


@pytest.fixture
def reference(ingested: Path, tmp_path: Path, paint_masks: Paint) -> dict[str, bytes]:
    """The bytes of an uninterrupted run."""
    whole = Path(shutil.copytree(ingested, tmp_path / "whole"))
    paint_masks(whole, *SHARDS)
    return content(whole / "painted.zarr", whole / "ledger")


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")
def test_killed_in_mid_paint_and_started_again_gives_the_same_bytes(
    workspace: Path, drive: Path, paint_masks: Paint, reference: dict[str, bytes]
) -> None:
    """Killed as soon as the first marks appear, twice at growing distance, then finished."""
    arguments = ("paint", "-w", workspace, "--from-masks", drive / "masks", "-q", "--executor", "serial", *SHARDS)
    for count in (1, 3):
        process = start(*arguments)
        while len(marks(workspace)) < count and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        process.communicate()
    assert len(marks(workspace)) < 10, "the kill came too late to prove anything"
    paint_masks(workspace, *SHARDS)
    assert content(workspace / "painted.zarr", workspace / "ledger") == reference
    assert not list(workspace.rglob("*.partial"))
    assert "all as they should be" in succeed("verify", "-w", workspace, "-q")


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")
def test_a_second_run_is_refused_while_the_first_works(workspace: Path, drive: Path, paint_masks: Paint) -> None:
    process = start("paint", "-w", workspace, "--from-masks", drive / "masks", "-q", *SHARDS)
    lock = workspace / "ledger/lock"
    while not (lock.is_file() and lock.stat().st_size) and process.poll() is None:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGSTOP)
    try:
        second = paintpipe("paint", "-w", workspace, "--oracle", "-q")
    finally:
        os.kill(process.pid, signal.SIGCONT)
    process.communicate()
    assert process.returncode == 0
    assert second.code == 2
    assert f"process {process.pid}" in second.err
    assert len(second.err.splitlines()) == 1
    paint_masks(workspace, *SHARDS)


def test_ctrl_c_says_how_to_go_on(workspace: Path, drive: Path, paint_masks: Paint) -> None:
    process = start("paint", "-w", workspace, "--from-masks", drive / "masks", "-q", "--executor", "serial", *SHARDS)
    while not marks(workspace) and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "run the same command again" in err
    assert "Traceback" not in err
    paint_masks(workspace, *SHARDS)
    assert "all as they should be" in succeed("verify", "-w", workspace, "-q")


def test_what_is_done_is_not_done_again(workspace: Path, paint_masks: Paint) -> None:
    assert "5 frames painted" in paint_masks(workspace)
    stamps = {path: path.stat().st_mtime_ns for path in (workspace / "painted.zarr").rglob("c/*/*")}
    assert "0 frames painted" in paint_masks(workspace)
    assert stamps == {path: path.stat().st_mtime_ns for path in stamps}


def test_a_limit_rounds_up_to_whole_shards_and_the_rest_follows(
    workspace: Path, paint_masks: Paint, reference: dict[str, bytes]
) -> None:
    assert "2 frames painted" in paint_masks(workspace, *SHARDS, "--limit", 2)
    assert "3 frames painted" in paint_masks(workspace)
    assert content(workspace / "painted.zarr", workspace / "ledger") == reference


def test_changed_settings_are_named_and_overwritten_only_on_demand(
    workspace: Path, drive: Path, paint_masks: Paint
) -> None:
    paint_masks(workspace)
    before = content(workspace / "painted.zarr")
    masks = ("--from-masks", drive / "masks", "-q")
    done = paintpipe("paint", "-w", workspace, *masks, "--projection", "openpcdet")
    assert done.code == 2
    assert "projection: default → openpcdet" in done.err
    assert content(workspace / "painted.zarr") == before
    succeed("paint", "-w", workspace, *masks, "--projection", "openpcdet", "--overwrite")
    assert content(workspace / "painted.zarr") != before
    paint_masks(workspace, "--overwrite")
    assert content(workspace / "painted.zarr") == before


def test_a_changed_input_is_noticed(drive: Path, tmp_path: Path) -> None:
    copy, workspace = Path(shutil.copytree(drive, tmp_path / "drive")), tmp_path / "workspace"
    succeed("ingest", "semantickitti", copy, "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "--from-masks", copy / "masks", "-q")
    with (copy / "sequences/08/image_2/000001.png").open("ab") as file:
        file.write(b"x")
    done = paintpipe("paint", "-w", workspace, "--from-masks", copy / "masks", "-q")
    assert done.code == 2
    assert "file_sizes" in done.err


def test_verify_says_what_is_wrong_where(workspace: Path, drive: Path, paint_masks: Paint) -> None:
    paint_masks(workspace)
    label = workspace / "painted.zarr/08/layers/masks/label/c/0/0"
    damaged = bytearray(label.read_bytes())
    damaged[100] ^= 1
    label.write_bytes(bytes(damaged))
    done = paintpipe("verify", "-w", workspace, "-q")
    assert done.code == 1
    assert "label/c/0/0" in done.out
    assert "sha256" in done.out


def test_verify_inputs_finds_a_changed_image(drive: Path, tmp_path: Path) -> None:
    copy, workspace = Path(shutil.copytree(drive, tmp_path / "drive")), tmp_path / "workspace"
    succeed("ingest", "semantickitti", copy, "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "--oracle", "-q")
    points = copy / "sequences/08/velodyne/000002.bin"
    raw = bytearray(points.read_bytes())
    raw[17] ^= 1
    points.write_bytes(bytes(raw))
    assert paintpipe("verify", "-w", workspace, "-q").code == 0
    done = paintpipe("verify", "-w", workspace, "-q", "--inputs")
    assert done.code == 1
    assert "000002.bin" in done.out
