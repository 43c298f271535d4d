"""Frames whose files would have the same name are told before anything is written."""

import shutil
from pathlib import Path

import pytest
from support.command import paintpipe, succeed

FRAMES = (("a", "b_c"), ("a_b", "c"), ("a_b", "d"))
SPEC = """
name = "odd"
root = "{root}"
[points]
pattern = "{{sequence}}/points/{{frame}}.bin"
[labels]
pattern = "{{sequence}}/labels/{{frame}}.label"
taxonomy = "semantickitti19"
"""


@pytest.fixture(scope="module")
def odd(drive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with frames b_c of sequence a and c of sequence a_b, which OpenPCDet's layout calls a_b_c alike."""
    folder = tmp_path_factory.mktemp("odd")
    for sequence, frame in FRAMES:
        for kind, source in (("points", "velodyne/000000.bin"), ("labels", "labels/000000.label")):
            place = folder / sequence / kind / f"{frame}{Path(source).suffix}"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(drive / "sequences/08" / source, place)
    (folder / "odd.toml").write_text(SPEC.format(root=folder))
    succeed("ingest", "custom", folder / "odd.toml", "-w", folder / "w", "-q")
    succeed("paint", "-w", folder / "w", "--oracle", "-q")
    return folder / "w"


def words(workspace: Path, out: Path, *options: object) -> tuple[object, ...]:
    return ("export", "-w", workspace, "--to", "openpcdet", "--out", out, "-q", *options)


def test_two_frames_of_one_name_are_told_before_anything_is_written(odd: Path, tmp_path: Path) -> None:
    done = paintpipe(*words(odd, tmp_path / "out"))
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "frames a/b_c and a_b/c would share the file points/a_b_c.npy; export them to two folders" in done.err
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    succeed(*words(odd, tmp_path / "out", "--sequences", "a"))
    succeed(*words(odd, tmp_path / "other", "--sequences", "a_b"))


def test_so_are_those_of_a_frame_that_is_exported_already(odd: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    succeed(*words(odd, out, "--sequences", "a"))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for options in ((), ("--overwrite",)):
        done = paintpipe(*words(odd, out, "--sequences", "a_b", *options))
        assert (done.code, "frames a/b_c and a_b/c would share" in done.err) == (2, True)
        assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_target_whose_names_differ_takes_them(odd: Path, tmp_path: Path) -> None:
    succeed("export", "-w", odd, "--to", "ply", "--out", tmp_path / "out", "-q")
    assert len(list((tmp_path / "out").rglob("*.ply"))) == 3
