"""A dataset's root folder, which no path and no symlink leads out of: on a local disk, or opened by its URL."""

import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.folders.open import open_folder
from paintpipe.pipeline.root_paths import path_parts
from paintpipe.schemas.errors import InputFileError, OutsideRootError

if TYPE_CHECKING:
    from paintpipe.pipeline.object_root import ObjectRoot
    from paintpipe.pipeline.steady_root import SteadyRoot

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

    def __reduce__(self) -> tuple[type["LocalRoot"], tuple[str]]:
        return LocalRoot, (str(self.path),)  # what is remembered, and the lock, stay behind

    @property
    def url(self) -> str:
        """The root's path, which `open_root` takes."""
        return str(self.path)

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
            return sorted(entry.name for entry in self._folder(path_parts(path)).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _resolve(self, path: str) -> Path:
        parts = path_parts(path)
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
        try:
            real = candidate.resolve()
        except RuntimeError:  # what pathlib makes of ELOOP
            raise InputFileError("a symlink leads back to itself", where=path, todo="mend the link") from None
        if not real.is_relative_to(self.path):
            raise OutsideRootError("a symlink leads out of the dataset's root", where=path, todo=_TODO)
        return real


def open_root(place: str) -> "SteadyRoot | ObjectRoot":
    """A dataset's root by its path or URL, which tries again what fails for a moment.

    Raises:
        InputFileError: nothing lies there.
        ConfigError: a URL that can't be opened.
        MissingExtraError: the URL of an object store, and obstore is not installed.
        StoreError: the service refuses or does not answer.
    """
    folder = open_folder(place)
    if isinstance(folder, LocalFolder):
        from paintpipe.pipeline.steady_root import SteadyRoot

        return SteadyRoot(LocalRoot(folder.path))
    from paintpipe.pipeline.object_root import ObjectRoot

    return ObjectRoot(folder.url)
