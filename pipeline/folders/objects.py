"""A folder under a prefix of an object store: S3, GCS, Azure, or this process's memory.

There is no rename. An object appears whole, by one PUT or one completed multipart upload, so that nothing is staged and
nothing partial is ever seen. What must be written once alone (a mark, a lock) is a PUT on condition that the object is
absent, and carries an attempt id in its metadata: never in its content, which is the same wherever a store lies. Where
the answer is a conflict, or is lost, the object is read back: this id means that it was we.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO

import obstore

from paintpipe.pipeline.folders.folder import Names, check_relative
from paintpipe.pipeline.folders.object_file import open_object
from paintpipe.pipeline.folders.requests import Requests, Version
from paintpipe.pipeline.folders.urls import parse_url
from paintpipe.pipeline.overlap import prefetch
from paintpipe.pipeline.publish import PARTIAL
from paintpipe.schemas.errors import StoreError

if TYPE_CHECKING:
    from zarr.abc.store import Store as ZarrReadStore

_AT_ONCE = 16
_ONE_PUT_BYTES = 16 * 2**20
_PART_BYTES = 8 * 2**20
_TRIES = 3
_MANY = 8
"""So many sizes below one folder are worth a listing."""


class ObjectFolder:
    """`paintpipe.pipeline.folders.folder.Folder` over obstore; see the module.

    Args:
        url: such as `s3://bucket/path`; nothing need be there yet, but for the bucket.

    Raises:
        ConfigError: not the URL of an object store.
        MissingExtraError: obstore is not installed.
    """

    def __init__(self, url: str) -> None:
        self._ask = Requests(parse_url(url))

    def __reduce__(self) -> tuple[type["ObjectFolder"], tuple[str]]:
        return ObjectFolder, (self.url,)  # a client is made anew, by the environment over there

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        return f"ObjectFolder({self.url!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectFolder) and other.url == self.url

    def __hash__(self) -> int:
        return hash(self.url)

    @property
    def url(self) -> str:
        """See `Folder.url`."""
        return self._ask.address.url

    @property
    def shareable(self) -> bool:
        """See `Folder.shareable`."""
        return self._ask.address.scheme != "memory"

    def folder(self, path: str) -> "ObjectFolder":
        """See `Folder.folder`."""
        return ObjectFolder(self.where(check_relative(path)))

    def where(self, path: str) -> str:
        """See `Folder.where`."""
        return self._ask.where(path)

    def exists(self) -> bool:
        """See `Folder.exists`."""
        names = self.names()
        return bool(names.folders or names.files)

    def publish(self, files: Mapping[str, bytes]) -> None:
        """See `Folder.publish`."""
        for path in files:
            check_relative(path)
        with ThreadPoolExecutor(min(_AT_ONCE, len(files)) or 1) as pool:
            list(pool.map(self._put, files, files.values()))

    def mark(self, path: str, content: bytes) -> None:
        """See `Folder.mark`."""
        for _ in range(_TRIES):
            if self.create(path, content):
                return
            there = self.version(path)
            if there is not None and there.content == content:
                return  # another attempt at the same thing was first
            if there is not None:
                break
        # Which of the two writers' files lie there now is unknown: neither mark may stand.
        self.remove(path)
        what = "two writers made this at once, and differently"
        raise StoreError(what, where=self.where(path), todo="run the same command again, from one machine at a time")

    def create(self, path: str, content: bytes) -> bool:
        """Write an object unless it is there; True where it was this call that wrote it. Raises StoreError."""
        return self._ask.conditional(path, content, "create")

    def replace(self, path: str, content: bytes, old: Version) -> bool:
        """Write over an object unless it was changed since `old` was read; True where this call wrote it."""
        return self._ask.conditional(path, content, old.tag)

    def version(self, path: str) -> Version | None:
        """What an object holds, and by which attempt, None where it is absent. Raises StoreError."""
        return self._ask.version(path)

    def read(self, path: str) -> bytes:
        """See `Folder.read`."""
        return self._ask.again(path, lambda: bytes(obstore.get(self._ask.client, self._ask.key(path)).bytes()))

    def read_range(self, path: str, start: int, stop: int) -> tuple[bytes, int]:
        """Bytes start..stop-1 of an object, fewer at its end, and its whole size; raises FileNotFoundError."""

        def get() -> tuple[bytes, int]:
            found = obstore.get(self._ask.client, self._ask.key(path), options={"range": (start, stop)})
            return bytes(found.bytes()), found.meta["size"]

        return self._ask.again(path, get)

    def read_many(self, paths: Iterable[str]) -> Iterator[bytes | None]:
        """See `Folder.read_many`."""

        def read(path: str) -> bytes | None:
            try:
                return self.read(path)
            except FileNotFoundError:
                return None

        yield from prefetch(paths, read, depth=2 * _AT_ONCE, threads=_AT_ONCE)

    def open_file(self, path: str) -> BinaryIO:
        """See `Folder.open_file`."""
        return open_object(self, check_relative(path))

    def size(self, path: str) -> int | None:
        """See `Folder.size`."""
        try:
            return self._ask.again(path, lambda: obstore.head(self._ask.client, self._ask.key(path))["size"])
        except FileNotFoundError:
            return None

    def sizes(self, paths: Iterable[str]) -> dict[str, int | None]:
        """See `Folder.sizes`; what a listing lacks is asked for by name, since listings may lag."""
        wanted = list(dict.fromkeys(paths))
        groups: dict[str, list[str]] = {}
        for path in wanted:
            groups.setdefault(path.partition("/")[0], []).append(path)
        known: dict[str, int] = {}
        for group in groups.values():
            if len(group) > _MANY:
                known |= dict(self._objects(_common_folder(group)))
        absent = [path for path in wanted if path not in known]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            asked = dict(zip(absent, pool.map(self.size, absent), strict=True))
        return {path: known[path] if path in known else asked[path] for path in wanted}

    def names(self, path: str = "") -> Names:
        """See `Folder.names`."""
        prefix = self._ask.key(path) if path else self._ask.address.path
        found = self._ask.again(path, lambda: obstore.list_with_delimiter(self._ask.client, prefix))
        folders = sorted(name.rpartition("/")[2] for name in found["common_prefixes"])
        files = {meta["path"].rpartition("/")[2]: meta["size"] for meta in found["objects"]}
        # Consoles keep "folders" as empty objects whose names end in a slash.
        shown = {name: files[name] for name in sorted(files) if name and name not in folders}
        return Names(tuple(folders), shown)

    def walk(self, path: str = "") -> Iterator[str]:
        """See `Folder.walk`."""
        for name, _ in self._objects(path):
            yield name

    def remove(self, path: str) -> None:
        """See `Folder.remove`."""
        self._delete([path])

    def remove_folder(self, path: str) -> None:
        """See `Folder.remove_folder`."""
        self._delete(list(self.walk(check_relative(path))))

    def leftovers(self) -> Iterator[str]:
        """See `Folder.leftovers`; only files that a run lays at the top for its own time: nothing is ever staged."""
        return (name for name in self.names().files if name.endswith(PARTIAL))

    def clean_staging(self) -> int:
        """See `Folder.clean_staging`."""
        leftovers = list(self.leftovers())
        self._delete(leftovers)
        return len(leftovers)

    def zarr_store(self) -> "ZarrReadStore":
        """See `Folder.zarr_store`."""
        from paintpipe.pipeline.folders.zarr_objects import ObjectZarr

        return ObjectZarr(self)

    def _objects(self, path: str) -> list[tuple[str, int]]:
        """(path, size) of every object below `path`."""
        prefix = self._ask.key(path) if path else self._ask.address.path
        found = self._ask.again(path, lambda: obstore.list(self._ask.client, prefix, chunk_size=1000).collect())
        skip = len(self._ask.address.path) + 1 if self._ask.address.path else 0
        return [(meta["path"][skip:], meta["size"]) for meta in found if len(meta["path"]) > skip]

    def _put(self, path: str, content: bytes) -> None:
        key, many = self._ask.key(path), len(content) > _ONE_PUT_BYTES

        def put() -> None:
            client = self._ask.client
            obstore.put(client, key, content, use_multipart=many, chunk_size=_PART_BYTES, max_concurrency=4)

        for _ in range(_TRIES):
            # What is absent is the upload: it was completed, the answer was lost, and the client asked once more.
            with contextlib.suppress(FileNotFoundError):
                self._ask.again(path, put)
                return
        raise StoreError("the service forgets what is uploaded to it", where=self.where(path))

    def _delete(self, paths: list[str]) -> None:
        keys = [self._ask.key(path) for path in paths]
        if not keys:
            return
        try:
            self._ask.again(paths[0], lambda: obstore.delete(self._ask.client, keys if len(keys) > 1 else keys[0]))
        except FileNotFoundError:
            # GCS and Azure stop at an object that is absent, as after a lost answer; S3 takes it for deleted.
            if len(paths) > 1:
                for path in paths:
                    self._delete([path])


def _common_folder(paths: list[str]) -> str:
    """The deepest folder that all paths lie below."""
    parts = [path.split("/")[:-1] for path in paths]
    shared: list[str] = []
    for names in zip(*parts, strict=False):
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    return "/".join(shared)
