"""A file that is read back while it is written, beside the items that it is written from.

So large a file that it is written as a stream is not read twice, nor are the items that it is made of: each is kept
until the reader, who is behind by a few megabytes, has compared it with what lies on the disk.
"""

import hashlib
import io
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, Generic, TypeVar, cast

from paintpipe.pipeline.ledger import FileSum

T = TypeVar("T")
R = TypeVar("R")

LAG_BYTES = 8 << 20
"""How far the reader may be behind before the writer waits: bounds the items that are kept."""
_BUFFER_BYTES = 1 << 16


@dataclass(frozen=True)
class Followed(Generic[R]):
    """What came of it: the reader's answer, and the sum of all that was written."""

    found: R
    sum: FileSum


def write_followed(
    file: BinaryIO,
    items: Iterable[T],
    write: Callable[[Iterable[T], BinaryIO], None],
    read: Callable[[Iterable[T], BinaryIO], R],
) -> Followed[R]:
    """Write a file in this thread while another one reads it from front to back.

    Args:
        file: empty, on a local disk, readable too.
        items: what it is written from.
        write: writes the items, asked for one by one, to a file that it neither reads nor seeks in.
        read: is given the same items and a file that ends where the writing ends: reading on waits for more, and so
            does seeking its end. It may return early.

    Raises:
        Exception: what `write` raises, else what `read` does.
    """
    both: _Between[T] = _Between(file)
    with ThreadPoolExecutor(1, thread_name_prefix="follower") as pool:
        reading = pool.submit(both.follow, read)
        try:
            write(both.passed(items), cast("BinaryIO", both))
        finally:
            both.end()
    return Followed(reading.result(), FileSum(both.digest.hexdigest(), both.size))


class _Between(Generic[T]):
    """What writer and reader share.

    The writer is held back while the reader is at work and far behind, and never while the reader waits for more: a
    format may keep any number of items to itself before it writes them.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self._file = file
        self._changed = threading.Condition()
        self._items: deque[T] = deque()
        self._place = 0
        self._awaited: Callable[[], bool] | None = None
        self._ended = self._left = False

    def passed(self, items: Iterable[T]) -> Iterator[T]:
        """The items for the writer, each kept for the reader."""
        for item in items:
            with self._changed:
                if not self._left:
                    self._items.append(item)
                self._changed.notify_all()
                self._changed.wait_for(self._may_go_on)
            yield item

    def write(self, data: bytes) -> int:
        """The writer's; raises OSError."""
        self._file.write(data)
        self._file.flush()
        self.digest.update(data)
        with self._changed:
            self.size += len(data)
            self._changed.notify_all()
        return len(data)

    def _may_go_on(self) -> bool:
        waits = self._awaited is not None and not self._awaited()  # what it waited for may be there, and it not awake
        return waits or self._left or self.size - self._place <= LAG_BYTES

    def end(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def follow(self, read: Callable[[Iterable[T], BinaryIO], R]) -> R:
        """All of the reader's thread."""
        try:
            with io.BufferedReader(_Behind(self), _BUFFER_BYTES) as file:
                return read(self.kept(), file)
        finally:
            with self._changed:
                self._left = True
                self._items.clear()
                self._changed.notify_all()

    def kept(self) -> Iterator[T]:
        """The items for the reader."""
        while self.wait(lambda: bool(self._items)):
            yield self._items.popleft()

    def wait(self, there: Callable[[], bool]) -> bool:
        """Whether what the reader waits for has come before the end."""
        with self._changed:
            self._awaited = there
            self._changed.notify_all()
            self._changed.wait_for(lambda: there() or self._ended)
            self._awaited = None
            return there()

    def whole_size(self) -> int:
        """Bytes of the file, once it has all of them."""
        self.wait(lambda: self._ended)
        return self.size

    def read_into(self, buffer: memoryview, place: int) -> int:
        """Some bytes from `place` on, 0 at the end."""
        if not self.wait(lambda: self.size > place):
            return 0
        count = os.preadv(self._file.fileno(), [buffer], place)
        with self._changed:
            self._place = place + count
            self._changed.notify_all()
        return count


class _Behind(io.RawIOBase):
    """The file as its reader has it."""

    def __init__(self, between: _Between[T]) -> None:
        self._between = between
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: lambda: 0, io.SEEK_CUR: lambda: self._at, io.SEEK_END: self._between.whole_size}
        self._at = max(0, start[whence]() + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = self._between.read_into(buffer, self._at)
        self._at += count
        return count
