"""A submission as one zip whose bytes depend on the files alone."""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
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


def zip_faults(sizes: Mapping[str, int | None], file: BinaryIO) -> Iterator[str]:
    """What a server would have against an archive: its folders, its files and their sizes; a line for each.

    Args:
        sizes: bytes of each file that belongs in it by path, None for any.
        file: at its beginning; seekable.

    Raises:
        ValueError: it is no zip.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        raise ValueError(str(error)) from error
    found = {entry.filename: entry.file_size for entry in entries}
    if len(found) < len(entries):
        yield f"{len(entries) - len(found)} entries are there twice"
    folders = {folder for path in sizes for folder in _parents(path)}
    yield from (f"no entry for the folder {folder}" for folder in sorted(folders - found.keys()))
    yield from (f"{path} belongs there and is not" for path in sorted(sizes.keys() - found.keys()))
    yield from (f"{path} does not belong there" for path in sorted(found.keys() - sizes.keys() - folders))
    for path in sorted(sizes.keys() & found.keys()):
        if sizes[path] not in (None, found[path]):
            yield f"{path} has {found[path]} bytes, expected {sizes[path]}"


def _parents(path: str) -> list[str]:
    """The folders of a path, outermost first, each ending in a slash."""
    return [f"{folder}/" for folder in reversed(PurePosixPath(path).parents) if folder.name]


def _entry(name: str, attributes: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system, entry.external_attr = 3, attributes  # Unix, whatever this machine is
    return entry
