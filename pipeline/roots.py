"""A dataset's root folder on a local disk, which no path and no symlink leads out of."""

import os
import stat
import threading
from pathlib import Path
from typing import BinaryIO

from paintpipe.schemas.errors import InputFileError, OutsideRootError

_TODO = "put the files inside the dataset's root, or give the folder that holds them all as the root"


class LocalRoot:
    """`paintpipe.schemas.source.Root` for a folder; safe to share between threads.

    The root itself may be a symlink. Folders are resolved once and remembered, so that asking for the sizes of
    thousands of files costs one `lstat` each.

    Args:
        path: the dataset's folder.

    Raises:
        InputFileError: `path` is no folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        if not self.path.is_dir():
            raise InputFileError("no such folder", where=str(path), expected="the dataset's root folder")
        self._folders: dict[tuple[str, ...], Path] = {}
        self._lock = threading.Lock()

    def open_bytes(self, path: str) -> BinaryIO:
        """The file opened for reading bytes.

        Raises:
            OutsideRootError: the path leads out of the root.
            FileNotFoundError: there is no such file.
            InputFileError: it is no regular file (a folder, a pipe, a device).
        """
        real = self._resolve(path)
        if not stat.S_ISREG(real.stat().st_mode):
            raise InputFileError("not a regular file", where=path, expected="a file of the dataset")
        # O_NOFOLLOW: the path was resolved, so a link here was swapped in since.
        return os.fdopen(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")

    def size(self, path: str) -> int | None:
        """The file's size in bytes, None where there is no such file; raises OutsideRootError."""
        try:
            status = self._resolve(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def list_dir(self, path: str) -> list[str]:
        """Sorted names in a folder, [] where it is absent; `""` and `"."` are the root. Raises OutsideRootError."""
        try:
            return sorted(entry.name for entry in self._folder(_parts(path)).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _resolve(self, path: str) -> Path:
        parts = _parts(path)
        if not parts:
            return self.path
        candidate = self._folder(parts[:-1]) / parts[-1]
        return self._contained(candidate, path) if candidate.is_symlink() else candidate

    def _folder(self, parts: tuple[str, ...]) -> Path:
        with self._lock:
            known = self._folders.get(parts)
        if known is None:
            known = self._contained(self.path.joinpath(*parts), "/".join(parts))
            if known.is_dir():
                with self._lock:
                    self._folders[parts] = known
        return known

    def _contained(self, candidate: Path, path: str) -> Path:
        real = candidate.resolve()
        if not real.is_relative_to(self.path):
            raise OutsideRootError("a symlink leads out of the dataset's root", where=path, todo=_TODO)
        return real


def _parts(path: str) -> tuple[str, ...]:
    """The components of a relative path with `/`; raises OutsideRootError for whatever could climb out."""
    reason = ""
    if "\0" in path:
        reason = "the path holds a NUL character"
    elif "\\" in path:
        reason = "the path holds a backslash"
    elif path.startswith("/") or path[1:2] == ":":
        reason = "the path is absolute"
    elif ".." in path.split("/"):
        reason = "the path climbs with '..'"
    if reason:
        raise OutsideRootError(reason, where=repr(path)[1:-1], expected="a path relative to the dataset's root")
    return tuple(part for part in path.split("/") if part not in ("", "."))
