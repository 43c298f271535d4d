import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from support.ingest import png_bytes, write
from support.roots import DirectoryRoot

from paintpipe.schemas.errors import ImageError, InputFileError, LabelsError, PointsError
from paintpipe.stages.ingest import checks


class BrokenRoot:
    """A root whose disk fails."""

    def open_bytes(self, path: str) -> BinaryIO:
        raise PermissionError(13, "Permission denied")

    def size(self, path: str) -> int | None:
        raise OSError(5, "Input/output error")

    def list_dir(self, path: str) -> list[str]:
        raise OSError(5, "Input/output error")


def test_points_are_counted_by_size(tmp_path: Path) -> None:
    root = DirectoryRoot(tmp_path)
    write(tmp_path / "a.bin", b"\0" * 800)
    assert checks.count_points(root, "a.bin", 4) == 50
    assert checks.count_points(root, "a.bin", 5) == 40
    assert root.calls["open_bytes"] == 0
    for name, features in (("a.bin", 3), ("b.bin", 4), ("../a.bin", 4)):
        with pytest.raises(PointsError):
            checks.count_points(root, name, features)


def test_npy_points_are_counted_by_header(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((7, 4)))
    write(tmp_path / "cut.npy", (tmp_path / "a.npy").read_bytes()[:-8])
    root = DirectoryRoot(tmp_path)
    assert checks.count_points(root, "a.npy", 4, "npy") == 7
    for name, features in (("a.npy", 5), ("cut.npy", 4), ("none.npy", 4)):
        with pytest.raises(PointsError, match=rf"^{name}: "):
            checks.count_points(root, name, features, "npy")


def test_labels_are_held_against_their_points(tmp_path: Path) -> None:
    write(tmp_path / "a.label", b"\0" * 40)
    np.save(tmp_path / "a.npy", np.zeros(10, dtype=np.uint16))
    root = DirectoryRoot(tmp_path)
    checks.check_labels(root, "a.label", "semantickitti", 10)
    checks.check_labels(root, "a.label", "uint8", 40)
    checks.check_labels(root, "a.npy", "npy", 10)
    for name, kind in (
        ("a.label", "semantickitti"),
        ("a.label", "uint8"),
        ("a.npy", "npy"),
        ("b", "uint8"),
        ("b", "npy"),
    ):
        with pytest.raises(LabelsError, match=rf"^{name}: "):
            checks.check_labels(root, name, kind, 11)


def test_image_headers(tmp_path: Path) -> None:
    write(tmp_path / "a.png", png_bytes(33, 44))
    write(tmp_path / "b.png", b"")
    root = DirectoryRoot(tmp_path)
    assert checks.read_image_size(root, "a.png") == (33, 44)
    with pytest.raises(ImageError, match=r"^b\.png: the file is empty"):
        checks.read_image_size(root, "b.png")
    with pytest.raises(InputFileError, match=r"^c\.png: absent"):
        checks.read_image_size(root, "c.png")


def test_a_disk_that_fails_is_one_clear_line_a_file() -> None:
    root = BrokenRoot()
    for attempt in (
        lambda: checks.count_points(root, "a", 4),
        lambda: checks.check_labels(root, "a", "uint8", 4),
        lambda: checks.list_dir(root, "a"),
    ):
        with pytest.raises(InputFileError, match=r"^a: can't be read \(Input/output error\)"):
            attempt()
    for attempt in (lambda: checks.read_image_size(root, "a"), lambda: checks.read_text(root, "a")):
        with pytest.raises(InputFileError, match=r"^a: can't be read \(Permission denied\)"):
            attempt()


def test_text_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = DirectoryRoot(tmp_path)
    write(tmp_path / "a.txt", b"\xef\xbb\xbfP2: 1\r\n")
    assert checks.read_text(root, "a.txt") == "P2: 1\r\n"
    write(tmp_path / "b.txt", b"\xff\xfe\x00")
    with pytest.raises(InputFileError, match=r"^b\.txt: not a text file"):
        checks.read_text(root, "b.txt")
    monkeypatch.setattr(checks, "MAX_SMALL_BYTES", 3)
    with pytest.raises(InputFileError, match=r"^a\.txt: larger than"):
        checks.read_text(root, "a.txt")


def test_rejected_rows_do_not_repeat_the_path() -> None:
    row = checks.rejected("a.bin", PointsError("empty sweep", where="a.bin", todo="fetch it again"))
    assert (row.path, row.stage, row.reason) == ("a.bin", "ingest", "empty sweep; fetch it again")


def test_image_size_needs_no_seek(tmp_path: Path) -> None:
    """An object store hands out streams that only go forward."""
    reader, writer = os.pipe()
    os.write(writer, png_bytes(5, 6)[:100])
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        assert checks.image_size(stream, "a") == (5, 6)
