"""The folder of an export: what is refused before anything is written, and what is cleared away."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command import Done, paintpipe

Paint = Callable[..., str]


@pytest.fixture
def painted(workspace: Path, paint_masks: Paint) -> Path:
    """The drive's workspace with two of its five frames painted."""
    paint_masks(workspace, "--frames-per-shard", 1, "--limit", 2)
    return workspace


def export(workspace: Path, to: str, out: Path, *options: object) -> Done:
    return paintpipe("export", "-w", workspace, "--to", to, "--out", out, "-q", "--partial", *options)


def refused(done: Done, words: str) -> None:
    assert (done.code, len(done.err.splitlines())) == (2, 1), done
    assert words in done.err


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and path.name != "lock"}


def test_another_targets_folders_are_cleared_away_and_nobody_elses(painted: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export(painted, "parquet", out).code == 0
    (out / "points/split=valid/mine").mkdir()  # somebody's own, empty, among what paintpipe made
    assert export(painted, "ply", out, "--overwrite").code == 0
    left = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_dir() and ".paintpipe" not in path.parts}
    assert left == {"08", "points", "points/split=valid", "points/split=valid/mine"}
    assert not list((out / ".paintpipe/ledger").glob("parquet*"))
    assert export(painted, "ply", out).code == 0  # and it is an export to PLY from now on
    assert export(painted, "parquet", out, "--overwrite").code == 0
    assert not (out / "08").exists()


def test_an_output_inside_the_workspace_is_refused_where_it_keeps_its_own(painted: Path, tmp_path: Path) -> None:
    before = files(painted)
    for place in ("painted.zarr/08/out", "ledger/out", "catalog/out", "tables/x/../out", "figures/out"):
        refused(export(painted, "ply", painted / place), "lies in a folder that the workspace keeps for itself")
    refused(export(painted, "ply", painted), "holds no export")
    assert files(painted) == before
    assert export(painted, "ply", painted / "export").code == 0


@pytest.mark.parametrize(
    ("to", "module", "words"),
    [
        ("las", "laspy", 'LAS files need laspy; pip install "paintpipe[files]"'),
        ("mcap", "foxglove.messages", 'MCAP files need foxglove-sdk and mcap; pip install "paintpipe[mcap]"'),
        ("mcap", "mcap.reader", 'MCAP files need foxglove-sdk and mcap; pip install "paintpipe[mcap]"'),
    ],
)
def test_an_extra_that_is_not_installed(
    to: str, module: str, words: str, painted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    refused(export(painted, to, tmp_path / "out"), words)
    assert not (tmp_path / "out").exists()


def test_mistakes_that_leave_everything_as_it_was(painted: Path, tmp_path: Path) -> None:
    refused(export(painted, "laz", tmp_path / "out"), "no export target 'laz'; expected one of openpcdet, ")
    assert not (tmp_path / "out").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    refused(export(painted, "ply", tmp_path / "mine", "--overwrite"), "the folder is not empty, and holds no export")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    assert export(painted, "ply", tmp_path / "mine/notes.txt").code == 2


def test_a_link_to_itself_is_no_place(painted: Path, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    refused(export(painted, "ply", tmp_path / "loop"), "link that leads nowhere")


def test_an_output_that_can_not_be_written(painted: Path, tmp_path: Path) -> None:
    frozen = tmp_path / "frozen"
    frozen.mkdir()
    bind = [["mount", "--bind", str(frozen), str(frozen)], ["mount", "-o", "remount,ro,bind", str(frozen)]]
    if os.geteuid() != 0 or any(subprocess.run(command, capture_output=True).returncode for command in bind):
        pytest.skip("a read-only mount needs root")
    try:
        for out in (frozen, frozen / "out"):
            refused(export(painted, "ply", out), "read-only")
    finally:
        subprocess.run(["umount", str(frozen)], check=True)


def test_an_output_that_can_not_be_looked_into(painted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    (tmp_path / "locked").mkdir()
    monkeypatch.setattr(os, "scandir", scandir)
    refused(export(painted, "ply", tmp_path / "locked"), "locked")
