"""`paintpipe repaint`: a layer from a layer, with the bytes of painting anew."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.command import paintpipe, succeed

import paintpipe as library
from paintpipe.pipeline.store import layer_table
from paintpipe.workflows.layer_painters import stored_settings

Paint = Callable[..., str]


@pytest.fixture(scope="module")
def six_cameras(scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A keyframe painted by street-tiny from six cameras, with full provenance, by a rule that is not the usual one."""
    workspace = tmp_path_factory.mktemp("six") / "workspace"
    succeed("ingest", "nuscenes", scene, "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "-q", "--provenance", "full", "--overlap", "first", "--layer", "first")
    return workspace


def shard_bytes(workspace: Path, layer: str) -> dict[str, bytes]:
    """All arrays of a layer as they lie on disk, without what the layer says of itself."""
    (folder,) = (workspace / "painted.zarr").glob(f"*/layers/{layer}")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "zarr.json"]
    assert len(files) > 4
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    "options",
    [
        ("--overlap", "random"),
        ("--overlap", "mean", "--taxonomy", "nuscenes16"),
        ("--overlap", "margin", "--occlusion", "clear", "--temperature", "2.5"),
        ("--overlap", "max", "--edges", "smooth", "--temperature", "0.6"),
    ],
    ids=lambda options: "-".join(options).replace("--", ""),
)
def test_repainted_is_painted_anew_byte_for_byte(six_cameras: Path, options: tuple[str, ...]) -> None:
    name = "-".join(options).replace("--", "")
    succeed("paint", "-w", six_cameras, "-q", "--provenance", "full", *options, "--layer", f"anew-{name}")
    succeed("repaint", "-w", six_cameras, "-q", "--from", "first", *options, "--layer", f"again-{name}")
    anew, again = (shard_bytes(six_cameras, f"{kind}-{name}") for kind in ("anew", "again"))
    assert again == anew
    assert again != shard_bytes(six_cameras, "first")
    overlaps = library.open_painted(six_cameras).sequence("scene-0103")[0].layer("first").flags & 4
    assert overlaps.sum() > 300, "without overlaps this proves nothing"


def test_nothing_asked_for_is_the_same_layer_again(six_cameras: Path) -> None:
    said = json.loads(succeed("repaint", "-w", six_cameras, "-q", "--from", "first", "--layer", "same", "--json"))
    assert (said["layer"], said["frames_painted"], said["report"]["counts"].get("images")) == ("same", 1, None)
    assert shard_bytes(six_cameras, "same") == shard_bytes(six_cameras, "first")
    attributes = library.open_painted(six_cameras).sequence("scene-0103")[0].layer("same").attributes
    assert attributes["painter"]["painter"] == "repaint"
    assert attributes["painter"]["of"]["model"] == "street-tiny"
    assert attributes["settings"]["overlap"] == "first"
    assert "all as they should be" in succeed("verify", "-w", six_cameras, "-q")


def test_a_layer_with_its_network_and_images_gone_can_still_be_repainted(scene: Path, tmp_path: Path) -> None:
    """Points come from the store: of the dataset nothing is read."""
    copy, workspace = Path(shutil.copytree(scene, tmp_path / "scene")), tmp_path / "workspace"
    succeed("ingest", "nuscenes", copy, "-w", workspace, "-q")
    full = ("--provenance", "full", "-q")
    succeed("paint", "-w", workspace, "--from-masks", copy / "masks", *full, "--layer", "masks")
    succeed("paint", "-w", workspace, "--from-masks", copy / "masks", *full, "--overlap", "random", "--layer", "anew")
    shutil.rmtree(copy)
    copy.mkdir()
    succeed("repaint", "-w", workspace, "-q", "--from", "masks", "--overlap", "random", "--layer", "again")
    assert shard_bytes(workspace, "again") == shard_bytes(workspace, "anew")


@pytest.mark.parametrize(
    ("painted", "asked", "told"),
    [
        ((), ("--overlap", "random"), "--overlap needs full provenance; paint with --provenance full"),
        (("--provenance", "full", "--overlap", "mean"), ("--edges", "smooth"), "painted with --overlap mean"),
        (("--provenance", "full", "--occlusion", "clear"), ("--overlap", "first"), "painted with --occlusion clear"),
        (("--provenance", "full", "--edges", "smooth"), ("--overlap", "first"), "painted with --edges smooth"),
        (("--provenance", "full", "--temperature", "2"), ("--overlap", "first"), "a temperature of 2 already"),
        (("--temperature", "2"), ("--temperature", "3"), "a temperature of 2 already"),
    ],
)
def test_what_a_layer_does_not_keep_is_told_in_one_line(
    workspace: Path, paint_masks: Paint, painted: tuple[str, ...], asked: tuple[str, ...], told: str
) -> None:
    paint_masks(workspace, *painted, "--limit", 1, "--frames-per-shard", 1)
    done = paintpipe("repaint", "-w", workspace, "-q", "--from", "masks", *asked, "--layer", "new")
    assert done.code == 2
    assert told in done.err
    assert "layer masks" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("made", "asked", "told"),
    [
        (("--temperature", "2"), ("--overlap", "first"), "a temperature of 2 already"),
        (("--taxonomy", "kitti-det4"), ("--overlap", "first"), "painted with --taxonomy kitti-det4"),
    ],
)
def test_what_a_layer_before_the_last_lost_stays_lost(
    workspace: Path, paint_masks: Paint, made: tuple[str, ...], asked: tuple[str, ...], told: str
) -> None:
    paint_masks(workspace, "--provenance", "full", "--limit", 1, "--frames-per-shard", 1)
    succeed("repaint", "-w", workspace, "-q", "--from", "masks", *made, "--layer", "made")
    succeed("repaint", "-w", workspace, "-q", "--from", "made", "--layer", "copied")
    done = paintpipe("repaint", "-w", workspace, "-q", "--from", "copied", *asked, "--layer", "new")
    assert done.code == 2
    assert told in done.err


def test_nobody_looked_for_occluded_points_in_a_layer_that_does_not_say() -> None:
    old = {"projection": "default", "overlap": "first", "provenance": "full", "cameras": ["left"], "taxonomy": None}
    painter = {"painter": "repaint", "of": {"painter": "masks"}, "settings": {**old, "occlusion": "clear"}}
    table = layer_table("old", (), ("car",), ("left",), {"settings": old, "painter": painter})
    last, first = stored_settings(table)
    assert (last.occlusion, last.edges, last.temperature, last.cameras) == ("off", "flag", 1.0, ("left",))
    assert first.occlusion == "clear"


def test_a_frame_without_one_finite_point_is_the_same_again(drive: Path, tmp_path: Path) -> None:
    """The oracle paints it: labels know nothing of coordinates."""
    copy, workspace = Path(shutil.copytree(drive, tmp_path / "drive")), tmp_path / "workspace"
    sweep = sorted(copy.rglob("*.bin"))[0]
    sweep.write_bytes(np.full_like(np.fromfile(sweep, np.float32), np.nan).tobytes())
    succeed("ingest", "semantickitti", copy, "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "-q", "--oracle", "--limit", 1, "--frames-per-shard", 1)
    succeed("repaint", "-w", workspace, "-q", "--from", "oracle", "--layer", "again")
    assert shard_bytes(workspace, "again") == shard_bytes(workspace, "oracle")


def test_a_source_that_was_cut_short_is_told_and_nothing_is_made(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace, "--limit", 1)
    path = next((workspace / "painted.zarr").glob("*/layers/masks/scores/c/0/0/0"))
    path.write_bytes(path.read_bytes()[:-30])
    done = paintpipe("repaint", "-w", workspace, "-q", "--from", "masks", "--layer", "warm", "--temperature", 2)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert str(path) in done.err
    assert "run again what made it (paint, repaint or fuse)" in done.err
    assert not list((workspace / "ledger/layers").glob("warm/**/*.json"))


def test_names_that_make_no_sense(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace, "--limit", 1)
    repaint = ("repaint", "-w", workspace, "-q")
    assert "no painted layer 'gone'" in paintpipe(*repaint, "--from", "gone", "--layer", "new").err
    assert "into itself" in paintpipe(*repaint, "--from", "masks", "--layer", "masks").err
    for name in ("../new", ""):
        assert "can't name a folder" in paintpipe(*repaint, "--from", "masks", "--layer", name).err
    for command in (("view",), ("export", "--to", "ply", "--out", workspace / "never-made")):
        assert "no painted layer ''" in paintpipe(*command, "-w", workspace, "--layer", "").err
    assert (
        "no temperature was fitted"
        in paintpipe(*repaint, "--from", "masks", "--layer", "new", "--temperature", "fitted").err
    )
    assert "a number such as" in paintpipe(*repaint, "--from", "masks", "--layer", "new", "--temperature", "hot").err
    succeed("paint", "-w", workspace, "-q", "--oracle", "--limit", 1)
    assert (
        "do not come from cameras"
        in paintpipe(*repaint, "--from", "oracle", "--layer", "new", "--overlap", "random").err
    )


def test_a_third_camera_that_sees_a_point_is_told_with_the_frame(scene: Path, tmp_path: Path) -> None:
    """A rig where three cameras look the same way; temperature alone does not ask what each of them said."""
    copy, workspace = Path(shutil.copytree(scene, tmp_path / "scene")), tmp_path / "workspace"
    (path,) = copy.rglob("calibrated_sensor.json")
    rows, names = json.loads(path.read_text()), json.loads(path.with_name("sensor.json").read_text())
    channels = {row["token"]: row["channel"] for row in names}
    (front,) = (row for row in rows if channels[row["sensor_token"]] == "CAM_FRONT")
    for row in rows:
        if channels[row["sensor_token"]] in ("CAM_FRONT_LEFT", "CAM_FRONT_RIGHT"):
            row |= {"rotation": front["rotation"], "translation": front["translation"]}
    path.write_text(json.dumps(rows))
    succeed("ingest", "nuscenes", copy, "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "-q", "--from-masks", copy / "masks", "--provenance", "full")
    repaint = ("repaint", "-w", workspace, "-q", "--from", "masks")
    done = paintpipe(*repaint, "--overlap", "random", "--layer", "new")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert re.search(r"[\d,]+ points are seen by three cameras or more, and a layer keeps the scores of two", done.err)
    assert "scene-0103" in done.err
    assert "from fewer --cameras" in done.err
    assert not list((workspace / "ledger/layers/new").rglob("0*.json"))
    assert "1 frame painted" in succeed(*repaint, "--temperature", 2, "--layer", "warm")


def test_a_layer_painted_anew_under_it_is_noticed(drive: Path, tmp_path: Path) -> None:
    masks, workspace = Path(shutil.copytree(drive / "masks", tmp_path / "masks")), tmp_path / "workspace"
    succeed("ingest", "semantickitti", drive, "-w", workspace, "-q")
    paint = ("paint", "-w", workspace, "--from-masks", masks, "-q", "--limit", 2, "--frames-per-shard", 1)
    succeed(*paint)
    repaint = ("repaint", "-w", workspace, "-q", "--from", "masks", "--layer", "warm", "--temperature", "3")
    assert "2 frames painted" in succeed(*repaint)
    assert "0 frames painted" in succeed(*repaint)
    path = sorted(masks.rglob("000001.png"))[0]
    cv2.imwrite(str(path), np.zeros_like(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)))
    succeed(*paint, "--overwrite")
    done = paintpipe(*repaint)
    assert done.code == 2
    assert "painter_files" in done.err
    assert "1 frame painted" in succeed(*repaint, "--overwrite")
    assert "0 frames painted" in succeed(*repaint)


def test_frames_that_the_layer_lacks_follow_when_it_has_them(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace, "--frames-per-shard", 1, "--limit", 2)
    repaint = ("repaint", "-w", workspace, "-q", "--from", "masks", "--layer", "same")
    assert "2 frames painted" in succeed(*repaint)
    paint_masks(workspace)
    assert "3 frames painted" in succeed(*repaint)
