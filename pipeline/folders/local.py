"""A folder on a local or network disk, written by the rule of `paintpipe.pipeline.publish`."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from paintpipe.pipeline import publish
from paintpipe.pipeline.folders.folder import Names, check_relative

if TYPE_CHECKING:
    from zarr.abc.store import Store as ZarrReadStore


class LocalFolder:
    """`paintpipe.pipeline.folders.folder.Folder` on a file system; a path to whoever asks for one (`os.fspath`).

    Args:
        path: the folder; it need not exist yet.
    """

    shareable = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __reduce__(self) -> tuple[type["LocalFolder"], tuple[str]]:
        return LocalFolder, (str(self.path.absolute()),)  # workers may have another working folder

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"LocalFolder({str(self.path)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalFolder) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    @property
    def url(self) -> str:
        """See `Folder.url`."""
        return str(self.path)

    def folder(self, path: str) -> "LocalFolder":
        """See `Folder.folder`."""
        return LocalFolder(self._at(path))

    def where(self, path: str) -> str:
        """See `Folder.where`."""
        return str(self.path / path)

    def exists(self) -> bool:
        """See `Folder.exists`."""
        return self.path.is_dir()

    def publish(self, files: Mapping[str, bytes]) -> None:
        """See `Folder.publish`."""
        publish.publish(self.path, files)

    def mark(self, path: str, content: bytes) -> None:
        """See `Folder.mark`."""
        publish.publish_file(self._at(path), content)

    def read(self, path: str) -> bytes:
        """See `Folder.read`."""
        with open(self._name(path), "rb") as file:  # noqa: PTH123
            return file.read()

    def read_many(self, paths: Iterable[str]) -> Iterator[bytes | None]:
        """See `Folder.read_many`."""
        for path in paths:
            try:
                yield self.read(path)
            except OSError:
                yield None

    def open_file(self, path: str) -> BinaryIO:
        """See `Folder.open_file`."""
        return self._at(path).open("rb")

    def size(self, path: str) -> int | None:
        """See `Folder.size`."""
        try:
            status = os.stat(self._name(path))  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def sizes(self, paths: Iterable[str]) -> dict[str, int | None]:
        """See `Folder.sizes`."""
        return {path: self.size(path) for path in paths}

    def names(self, path: str = "") -> Names:
        """See `Folder.names`."""
        folders, files = [], {}
        try:
            entries = sorted(os.scandir(self._at(path) if path else self.path), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return Names((), {})
        for entry in entries:
            if entry.is_dir():
                folders.append(entry.name)
            else:
                files[entry.name] = entry.stat(follow_symlinks=False).st_size
        return Names(tuple(folders), files)

    def walk(self, path: str = "") -> Iterator[str]:
        """See `Folder.walk`."""
        for folder, _, names in os.walk(self.path / path):
            yield from (Path(folder, name).relative_to(self.path).as_posix() for name in names)

    def remove(self, path: str) -> None:
        """See `Folder.remove`."""
        publish.remove_file(self._at(path))

    def remove_folder(self, path: str) -> None:
        """See `Folder.remove_folder`."""
        publish.remove_folder(self.path, check_relative(path))

    def leftovers(self) -> Iterator[str]:
        """See `Folder.leftovers`."""
        for path in publish.find_partial(self.path):
            yield path.relative_to(self.path).as_posix()

    def clean_staging(self) -> int:
        """See `Folder.clean_staging`."""
        return publish.clean_staging(self.path)

    def zarr_store(self) -> "ZarrReadStore":
        """See `Folder.zarr_store`."""
        from zarr.storage import LocalStore

        return LocalStore(self.path, read_only=True)

    def _at(self, path: str) -> Path:
        return self.path / check_relative(path)

    def _name(self, path: str) -> str:
        """`_at` as text: exports read and ask about thousands of small files, and a `Path` costs as much as opening."""
        return os.path.join(self.path, check_relative(path))  # noqa: PTH118
