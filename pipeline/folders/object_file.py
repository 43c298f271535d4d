"""An object as a file that is read where asked: a header costs one small request, a whole file one larger."""

import io
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

_BUFFER_BYTES = 64 * 1024


class Readable(Protocol):
    """Of an object folder, what reading takes."""

    def read(self, path: str) -> bytes:
        """The whole object."""
        ...

    def read_range(self, path: str, start: int, stop: int) -> tuple[bytes, int]:
        """A part of it, and its whole size."""
        ...

    def size(self, path: str) -> int | None:
        """Its size, None where it is absent."""
        ...


def open_object(folder: Readable, path: str, size: int | None = None) -> BinaryIO:
    """The object opened for reading; nothing is asked of the service until it is read.

    Args:
        folder: where it lies.
        path: relative to `folder`.
        size: in bytes, where it is known.
    """
    return cast("BinaryIO", io.BufferedReader(_ObjectFile(folder, path, size), _BUFFER_BYTES))


class _ObjectFile(io.RawIOBase):
    def __init__(self, folder: Readable, path: str, size: int | None) -> None:
        self._folder, self._path, self._size = folder, path, size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position}.get(whence)
        self._position = max(0, offset + (self._known_size() if base is None else base))
        return self._position

    def readinto(self, buffer: "Buffer") -> int:
        view: Any = memoryview(buffer).cast("B")
        if not len(view) or (self._size is not None and self._position >= self._size):
            return 0
        if self._position and self._known_size() <= self._position:
            return 0
        try:
            content, self._size = self._folder.read_range(self._path, self._position, self._position + len(view))
        except OSError:
            if self._known_size():
                raise
            return 0  # an empty object has no first byte to ask for
        view[: len(content)] = content
        self._position += len(content)
        return len(content)

    def readall(self) -> bytes:
        if self._position == 0:
            content = self._folder.read(self._path)
            self._size = len(content)
        elif self._position >= self._known_size():
            return b""
        else:
            content = self._folder.read_range(self._path, self._position, self._known_size())[0]
        self._position += len(content)
        return content

    def _known_size(self) -> int:
        if self._size is None:
            size = self._folder.size(self._path)
            if size is None:
                raise FileNotFoundError(self._path)
            self._size = size
        return self._size
