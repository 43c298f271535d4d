"""What a folder of whole files is, wherever it lies: all that stores, ledgers and locks ask of a disk."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from paintpipe.schemas.errors import StoreError

if TYPE_CHECKING:
    from zarr.abc.store import Store as ZarrReadStore


@dataclass(frozen=True)
class Names:
    """What lies directly in a folder, sorted by name.

    Attributes:
        folders: names of its folders.
        files: size in bytes of each of its files, by name.
    """

    folders: tuple[str, ...]
    files: Mapping[str, int]


class Folder(Protocol):
    """Whole files below one folder; paths are relative to it, with `/`. Safe for several threads, and picklable.

    Nothing that is written is ever seen in part. Every method raises StoreError (one that reads: any OSError) where the
    disk or the service refuses, and StoreError for a path that is absolute or climbs with `..`.
    """

    @property
    def url(self) -> str:
        """Its path or URL, without any secret; `open_folder` takes it."""
        ...

    @property
    def shareable(self) -> bool:
        """Whether another process can open it."""
        ...

    def folder(self, path: str) -> "Folder":
        """The folder at `path` below this one; it need not exist."""
        ...

    def where(self, path: str) -> str:
        """The path or URL of a file, for people."""
        ...

    def exists(self) -> bool:
        """Whether the folder is there; an object store has no folder without a file in it."""
        ...

    def publish(self, files: Mapping[str, bytes]) -> None:
        """Write files over what is there and return when they are durable; each is seen as it was or whole."""
        ...

    def mark(self, path: str, content: bytes) -> None:
        """Write a file that says something is done, durably; of several writers of the same content each succeeds.

        Raises:
            StoreError: on an object store, another writer says something else; nothing is marked then.
        """
        ...

    def read(self, path: str) -> bytes:
        """The whole of a file; raises FileNotFoundError where it is absent."""
        ...

    def read_many(self, paths: Iterable[str]) -> Iterator[bytes | None]:
        """`read` of each path in order, None where it is absent (or, on a disk, unreadable); several at once."""
        ...

    def open_file(self, path: str) -> BinaryIO:
        """A file opened for reading, seekable; raises FileNotFoundError where it is absent, now or when it is read."""
        ...

    def size(self, path: str) -> int | None:
        """The size of a file in bytes, None where there is no such file."""
        ...

    def sizes(self, paths: Iterable[str]) -> dict[str, int | None]:
        """`size` of each path; for thousands of them this takes few requests."""
        ...

    def names(self, path: str = "") -> Names:
        """What lies directly in the folder at `path`; nothing where it is absent."""
        ...

    def walk(self, path: str = "") -> Iterator[str]:
        """Every file at any depth below `path`, relative to this folder, in no order."""
        ...

    def remove(self, path: str) -> None:
        """Delete a file durably; one that is absent is fine."""
        ...

    def remove_folder(self, path: str) -> None:
        """Delete a folder with all that is in it; one that is absent is fine."""
        ...

    def leftovers(self) -> Iterator[str]:
        """Paths of what killed writers left."""
        ...

    def clean_staging(self) -> int:
        """Delete what killed writers left and say how many there were; only for the run that holds the lock."""
        ...

    def zarr_store(self) -> "ZarrReadStore":
        """The folder as zarr reads it, read-only."""
        ...


def check_relative(path: str) -> str:
    """`path`, if it leads to a file inside the folder; raises StoreError."""
    parts = set(path.split("/"))
    if parts <= {"", "."} or path.startswith("/") or ".." in parts or "\0" in path:
        raise StoreError("not a path inside the store", where=repr(path), expected="a relative path")
    return path
