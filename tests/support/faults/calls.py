"""The calls that change a disk, seen and spoilt one by one.

Inside `watched(root, hook)` every call on a path below `root` that opens for writing, writes, syncs, closes, renames,
makes or removes asks `hook` first. The hook may raise (the call fails), kill the process, or only look. It works below
the engine's own functions, on `os` and `io`, so that no way of writing escapes it.
"""

import builtins
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

KINDS = ("open", "write", "fsync", "close", "rename", "mkdir", "unlink", "rmdir", "truncate")


@dataclass(frozen=True)
class Call:
    """One call, as asked for.

    Attributes:
        kind: one of KINDS.
        path: absolute; of a rename, the source.
        target: of a rename.
        data: of a write.
        position: of a write, in bytes; of a truncation, the new length.
        fresh: whether an open empties the file.
        folder: whether `path` is a folder (open, fsync, close).
    """

    kind: str
    path: str
    target: str = ""
    data: bytes = b""
    position: int = 0
    fresh: bool = False
    folder: bool = False


Hook = Callable[[Call], None]


@contextmanager
def watched(root: Path, hook: Hook) -> Iterator[None]:
    """Send all changes below `root` through `hook`, from whatever thread, one at a time."""
    calls = _Calls(os.path.realpath(root), hook)
    patches = [mock.patch.object(os, name, calls.wrap(name, getattr(os, name))) for name in _WRAPPERS]
    patches += [mock.patch.object(module, "open", calls.io_open(io.open)) for module in (io, builtins)]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in reversed(patches):
            patch.stop()


class _Calls:
    def __init__(self, root: str, hook: Hook) -> None:
        self._root, self._hook = root, hook
        self._lock = threading.RLock()
        self.open_files: dict[int, tuple[str, bool]] = {}
        """Descriptor → (path, whether a folder), of those opened below the root."""

    def ask(self, call: Call) -> None:
        with self._lock:
            self._hook(call)

    def path(self, path: Any, dir_fd: int | None = None) -> str | None:
        """Absolute path, None where it lies elsewhere."""
        if isinstance(path, int):
            return self.open_files.get(path, ("", False))[0] or None
        text = os.fsdecode(path)
        if dir_fd is not None:
            text = f"{Path(f'/proc/self/fd/{dir_fd}').readlink()}/{text}"
        text = os.path.abspath(text)  # noqa: PTH100 - links are not followed: a call names its own path
        return text if text == self._root or text.startswith(self._root + "/") else None

    def wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return _WRAPPERS[name](self, real, *args, **kwargs)

        return call

    def io_open(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(file: Any, mode: str = "r", buffering: int = -1, *args: Any, **kwargs: Any) -> Any:
            path = self.path(file)
            if path is None or not set(mode) & set("wxa+"):
                return real(file, mode, buffering, *args, **kwargs)
            raw = _File(self, path, file, mode.replace("b", "").replace("t", ""), **_raw_options(kwargs))
            if buffering == 0:
                return raw
            buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            if "b" in mode:
                return buffered
            text = {key: value for key, value in kwargs.items() if key in ("encoding", "errors", "newline")}
            return io.TextIOWrapper(buffered, *args, **text)  # type: ignore[misc]

        return opened


def _raw_options(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kwargs.items() if key in ("closefd", "opener")}


class _File(io.FileIO):
    """A file opened for writing through `open`."""

    def __init__(self, calls: _Calls, path: str, file: Any, mode: str, **options: Any) -> None:
        self._calls, self._path = calls, path
        if not isinstance(file, int):
            calls.ask(Call("open", path, fresh="w" in mode))
        super().__init__(file, mode, **options)
        calls.open_files[self.fileno()] = (path, False)

    def write(self, data: Any) -> int:
        content = bytes(data)
        try:
            self._calls.ask(Call("write", self._path, data=content, position=self.tell()))
        except OSError:
            super().write(content[: len(content) // 2])  # as a full disk does
            raise
        return super().write(content)

    def truncate(self, size: int | None = None) -> int:
        self._calls.ask(Call("truncate", self._path, position=self.tell() if size is None else size))
        return super().truncate(size)

    def close(self) -> None:
        if self.closed:
            return
        self._calls.open_files.pop(self.fileno(), None)
        super().close()
        self._calls.ask(Call("close", self._path))


def _open(calls: _Calls, real: Any, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    inside = calls.path(path, dir_fd)
    folder = bool(flags & os.O_DIRECTORY)
    writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if inside is not None and (writes or folder):
        calls.ask(Call("open", inside, fresh=bool(flags & os.O_TRUNC), folder=folder))
    descriptor = real(path, flags, mode, dir_fd=dir_fd)
    if inside is not None and (writes or folder or Path(inside).is_dir()):
        calls.open_files[descriptor] = (inside, folder or Path(inside).is_dir())
    return descriptor


def _close(calls: _Calls, real: Any, descriptor: int) -> None:
    path, folder = calls.open_files.pop(descriptor, ("", False))
    real(descriptor)
    if path and not folder:  # nothing is written through a folder's descriptor
        calls.ask(Call("close", path))


def _write(calls: _Calls, real: Any, descriptor: int, data: Any) -> int:
    path = calls.path(descriptor)
    if path is not None:
        calls.ask(Call("write", path, data=bytes(data), position=os.lseek(descriptor, 0, os.SEEK_CUR)))
    return real(descriptor, data)


def _pwrite(calls: _Calls, real: Any, descriptor: int, data: Any, offset: int) -> int:
    path = calls.path(descriptor)
    if path is not None:
        calls.ask(Call("write", path, data=bytes(data), position=offset))
    return real(descriptor, data, offset)


def _ftruncate(calls: _Calls, real: Any, descriptor: int, length: int) -> None:
    path = calls.path(descriptor)
    if path is not None:
        calls.ask(Call("truncate", path, position=length))
    real(descriptor, length)


def _sync(calls: _Calls, real: Any, descriptor: Any) -> None:
    number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
    path, folder = calls.open_files.get(number, ("", False))
    if path:
        calls.ask(Call("fsync", path, folder=folder))
    # Not done in earnest: what a sync would have saved is for the hook to know, and disks are slow.


def _rename(calls: _Calls, real: Any, source: Any, target: Any, **folders: Any) -> None:
    inside = calls.path(source, folders.get("src_dir_fd"))
    if inside is not None:
        calls.ask(Call("rename", inside, calls.path(target, folders.get("dst_dir_fd")) or os.fsdecode(target)))
    real(source, target, **folders)


def _changing(kind: str) -> Callable[..., Any]:
    def change(calls: _Calls, real: Any, path: Any, *args: Any, dir_fd: int | None = None) -> Any:
        inside = calls.path(path, dir_fd)
        if inside is not None:
            calls.ask(Call(kind, inside))
        return real(path, *args, dir_fd=dir_fd)

    return change


def _mkdir(calls: _Calls, real: Any, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
    inside = calls.path(path, dir_fd)
    if inside is not None:
        calls.ask(Call("mkdir", inside))
    real(path, mode, dir_fd=dir_fd)


_WRAPPERS: dict[str, Callable[..., Any]] = {
    "open": _open,
    "close": _close,
    "write": _write,
    "pwrite": _pwrite,
    "ftruncate": _ftruncate,
    "fsync": _sync,
    "fdatasync": _sync,
    "rename": _rename,
    "replace": _rename,
    "mkdir": _mkdir,
    "unlink": _changing("unlink"),
    "remove": _changing("unlink"),
    "rmdir": _changing("rmdir"),
}
