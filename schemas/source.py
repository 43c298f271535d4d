"""How readers reach the files of a dataset, wherever its root lies."""

from typing import BinaryIO, Protocol


class Root(Protocol):
    """A dataset's root folder. Paths are relative to it, with `/`, and never lead out of it.

    Every method raises OutsideRootError for a path that is absolute, climbs out, holds NUL or leads out by a symlink.
    """

    def open_bytes(self, path: str) -> BinaryIO:
        """The file opened for reading bytes; raises FileNotFoundError where it is absent."""
        ...

    def size(self, path: str) -> int | None:
        """The file's size in bytes, None where there is no such file."""
        ...

    def list_dir(self, path: str) -> list[str]:
        """Sorted names in a folder, [] where it is absent."""
        ...
