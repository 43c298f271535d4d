import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from paintpipe.pipeline.roots import LocalRoot
from paintpipe.schemas.errors import InputFileError, OutsideRootError
from paintpipe.schemas.source import Root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "one.bin").write_bytes(b"12345")
    return root


def test_reads_files_sizes_and_folders(folder: Path) -> None:
    root: Root = LocalRoot(folder)
    assert root.size("a/b/one.bin") == 5
    assert root.size("a//./b/one.bin") == 5
    with root.open_bytes("a/b/one.bin") as handle:
        assert handle.read() == b"12345"
    assert (root.list_dir(""), root.list_dir("a"), root.list_dir(".")) == (["a"], ["b"], ["a"])


def test_what_is_absent_has_no_size_and_no_names(folder: Path) -> None:
    root = LocalRoot(folder)
    assert [root.size(path) for path in ("none", "none/x", "a/b/one.bin/x", "a/b")] == [None] * 4
    assert (root.list_dir("none"), root.list_dir("a/b/one.bin")) == ([], [])
    with pytest.raises(FileNotFoundError):
        root.open_bytes("a/none")


@pytest.mark.parametrize(
    "path",
    ["../outside/secret", "a/../../outside/secret", "a/..", "/etc/passwd", "a\0b", "..\\outside", "C:/x", "a\\b", ".."],
)
def test_paths_that_climb_are_refused_by_every_method(folder: Path, path: str) -> None:
    root = LocalRoot(folder)
    for method in (root.size, root.list_dir, root.open_bytes):
        with pytest.raises(OutsideRootError):
            method(path)


def test_symlinks_that_lead_out_are_refused_and_others_followed(folder: Path) -> None:
    (folder / "file").symlink_to(folder.parent / "outside" / "secret")
    (folder / "dir").symlink_to(folder.parent / "outside")
    (folder / "a" / "inside").symlink_to("b/one.bin")
    (folder / "again").symlink_to(folder / "a")
    (folder / "dangling").symlink_to("nowhere")
    # A sibling whose name begins like the root's is outside all the same.
    (folder.parent / "root2").mkdir()
    (folder / "prefix").symlink_to(folder.parent / "root2")
    root = LocalRoot(folder)
    for path in ("file", "dir/secret", "prefix"):
        with pytest.raises(OutsideRootError, match="symlink"):
            root.size(path)
    with pytest.raises(OutsideRootError):
        root.open_bytes("file")
    with pytest.raises(OutsideRootError):
        root.list_dir("dir")
    assert (root.size("a/inside"), root.size("again/b/one.bin"), root.size("dangling")) == (5, 5, None)


def test_the_root_may_be_a_symlink(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert LocalRoot(link).size("a/b/one.bin") == 5


def test_no_folder_and_no_regular_file(folder: Path) -> None:
    with pytest.raises(InputFileError, match="no such folder"):
        LocalRoot(folder / "none")
    os.mkfifo(folder / "pipe")
    root = LocalRoot(folder)
    assert root.size("pipe") is None
    for path in ("pipe", "a"):
        with pytest.raises(InputFileError, match="regular"):
            root.open_bytes(path)


def test_sizes_from_many_threads_resolve_a_folder_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = []
    real = Path.resolve
    monkeypatch.setattr(Path, "resolve", lambda self, strict=False: (resolved.append(self), real(self, strict))[1])
    root = LocalRoot(folder)
    assert root.size("a/b/one.bin") == 5
    resolved.clear()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(root.size, ["a/b/one.bin"] * 2000)) == {5}
    assert resolved == []


def test_symlinks_in_a_circle_are_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    root = LocalRoot(tmp_path)
    for look in (root.size, root.open_bytes, root.list_dir):
        for path in ("one", "one/file.bin"):
            with pytest.raises(InputFileError, match="a symlink leads back to itself"):
                look(path)


@pytest.mark.parametrize("path", ["a\udcff.bin", "\ud800/a.bin"])
def test_names_that_are_not_utf_8_are_one_clear_line(tmp_path: Path, path: str) -> None:
    root = LocalRoot(tmp_path)
    for look in (root.size, root.open_bytes, root.list_dir):
        with pytest.raises(InputFileError, match="the name is not UTF-8; rename the file"):
            look(path)
