"""A dataset's root under a prefix of an object store."""

import threading
from collections import Counter
from typing import BinaryIO

from paintpipe.pipeline.folders.folder import Names
from paintpipe.pipeline.folders.object_file import open_object
from paintpipe.pipeline.folders.objects import ObjectFolder
from paintpipe.pipeline.root_paths import path_parts
from paintpipe.schemas.errors import InputFileError

_MANY = 8
"""From so many questions about one folder on, it is listed once: a listing names 1,000 files a request."""


class ObjectRoot:
    """`paintpipe.schemas.source.Root` under a URL; safe to share between threads.

    A dataset doesn't change while it is worked on: folders are listed once, and what was listed is remembered.

    Args:
        url: such as `s3://bucket/kitti`.

    Raises:
        InputFileError: nothing lies there.
        ConfigError: a URL that can't be opened.
        MissingExtraError: obstore is not installed.
        StoreError: the service refuses or does not answer.
    """

    def __init__(self, url: str) -> None:
        self.folder = ObjectFolder(url)
        self._listed: dict[str, Names] = {}
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        if not self._names("").folders and not self._names("").files:
            raise InputFileError("nothing lies there", where=self.url, expected="the dataset's root folder")

    def __reduce__(self) -> tuple[type["ObjectRoot"], tuple[str]]:
        return ObjectRoot, (self.url,)  # what is remembered, and the lock, stay behind

    @property
    def url(self) -> str:
        """The root's URL, which `open_root` takes."""
        return self.folder.url

    def open_bytes(self, path: str) -> BinaryIO:
        """The file opened for reading bytes; a header costs one small request, a whole file one.

        Raises:
            OutsideRootError: the path leads out of the root.
            FileNotFoundError: there is no such file; where its folder is not listed yet, when it is read.
        """
        parent, name = _split(path)
        listed = self._listed.get(parent)
        if listed is not None and name not in listed.files:
            raise FileNotFoundError(f"no {self.folder.where(path)}")
        return open_object(self.folder, _below(parent, name), None if listed is None else listed.files[name])

    def size(self, path: str) -> int | None:
        """The file's size in bytes, None where there is no such file; raises OutsideRootError, StoreError."""
        parent, name = _split(path)
        if not name:
            return None
        with self._lock:
            self._asked[parent] += 1
            many = self._asked[parent] > _MANY
        if many or parent in self._listed:
            return self._names(parent).files.get(name)
        return self.folder.size(_below(parent, name))

    def list_dir(self, path: str) -> list[str]:
        """Sorted names in a folder, [] where it is absent; raises OutsideRootError, StoreError."""
        names = self._names("/".join(path_parts(path)))
        return sorted((*names.folders, *names.files))

    def _names(self, path: str) -> Names:
        with self._lock:
            known = self._listed.get(path)
        if known is None:
            known = self.folder.names(path)
            with self._lock:
                self._listed[path] = known
        return known


def _split(path: str) -> tuple[str, str]:
    parts = path_parts(path)
    return "/".join(parts[:-1]), "".join(parts[-1:])


def _below(parent: str, name: str) -> str:
    return f"{parent}/{name}" if parent else name
