"""An object folder as zarr reads it: through our own requests, with their retries and their errors."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, NoReturn

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype

if TYPE_CHECKING:
    from paintpipe.pipeline.folders.objects import ObjectFolder


class ObjectZarr(Store):
    """A read-only zarr store."""

    supports_writes = False
    supports_deletes = False
    supports_listing = True

    def __init__(self, folder: "ObjectFolder") -> None:
        super().__init__(read_only=True)
        self.folder = folder

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectZarr) and other.folder == self.folder

    def __hash__(self) -> int:
        return hash(self.folder)

    def __str__(self) -> str:
        return self.folder.url

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """The object or a part of it, None where it is absent."""
        try:
            content = await asyncio.to_thread(self._read, key, byte_range)
        except FileNotFoundError:
            return None
        return prototype.buffer.from_bytes(content)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """`get` of each, at once."""
        return list(await asyncio.gather(*(self.get(key, prototype, part) for key, part in key_ranges)))

    async def exists(self, key: str) -> bool:
        """Whether the object is there."""
        return await asyncio.to_thread(self.folder.size, key) is not None

    async def set(self, key: str, value: Buffer) -> NoReturn:
        """Refused: shards are published by the folder."""
        raise ValueError("this store is read-only")

    async def delete(self, key: str) -> NoReturn:
        """Refused."""
        raise ValueError("this store is read-only")

    async def list(self) -> AsyncIterator[str]:
        """Every object's path."""
        for path in await asyncio.to_thread(lambda: [*self.folder.walk()]):
            yield path

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Every path that begins so."""
        for path in await asyncio.to_thread(lambda: [*self.folder.walk()]):
            if path.startswith(prefix):
                yield path

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """The names directly in a folder."""
        names = await asyncio.to_thread(self.folder.names, prefix.strip("/"))
        for name in (*names.folders, *names.files):
            yield name

    def _read(self, key: str, part: ByteRequest | None) -> bytes:
        match part:
            case None:
                return self.folder.read(key)
            case RangeByteRequest(start, end):
                return self.folder.read_range(key, start, end)[0]
            case SuffixByteRequest(suffix):  # as a range: Azure knows none from the end
                return self._read_from(key, lambda size: max(0, size - suffix))
            case OffsetByteRequest(offset):
                return self._read_from(key, lambda _size: offset)
        raise TypeError(f"no byte request: {part!r}")

    def _read_from(self, key: str, start_at: Callable[[int], int]) -> bytes:
        """An object from where `start_at` says, given its size, to its end; raises FileNotFoundError."""
        size = self.folder.size(key)
        if size is None:
            raise FileNotFoundError(key)
        start = start_at(size)
        return self.folder.read_range(key, start, size)[0] if start < size else b""
