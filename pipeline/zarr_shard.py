"""The bytes of one zarr shard, frame by frame: those that zarr itself would write, in a third of its time.

zarr encodes from one block of all frames, which it copies several times; here a frame is compressed as it comes, and no
more than one is held. A test holds the two against each other byte by byte. Format: zarr v3, codec `sharding_indexed`
version 1.0, with the index at the end and a CRC-32C behind each chunk and behind the index.
"""

import struct
from collections.abc import Iterable
from typing import Any, Final

import google_crc32c
import numpy as np

from paintpipe.schemas.arrays import AnyArray

COMPRESSOR: Final = "lz4"
LEVEL: Final = 5
"""With byte shuffle: nothing else was both as fast and smaller (`benchmarks/store_codecs.py`, docs/store.md)."""
_ENTRY, _SUM = struct.Struct("<QQ"), struct.Struct("<I")
_ABSENT = b"\xff" * _ENTRY.size


def encode_chunks(chunks: Iterable[AnyArray], chunks_per_shard: int) -> bytes:
    """One zarr shard of an array that is split along its first axis alone.

    Args:
        chunks: the arrays of at most `chunks_per_shard` frames, all of one shape and dtype, padding included; places
            after the last are absent.
        chunks_per_shard: frames in a shard.
    """
    codec = _compressor()
    parts: list[bytes] = []
    entries: list[bytes] = []
    position = 0
    for chunk in chunks:
        body = bytes(codec.encode(np.ascontiguousarray(chunk)))
        parts += [body, _checksum(body)]
        entries.append(_ENTRY.pack(position, len(body) + _SUM.size))
        position += len(body) + _SUM.size
    index = b"".join([*entries, *[_ABSENT] * (chunks_per_shard - len(entries))])
    return b"".join([*parts, index, _checksum(index)])


def _compressor() -> Any:
    import numcodecs.blosc

    # Blosc's own threads cut a buffer differently from run to run: other bytes for the same scores.
    numcodecs.blosc.use_threads = False
    return numcodecs.blosc.Blosc(cname=COMPRESSOR, clevel=LEVEL, shuffle=numcodecs.blosc.SHUFFLE, blocksize=0)


def _checksum(content: bytes) -> bytes:
    return _SUM.pack(google_crc32c.value(content))
