"""A submission as one zip whose bytes depend on the files alone."""

import zipfile
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import BinaryIO

from paintpipe.stages.export.target import ReadFile

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can tell."""
_FILE, _FOLDER = 0o100644 << 16, (0o040755 << 16) | 0x10
_LEVEL = 1
"""Labels are long runs of few values: higher levels cost several times the time and gain little."""


def write_zip(paths: Iterable[str], read: ReadFile, file: BinaryIO) -> None:
    """Write files, each behind the folders it lies in, one in memory at a time.

    Folders have entries of their own: SemanticKITTI's validator asks for them.

    Args:
        paths: to take, in this order, each once.
        read: gives the bytes of a path.
        file: to write to.
    """
    folders: set[str] = set()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for path in paths:
            for folder in _parents(path):
                if folder not in folders:
                    folders.add(folder)
                    archive.writestr(_entry(folder, _FOLDER), b"", zipfile.ZIP_STORED)
            archive.writestr(_entry(path, _FILE), read(path), zipfile.ZIP_DEFLATED, _LEVEL)


def _parents(path: str) -> list[str]:
    """The folders of a path, outermost first, each ending in a slash."""
    return [f"{folder}/" for folder in reversed(PurePosixPath(path).parents) if folder.name]


def _entry(name: str, attributes: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system, entry.external_attr = 3, attributes  # Unix, whatever this machine is
    return entry
