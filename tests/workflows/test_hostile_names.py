"""Names that a dataset chooses lead into no other folder, whatever they say."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command import paintpipe, succeed

from paintpipe.pipeline.tables import read_parquet
from paintpipe.workflows.view import file_stem


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        ("layer-08-000001", "layer-08-000001"),
        ("layer-a-../../../etc/x", "layer-a-.._.._.._etc_x"),
        ("layer-a-/etc/x\0\\n", "layer-a-_etc_x__n"),
        ("layer-<script>=1 é", "layer-_script__1__"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_picture_is_named_after_its_frame_and_leads_nowhere(text: str, stem: str) -> None:
    assert file_stem(text) == stem


def test_files_whose_names_are_no_utf_8_are_rejected_rows(drive: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(drive, tmp_path / "drive"))
    odd = os.fsencode(copy / "sequences/08/velodyne/00000") + b"\xff.bin"
    shutil.copy(copy / "sequences/08/velodyne/000000.bin", odd)
    done = paintpipe("ingest", "semantickitti", copy, "-w", tmp_path / "workspace", "-q")
    assert done.code == 1, done
    (row,) = read_parquet(tmp_path / "workspace/catalog/rejected.parquet").to_pylist()
    assert row["path"] == "sequences/08/velodyne/00000\\udcff.bin"
    assert row["reason"] == "the name is not UTF-8; rename the file"


def test_camera_names_of_a_specification_lead_nowhere(
    workspace: Path, drive: Path, paint_masks: Callable[..., str], tmp_path: Path
) -> None:
    spec = f"""
name = "drive"
root = "{drive}"
[points]
pattern = "sequences/{{sequence}}/velodyne/{{frame}}.bin"
[[cameras]]
name = "../../../evil"
image = "sequences/{{sequence}}/image_2/{{frame}}.png"
K = [[700.0, 0.0, 600.0], [0.0, 700.0, 180.0], [0.0, 0.0, 1.0]]
camera_SE3_lidar = [[0.0, -1.0, 0.0, 0.0], [0.0, 0.0, -1.0, -0.1], [1.0, 0.0, 0.0, -0.3]]
[labels]
pattern = "sequences/{{sequence}}/labels/{{frame}}.label"
taxonomy = "semantickitti19"
"""
    (tmp_path / "my.toml").write_text(spec)
    own = tmp_path / "own" / "workspace"
    succeed("ingest", "custom", tmp_path / "my.toml", "-w", own, "-q")
    succeed("paint", "-w", own, "--oracle", "-q", "--limit", 1)
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(own)}
    succeed("view", "-w", own, "--single", "-q")
    assert any("evil" in path.name for path in (own / "figures").iterdir())
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(own)} == before


@pytest.mark.parametrize("name", ["../evil", "/etc", "a b", "x.partial"])
def test_a_specification_whose_name_can_not_name_a_folder(drive: Path, tmp_path: Path, name: str) -> None:
    spec = f'name = "{name}"\nroot = "{drive}"\n[points]\npattern = "sequences/08/velodyne/{{frame}}.bin"\n'
    (tmp_path / "my.toml").write_text(spec)
    done = paintpipe("ingest", "custom", tmp_path / "my.toml", "-w", tmp_path / "own", "-q")
    assert done.code == 2, done
    assert "can't name a folder" in done.err
    assert "no usable frame; 1 files" in done.err
    assert len(done.err.splitlines()) == 1
