"""What targets look at over all frames, read when they do: most need no boxes, and a submission no images either."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Protocol, TypeVar, overload

from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.shards import Shard
from paintpipe.schemas.catalog import BoxRow, ImageRow
from paintpipe.workflows.catalog import Catalog


class OfFrame(Protocol):
    """A row of a frame."""

    @property
    def index(self) -> int:
        """The frame's."""
        ...


Row = TypeVar("Row", bound=OfFrame)


@dataclass(frozen=True)
class Later(Sequence[Row]):
    """Rows that are read once anybody looks at them."""

    read: Callable[[], Sequence[Row]]

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        return self.read()[place]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.read())

    def __len__(self) -> int:
        return len(self.read())


@dataclass(frozen=True)
class ShardRows:
    """Images and boxes of the frames of one shard, each table read whole when the first frame's rows are looked at."""

    catalog: Catalog
    shard: Shard

    def images(self, index: int) -> Sequence[ImageRow]:
        """Of frame `index`."""
        return Later(partial(self._of_images, index))

    def boxes(self, index: int) -> Sequence[BoxRow]:
        """Of frame `index`."""
        return Later(partial(self._of_boxes, index))

    def _of_images(self, index: int) -> Sequence[ImageRow]:
        return self._images.get(index, ())

    def _of_boxes(self, index: int) -> Sequence[BoxRow]:
        return self._boxes.get(index, ())

    @cached_property
    def _images(self) -> dict[int, list[ImageRow]]:
        return _by_frame(self.catalog.images(self.shard.sequence, self.shard.start, self.shard.stop))

    @cached_property
    def _boxes(self) -> dict[int, list[BoxRow]]:
        return _by_frame(self.catalog.boxes(self.shard.sequence, self.shard.start, self.shard.stop))


@dataclass(frozen=True)
class ReadBack:
    """The files of an export, as `SizedRead` has them."""

    out: Folder

    def __call__(self, path: str) -> bytes:
        """See `Folder.read`."""
        return self.out.read(path)

    def size(self, path: str) -> int:
        """Bytes of a file. Raises FileNotFoundError."""
        size = self.out.size(path)
        if size is None:
            raise FileNotFoundError(path)
        return size


def _by_frame(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row.index, []).append(row)
    return found
