"""A disk that stumbles: what is tried again, for how long, and what it ends with."""

import errno
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from paintpipe.pipeline.retry import Patience, is_transient
from paintpipe.pipeline.roots import LocalRoot, open_root
from paintpipe.pipeline.steady_root import SteadyRoot
from paintpipe.schemas.errors import StoreError

CONTENT = bytes(range(256)) * 100


class Stumbling(LocalRoot):
    """Fails the next `failures` calls of each kind; a read that fails has moved on already."""

    def __init__(self, path: Path, code: int, opens: int = 0, reads: int = 0, sizes: int = 0) -> None:
        super().__init__(path)
        self.code, self.left = code, {"open": opens, "read": reads, "size": sizes}

    def stumble(self, what: str) -> None:
        if self.left[what]:
            self.left[what] -= 1
            raise OSError(self.code, "stumbled")

    def open_bytes(self, path: str) -> BinaryIO:
        self.stumble("open")
        return cast("BinaryIO", _Stream(self, super().open_bytes(path)))

    def size(self, path: str) -> int | None:
        self.stumble("size")
        return super().size(path)


class _Stream(io.BufferedIOBase):
    def __init__(self, root: Stumbling, file: BinaryIO) -> None:
        self.root, self.file = root, file

    def read(self, size: int | None = -1) -> bytes:
        data = self.file.read(-1 if size is None else size)
        self.root.stumble("read")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def close(self) -> None:
        self.file.close()
        super().close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(CONTENT)
    return tmp_path


def steady(root: LocalRoot) -> tuple[SteadyRoot, list[float]]:
    slept: list[float] = []
    return SteadyRoot(root, Patience((0.1, 0.5, 2.0), slept.append)), slept


@pytest.mark.parametrize("code", [errno.EIO, errno.EAGAIN, errno.ETIMEDOUT, errno.ESTALE, errno.ECONNRESET])
def test_a_read_that_fails_twice_and_then_works_goes_on_where_it_stood(folder: Path, code: int) -> None:
    root, slept = steady(stumbling := Stumbling(folder, code, opens=1, sizes=2))
    assert root.size("file") == len(CONTENT)
    with root.open_bytes("file") as file:
        assert file.read(1000) == CONTENT[:1000]
        stumbling.left["read"] = 2
        assert file.read(300) == CONTENT[1000:1300]
        assert file.tell() == 1300
        stumbling.left["open"] = 1
        assert file.seek(-10, io.SEEK_END) == len(CONTENT) - 10
        assert file.read() == CONTENT[-10:]
    assert slept == [0.1, 0.5, 0.1, 0.1, 0.5]
    assert root.take_retries() == 5
    assert root.take_retries() == 0


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EACCES, errno.EISDIR])
def test_what_will_not_change_is_not_tried_again(folder: Path, code: int) -> None:
    root, slept = steady(Stumbling(folder, code, opens=9))
    with pytest.raises(OSError, match="stumbled") as raised:
        root.open_bytes("file")
    assert (raised.value.errno, slept) == (code, [])
    assert not isinstance(raised.value, StoreError)


def test_a_disk_that_stays_away_ends_the_run_and_a_damaged_file_does_not(folder: Path) -> None:
    root, slept = steady(Stumbling(folder, errno.ESTALE, opens=9))
    with pytest.raises(StoreError, match=r"file: does not answer \(stumbled\); see that the disk or share is there"):
        root.open_bytes("file")
    assert slept == [0.1, 0.5, 2.0]
    damaged, slept = steady(Stumbling(folder, errno.EIO, reads=9))
    with damaged.open_bytes("file") as file, pytest.raises(OSError, match="stumbled") as raised:
        file.read()
    assert (raised.value.errno, len(slept)) == (errno.EIO, 3)


def test_time_outs_and_lost_connections_pass() -> None:
    assert all(
        map(is_transient, (TimeoutError("no number"), ConnectionResetError(), BlockingIOError(errno.EAGAIN, "")))
    )
    assert not any(map(is_transient, (FileNotFoundError(errno.ENOENT, ""), PermissionError(errno.EACCES, ""))))


def test_it_reads_as_any_file_does(folder: Path) -> None:
    root = open_root(str(folder))
    assert root.url == str(folder.resolve())
    assert root.list_dir("") == ["file"]
    buffer = bytearray(500)
    with root.open_bytes("file") as file:
        assert file.readinto(buffer) == 500  # type: ignore[attr-defined]
        assert (file.readable(), file.seekable(), bytes(buffer)) == (True, True, CONTENT[:500])
        assert file.read() == CONTENT[500:]
        assert file.read() == b""
    with pytest.raises(FileNotFoundError):
        root.open_bytes("absent")
    copied: Callable[[str], BinaryIO] = pickle.loads(pickle.dumps(root)).open_bytes
    with copied("file") as file:
        assert file.read() == CONTENT
