"""A dataset's root on a disk that stumbles: reads that fail for a moment are tried again."""

import errno
import io
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from paintpipe.pipeline.retry import Patience, is_transient, retrying
from paintpipe.pipeline.roots import LocalRoot
from paintpipe.schemas.errors import StoreError

if TYPE_CHECKING:
    from typing_extensions import Buffer

T = TypeVar("T")


class SteadyRoot:
    """`paintpipe.schemas.source.Root` that asks another one again; safe to share between threads.

    A file that stays unreadable with EIO is a damaged file, which a run can do without. A disk or a connection that
    stays away would cost every file after it as well: that ends the run, and the next one goes on from there.

    Args:
        root: the root itself.
        patience: when to give up.
    """

    def __init__(self, root: LocalRoot, patience: Patience | None = None) -> None:
        self._root, self._patience = root, patience or Patience()
        self._retries = 0
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type["SteadyRoot"], tuple[LocalRoot, Patience]]:
        return SteadyRoot, (self._root, self._patience)

    @property
    def url(self) -> str:
        """The root's path, which `open_root` takes."""
        return self._root.url

    def open_bytes(self, path: str) -> BinaryIO:
        """See `LocalRoot.open_bytes`; also raises StoreError where the disk does not answer."""
        return cast("BinaryIO", _SteadyFile(self, path))

    def size(self, path: str) -> int | None:
        """See `LocalRoot.size`; also raises StoreError where the disk does not answer."""
        return self.steady(path, lambda: self._root.size(path))

    def list_dir(self, path: str) -> list[str]:
        """See `LocalRoot.list_dir`; also raises StoreError where the disk does not answer."""
        return self.steady(path, lambda: self._root.list_dir(path))

    def take_retries(self) -> int:
        """How often something was asked again since this was asked last."""
        with self._lock:
            retries, self._retries = self._retries, 0
        return retries

    def open_once(self, path: str) -> BinaryIO:
        """The root's own `open_bytes`."""
        return self._root.open_bytes(path)

    def steady(self, path: str, call: Callable[[], T]) -> T:
        """`call()`, which reads `path`, tried again; raises what it raises, or StoreError."""
        try:
            return retrying(call, self._patience, self._count)
        except OSError as error:
            if not is_transient(error) or error.errno == errno.EIO:
                raise
            todo = "see that the disk or share is there; what was finished is kept, the same command carries on"
            raise StoreError(f"does not answer ({error.strerror or error})", where=path, todo=todo) from error

    def _count(self, _: OSError) -> None:
        with self._lock:
            self._retries += 1


class _SteadyFile(io.BufferedIOBase):
    """A file that is opened again, and read on from where it stood, where a read fails."""

    def __init__(self, root: SteadyRoot, path: str) -> None:
        self._root, self._path = root, path
        self._position = 0
        self._file: BinaryIO | None = None
        root.steady(path, self._opened)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = self._root.steady(self._path, lambda: self._opened().seek(offset, whence))
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        data = self._root.steady(self._path, lambda: self._attempt(-1 if size is None else size))
        self._position += len(data)
        return data

    def readinto(self, buffer: "Buffer") -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._drop()
        super().close()

    def _attempt(self, size: int) -> bytes:
        try:
            return self._opened().read(size)
        except OSError:
            self._drop()
            raise

    def _opened(self) -> BinaryIO:
        if self._file is None:
            file = self._root.open_once(self._path)
            file.seek(self._position)
            self._file = file
        return self._file

    def _drop(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                return  # it was only read
