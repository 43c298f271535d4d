import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine import tree

from paintpipe.pipeline.publish import (
    clean_staging,
    publish,
    publish_file,
    remove_empty_folders,
    remove_file,
    remove_folder,
)
from paintpipe.schemas.errors import StoreError

FILES = {"a/b/one": b"1" * 1000, "two": b"", "a/three": b"3"}


def test_publishes_exactly_the_files(tmp_path: Path) -> None:
    publish(tmp_path / "new" / "store", FILES)
    assert tree(tmp_path) == {f"new/store/{name}": content for name, content in FILES.items()}
    publish_file(tmp_path / "new" / "store" / "two", b"replaced")
    assert (tmp_path / "new" / "store" / "two").read_bytes() == b"replaced"


def test_every_file_and_folder_is_synced_before_publish_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[tuple[str, str]] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        log.append(("sync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        log.append(("rename", f"{self} {target}"))
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    root = tmp_path / "store"
    publish(root, {"a/b/one": b"1", "two": b"2"})
    renames = [index for index, (what, _) in enumerate(log) if what == "rename"]
    assert len(renames) == 2
    sources = {log[index][1].split()[0] for index in renames}
    assert sources == {path for _, path in log[: renames[0]]}, "each file is synced before the first rename"
    after = {path for what, path in log[renames[-1] :] if what == "sync"}
    assert after == {str(tmp_path), str(root), str(root / "a"), str(root / "a" / "b")}


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "", "a\0"])
def test_paths_stay_inside(tmp_path: Path, path: str) -> None:
    with pytest.raises(StoreError, match="not a path inside"):
        publish(tmp_path, {path: b""})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no tmpfs here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(small_disk: Path) -> None:
    publish(small_disk, {"kept": b"k"})
    with pytest.raises(StoreError) as caught:
        publish(small_disk, {"a/one": b"1" * 100_000, "a/two": b"2" * 400_000})
    line = str(caught.value)
    assert "no space left" in line
    assert "500 kB were to be written" in line
    assert str(small_disk) in line
    assert "\n" not in line
    assert tree(small_disk) == {"kept": b"k"}


def test_a_read_only_disk_is_one_clear_line(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StoreError, match="read-only"):
        publish(small_disk, {"one": b"1"})
    with pytest.raises(StoreError, match="read-only"):
        publish(small_disk / "deep" / "er", {"one": b"1"})


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "no space"), (errno.EROFS, "read-only"), (errno.EACCES, "permission"), (errno.EIO, "Input/output")],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_fault_in_any_step_leaves_no_partial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
    with pytest.raises(StoreError, match=words):
        publish(tmp_path, FILES)
    assert tree(tmp_path) == {}
    assert not list(tmp_path.glob(".*"))


def test_clean_staging_deletes_leftovers_alone(tmp_path: Path) -> None:
    publish(tmp_path, FILES)
    (tmp_path / "a" / ".x.partial" / "deep").mkdir(parents=True)
    (tmp_path / "a" / ".x.partial" / "deep" / "y.partial").touch()
    (tmp_path / "a" / "b" / "zarr.1234.partial").touch()
    assert clean_staging(tmp_path) == 2
    assert tree(tmp_path) == FILES
    assert clean_staging(tmp_path) == 0
    assert clean_staging(tmp_path / "none") == 0


def test_removing(tmp_path: Path) -> None:
    publish(tmp_path, FILES)
    remove_file(tmp_path / "two")
    remove_file(tmp_path / "two")
    remove_folder(tmp_path, "a")
    remove_folder(tmp_path, "a")
    remove_file(tmp_path / "none" / "two")
    assert list(tmp_path.iterdir()) == []


def test_removing_what_a_killed_run_has_removed_makes_that_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(Path(f"/proc/self/fd/{descriptor}").readlink()))
    remove_file(tmp_path / "absent")
    assert synced == [tmp_path]


@pytest.mark.parametrize("moved", [True, False])
def test_a_rename_that_reports_an_error_is_settled_by_reading_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: bool
) -> None:
    # An NFS server whose answer was lost is asked again: the file that it has moved is not there any more.
    real = Path.replace

    def replace(self: Path, target: Path) -> None:
        if moved:
            real(self, target)
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    publish(tmp_path, {"two": b"old", "c/x": b"1"})
    monkeypatch.setattr(Path, "replace", replace)
    if moved:
        publish(tmp_path, FILES)
        remove_folder(tmp_path, "c")
        assert tree(tmp_path) == FILES
    else:
        with pytest.raises(StoreError, match="No such file"):
            publish(tmp_path, FILES)
        with pytest.raises(StoreError, match="No such file"):
            remove_folder(tmp_path, "c")
        assert tree(tmp_path) == {"two": b"old", "c/x": b"1"}
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".partial")] == []


def test_empty_folders_of_files_are_removed_up_to_the_root_and_no_others(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for folder in ("a/b/c", "a/mine", "d/e", "f"):
        (root / folder).mkdir(parents=True)
    (root / "d/e/kept").touch()
    (root / "link").symlink_to(root / "f")
    remove_empty_folders(root, ["a/b/c/one", "a/b/two", "d/e/three", "link/four", "gone/five", "six"])
    left = {path.relative_to(root).as_posix() for path in root.rglob("*")}
    assert left == {"a", "a/mine", "d", "d/e", "d/e/kept", "f", "link"}
    (root / "d/e/kept").unlink()
    remove_empty_folders(root, ["d/e/kept", "f/x"])
    assert {path.name for path in root.iterdir()} == {"a", "link"}
    assert root.is_dir()


def test_no_folder_outside_the_root_is_removed(tmp_path: Path) -> None:
    root, empty = tmp_path / "root", tmp_path / "victim" / "empty"
    root.mkdir()
    empty.mkdir(parents=True)
    with pytest.raises(StoreError, match="not a path inside"):
        remove_empty_folders(root, ["../victim/empty/file"])
    (root / "points").symlink_to(tmp_path / "victim")
    remove_empty_folders(root, ["points/empty/file"])
    assert empty.is_dir()


def test_a_folder_that_can_not_be_removed_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    (tmp_path / "a").mkdir()
    monkeypatch.setattr(Path, "rmdir", refuse)
    with pytest.raises(StoreError, match="read-only"):
        remove_empty_folders(tmp_path, ["a/one"])
