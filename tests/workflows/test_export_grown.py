"""A recording (a file over a whole sequence) whose sequence has grown since."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command import content, paintpipe, succeed
from support.mcap_files import only, read

Paint = Callable[..., str]


@pytest.fixture
def half(workspace: Path, paint_masks: Paint) -> Path:
    """The drive's workspace with two of its five frames painted."""
    paint_masks(workspace, "--frames-per-shard", 1, "--limit", 2)
    return workspace


def words(workspace: Path, out: Path, *options: object) -> tuple[object, ...]:
    return ("export", "-w", workspace, "--to", "mcap", "--out", out, "-q", *options)


def test_a_recording_grows_with_its_layer(half: Path, paint_masks: Paint, tmp_path: Path) -> None:
    out = tmp_path / "out"
    succeed(*words(half, out, "--partial"))
    paint_masks(half)
    command = words(half, out)
    told = paintpipe(*command, "--check")
    assert (told.code, len(told.err.splitlines())) == (2, 1)
    assert "08: has grown since it was recorded; run the same command without --check" in told.err
    done = json.loads(succeed(*command, "--json"))
    assert (done["frames"], done["frames_now"], done["faults"]) == (5, 5, [])
    succeed(*words(half, tmp_path / "whole/out"))
    assert content(out) == content(tmp_path / "whole/out")
    assert json.loads(succeed(*command, "--json"))["frames_now"] == 0
    succeed(*command, "--check")


def test_a_recording_grows_with_its_sequence(drive: Path, tmp_path: Path) -> None:
    """Two frames ingested, painted and recorded, then all five ingested, of which two and then all are painted."""
    own, out = tmp_path / "own", tmp_path / "out"
    ingest = ("ingest", "semantickitti", drive, "-w", own, "-q")
    paint = ("paint", "-w", own, "--from-masks", drive / "masks", "--frames-per-shard", 2, "-q")
    succeed(*ingest, "--limit", 2)
    succeed(*paint)
    assert json.loads(succeed(*words(own, out, "--json")))["frames"] == 2
    succeed(*ingest)
    succeed(*paint, "--overwrite", "--limit", 2)
    grown = json.loads(succeed(*words(own, out, "--partial", "--json")))
    assert (grown["frames"], grown["num_unpainted"]) == (2, 3)
    succeed(*paint)
    done = json.loads(succeed(*words(own, out, "--json")))
    assert (done["frames"], done["frames_now"]) == (5, 5)
    assert len(only(read((out / "08.mcap").read_bytes()), "/lidar")) == 5


def test_a_recording_that_fails_to_grow_is_not_vouched_for(half: Path, paint_masks: Paint, tmp_path: Path) -> None:
    """The old mark goes first: whatever happens then, no mark names a file of which it knows another content."""
    out = tmp_path / "out"
    succeed(*words(half, out, "--partial"))
    paint_masks(half)
    (out / "08.mcap").unlink()
    (out / "08.mcap").mkdir()  # nothing can take its place
    (out / "08.mcap" / "x").touch()
    assert paintpipe(*words(half, out)).code == 2
    assert not list((out / ".paintpipe/ledger/mcap").rglob("*.json"))
    shutil.rmtree(out / "08.mcap")
    assert json.loads(succeed(*words(half, out, "--json")))["frames_now"] == 5


def test_other_settings_or_paint_are_no_growth(half: Path, paint_masks: Paint, drive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    succeed(*words(half, out, "--partial"))
    before = content(out)
    paint_masks(half)
    done = paintpipe(*words(half, out, "--option", "scores=true"))
    assert (done.code, "settings.options.scores: (none) → true" in done.err) == (2, True)
    os.utime(drive)
    succeed("paint", "-w", half, "-q", "--oracle", "--layer", "masks", "--overwrite", "--frames-per-shard", 1)
    done = paintpipe(*words(half, out, "--layer", "masks"))
    assert (done.code, "layer.painter" in done.err, "--overwrite" in done.err) == (2, True, True)
    assert content(out) == before
