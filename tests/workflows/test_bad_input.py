"""Bad input through the command: one clear line, the right exit code, and nothing lost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from support.command import content, paintpipe, succeed

import paintpipe as library
from paintpipe.pipeline.tables import read_parquet
from paintpipe.schemas.painted import Flag

SEQUENCE = "sequences/08"
Paint = Callable[..., str]


@pytest.fixture
def copy(drive: Path, tmp_path: Path) -> Path:
    """The drive, to be broken."""
    return Path(shutil.copytree(drive, tmp_path / "drive"))


def rejects_at_ingest(root: Path, workspace: Path) -> dict[str, str]:
    """Path → reason; the run must end with exit code 1, and with 0 where rejects are allowed."""
    assert paintpipe("ingest", "semantickitti", root, "-w", workspace, "-q").code == 1
    succeed("ingest", "semantickitti", root, "-w", workspace, "-q", "--allow-rejects")
    return {row["path"]: row["reason"] for row in read_parquet(workspace / "catalog/rejected.parquet").to_pylist()}


def one_line(done: object) -> str:
    code, out, err = done  # type: ignore[misc]
    assert code == 2, done
    assert not out
    assert len(err.splitlines()) == 1
    assert err.startswith("paintpipe: ")
    return str(err)


def truncate(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize(
    ("file", "size", "reason"),
    [
        ("velodyne/000001.bin", 1001, "16"),
        ("velodyne/000001.bin", 0, "empty"),
        ("image_2/000001.png", 0, "empty"),
        ("image_2/000001.png", 20, ""),
    ],
)
def test_damaged_files_are_rows_with_a_reason(copy: Path, tmp_path: Path, file: str, size: int, reason: str) -> None:
    truncate(copy / SEQUENCE / file, size)
    rejected = rejects_at_ingest(copy, tmp_path / "workspace")
    assert list(rejected) == [f"{SEQUENCE}/{file}"]
    assert reason in rejected[f"{SEQUENCE}/{file}"]
    frames = read_parquet(tmp_path / "workspace/catalog/frames.parquet").num_rows
    assert frames == (4 if file.endswith(".bin") else 5)


def test_a_label_too_many_is_told(copy: Path, tmp_path: Path) -> None:
    with (copy / SEQUENCE / "labels/000002.label").open("ab") as file:
        file.write(bytes(4))
    (reason,) = rejects_at_ingest(copy, tmp_path / "workspace").values()
    assert "label" in reason


def test_a_missing_calibration_key_names_file_and_key(copy: Path, tmp_path: Path) -> None:
    calib = copy / SEQUENCE / "calib.txt"
    calib.write_text("\n".join(line for line in calib.read_text().splitlines() if not line.startswith("Tr")))
    err = one_line(paintpipe("ingest", "semantickitti", copy, "-w", tmp_path / "workspace", "-q"))
    assert "calib.txt" in err
    assert "Tr" in err


def test_a_singular_matrix_is_refused(copy: Path, tmp_path: Path) -> None:
    calib = copy / SEQUENCE / "calib.txt"
    lines = [line if not line.startswith("Tr") else "Tr: " + "0 " * 12 for line in calib.read_text().splitlines()]
    calib.write_text("\n".join(lines))
    assert "singular" in one_line(paintpipe("ingest", "semantickitti", copy, "-w", tmp_path / "workspace", "-q"))


def test_an_image_bomb_is_never_decoded(copy: Path, tmp_path: Path) -> None:
    """A PNG header that promises 30,000 × 30,000 pixels."""
    image = copy / SEQUENCE / "image_2/000000.png"
    data = bytearray(image.read_bytes())
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    image.write_bytes(bytes(data))
    (reason,) = rejects_at_ingest(copy, tmp_path / "workspace").values()
    assert "megapixel" in reason or "MP" in reason


def test_points_that_are_not_finite_stay_unpainted(copy: Path, tmp_path: Path) -> None:
    path = copy / SEQUENCE / "velodyne/000000.bin"
    points = np.fromfile(path, np.float32).reshape(-1, 4)
    points[::7, 0], points[1::7, 2] = np.nan, np.inf
    points.tofile(path)
    workspace = tmp_path / "workspace"
    succeed("ingest", "semantickitti", copy, "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "--from-masks", copy / "masks", "-q")
    frame = library.open_painted(workspace).sequence("08")[0]
    flags = frame.layer("masks").flags
    assert not (flags[~np.isfinite(points[:, :3]).all(axis=1)] & (Flag.PAINTED | Flag.VISIBLE)).any()
    assert (flags & Flag.PAINTED).any()
    np.testing.assert_array_equal(frame.points, points)
    succeed("verify", "-w", workspace, "-q")
    succeed("evaluate", "-w", workspace, "-q")


@pytest.mark.parametrize("damage", ["truncate", "flip"])
def test_an_image_that_breaks_after_ingest_costs_its_frame_only(copy: Path, tmp_path: Path, damage: str) -> None:
    workspace, image = tmp_path / "workspace", copy / SEQUENCE / "image_2/000001.png"
    succeed("ingest", "semantickitti", copy, "-w", workspace, "-q")
    data = bytearray(image.read_bytes())
    data[len(data) // 2] ^= 255
    image.write_bytes(bytes(data) if damage == "flip" else bytes(data[: len(data) // 2]))
    done = paintpipe("paint", "-w", workspace, "-q", "--model", "street-tiny")
    assert done.code == 1
    assert "000001.png" in done.out
    painted = [
        frame.layer("street-tiny").flags & Flag.PAINTED for frame in library.open_painted(workspace).sequence("08")
    ]
    assert [bool(on.any()) for on in painted] == [True, False, True, True, True]
    succeed("verify", "-w", workspace, "-q")


def test_a_sweep_that_breaks_after_ingest_costs_its_frame_only(copy: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    succeed("ingest", "semantickitti", copy, "-w", workspace, "-q")
    truncate(copy / SEQUENCE / "velodyne/000003.bin", 1600)
    done = paintpipe("paint", "-w", workspace, "--from-masks", copy / "masks", "-q")
    assert done.code == 1
    assert "000003.bin" in done.out
    frames = library.open_painted(workspace).sequence("08")
    assert np.isnan(frames[3].points).all()
    assert not frames[3].layer("masks").flags.any()
    assert succeed("paint", "-w", workspace, "--from-masks", copy / "masks", "-q", "--allow-rejects")
    succeed("evaluate", "-w", workspace, "-q")


def test_nuscenes_dangling_tokens_and_climbing_paths(scene: Path, tmp_path: Path) -> None:
    root, workspace = Path(shutil.copytree(scene, tmp_path / "scene")), tmp_path / "workspace"
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(200))
    table = root / "v1.0-mini/sample_data.json"
    text = table.read_text()
    camera = next((root / "samples/CAM_FRONT").iterdir()).name
    table.write_text(text.replace(f"samples/CAM_FRONT/{camera}", "../secret.bin"))
    done = paintpipe("ingest", "nuscenes", root, "-w", workspace, "-q")
    assert done.code == 1
    rows = read_parquet(workspace / "catalog/rejected.parquet").to_pylist()
    assert any("secret.bin" in row["path"] for row in rows)
    images = read_parquet(workspace / "catalog/images.parquet").column("image_path").to_pylist()
    assert not any("secret" in path for path in images)
    poses = root / "v1.0-mini/ego_pose.json"
    poses.write_text("[]")
    err = one_line(paintpipe("ingest", "nuscenes", root, "-w", workspace, "-q"))
    assert "ego_pose" in err


class Runs:
    """Unpickling this writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("suffix", [".pth", ".pt2"])
def test_a_checkpoint_that_holds_code_is_refused(workspace: Path, tmp_path: Path, suffix: str) -> None:
    evil, trace = tmp_path / f"evil{suffix}", tmp_path / "ran"
    torch.save({"state_dict": Runs(trace)}, evil)
    card = tmp_path / "card.toml"
    architecture = "bisenetv2" if suffix == ".pth" else "torch-export"
    card.write_text(f'name = "evil"\narchitecture = "{architecture}"\ntaxonomy = "cityscapes19"\n')
    one_line(paintpipe("paint", "-w", workspace, "-q", "--model", card, "--weights", evil))
    assert not trace.exists()
    assert not (workspace / "painted.zarr").exists()


def test_weights_of_another_architecture_name_the_layers(workspace: Path, tmp_path: Path) -> None:
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other.pth")
    options = ("--model", "bisenetv2-cityscapes", "--weights", tmp_path / "other.pth")
    err = one_line(paintpipe("paint", "-w", workspace, "-q", *options))
    assert "layer.weight" in err or "detail" in err


def test_a_taxonomy_that_does_not_fit_lists_what_there_is(workspace: Path, drive: Path) -> None:
    err = one_line(paintpipe("paint", "-w", workspace, "-q", "--model", "street-tiny", "--taxonomy", "nuimages"))
    assert "semantickitti19" in err
    done = paintpipe("paint", "-w", workspace, "-q", "--from-masks", drive / "masks", "--taxonomy", "kitti-det4")
    assert done.code == 1
    assert "kitti-det4" in done.out or "class" in done.out


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB, where this machine lets tests mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing_that_was_done(
    ingested: Path, drive: Path, small_disk: Path, tmp_path: Path, paint_masks: Paint
) -> None:
    workspace = Path(shutil.copytree(ingested, small_disk / "w"))
    arguments = ("paint", "-w", workspace, "-q", "--frames-per-shard", 1, "--from-masks", drive / "masks")
    err = one_line(paintpipe(*arguments, "--executor", "serial"))
    assert "space" in err
    done = len(list((workspace / "ledger").rglob("0*.json")))
    assert done >= 1
    roomy = Path(shutil.copytree(workspace, tmp_path / "roomy"))
    paint_masks(roomy)
    whole = Path(shutil.copytree(ingested, tmp_path / "whole"))
    paint_masks(whole, "--frames-per-shard", 1)
    assert content(roomy / "painted.zarr", roomy / "ledger") == content(whole / "painted.zarr", whole / "ledger")


def test_a_read_only_output_is_one_line(ingested: Path, drive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "frozen"
    shutil.copytree(ingested, folder)
    bind = [["mount", "--bind", str(folder), str(folder)], ["mount", "-o", "remount,ro,bind", str(folder)]]
    if os.geteuid() != 0 or any(subprocess.run(command, capture_output=True).returncode for command in bind):
        pytest.skip("a read-only mount needs root")
    try:
        err = one_line(paintpipe("paint", "-w", folder, "-q", "--from-masks", drive / "masks"))
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert "read-only" in err.lower()


def test_painting_a_real_dataset_without_a_model_lists_the_models(real_data: Path, tmp_path: Path) -> None:
    succeed("ingest", "kitti", real_data / "kitti", "-w", tmp_path, "-q", "--limit", 1)
    err = one_line(paintpipe("paint", "-w", tmp_path, "-q"))
    assert "espnetv2-s2.0-cityscapes" in err
    assert "--model" in err
