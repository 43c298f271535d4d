"""Hashes of exported files."""

import hashlib
from collections.abc import Mapping
from typing import BinaryIO

from paintpipe.pipeline.ledger import FileSum

_CHUNK = 1 << 22


def file_sums(files: Mapping[str, bytes]) -> dict[str, FileSum]:
    """What each file must be."""
    return {path: FileSum(hashlib.sha256(content).hexdigest(), len(content)) for path, content in files.items()}


def file_sum(file: BinaryIO) -> FileSum:
    """The same of a file that is too large to be held; closes it."""
    digest, size = hashlib.sha256(), 0
    with file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return FileSum(digest.hexdigest(), size)
