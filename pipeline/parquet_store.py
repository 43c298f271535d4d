"""The painted store as Hive-partitioned Parquet: one dataset per target, one file per shard, a row group per frame.

`points/sequence=<name>/shard-00000.parquet` and `layers/<layer>/sequence=<name>/shard-00000.parquet` hold one row per
point: `frame`, `frame_id`, `point`, then an array each (`second/camera` is called `second_camera`), channels as
fixed-size lists. `meta/` keeps the per-frame tables and what each layer holds, apart from the datasets so that any
reader can be pointed at a whole dataset.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import pyarrow as pa

from paintpipe.pipeline import parquet_meta, parquet_rows
from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.open import Place, open_folder
from paintpipe.pipeline.frames import check_frame_index, check_frames, pick
from paintpipe.pipeline.memo import Memo
from paintpipe.pipeline.metadata import create_or_match
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import FrameArrays, LayerTable, SequenceTable, layer_of, layer_target
from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import StoreError, WorkspaceError
from paintpipe.schemas.painted import POINTS, ArraySpec

T = TypeVar("T")


class ParquetStore:
    """`paintpipe.pipeline.store.Store` over Parquet files; safe for several threads.

    Args:
        root: the `painted.parquet` folder, or its path or URL; it need not exist yet.
        frames_per_shard: frames in a shard, as the store was or will be created with.
    """

    def __init__(self, root: Place, frames_per_shard: int) -> None:
        self.root: Folder = open_folder(root)
        self.frames_per_shard = frames_per_shard
        self._known = Memo()

    def __reduce__(self) -> tuple[type["ParquetStore"], tuple[Folder, int]]:
        return ParquetStore, (self.root, self.frames_per_shard)  # what was read stays behind

    def create_sequence(self, table: SequenceTable, *, with_points: bool = True) -> None:
        """See `Store.create_sequence`."""
        files = {_meta("frames", table.sequence): parquet_meta.encode_sequence(table, self.frames_per_shard)}
        if with_points:
            files[_meta("points", table.sequence)] = parquet_meta.encode_points(table)
        create_or_match(self.root, files)

    def create_layer(self, sequence: str, table: LayerTable) -> None:
        """See `Store.create_layer`."""
        self.sequence_table(sequence)
        create_or_match(self.root, {_meta(layer_target(table.layer), sequence): parquet_meta.encode_layer(table)})

    def drop(self, sequence: str, target: str) -> None:
        """See `Store.drop`."""
        self.root.remove(_meta(target, sequence))
        self.root.remove_folder(f"{target}/sequence={sequence}")
        self._known.forget()

    def drop_sequence(self, sequence: str) -> None:
        """See `Store.drop_sequence`."""
        for target in (*map(layer_target, self.layers(sequence)), "points"):
            self.drop(sequence, target)
        self.root.remove(_meta("frames", sequence))

    def sequences(self) -> list[str]:
        """See `Store.sequences`."""
        return _stems(self.root)

    def layers(self, sequence: str) -> list[str]:
        """See `Store.layers`."""
        paths = {name: _meta(layer_target(name), sequence) for name in self.root.names("meta/layers").folders}
        sizes = self.root.sizes(paths.values())
        return [name for name, path in paths.items() if sizes[path] is not None]

    def has_points(self, sequence: str) -> bool:
        """See `Store.has_points`."""
        return self.root.size(_meta("points", sequence)) is not None

    def sequence_table(self, sequence: str) -> SequenceTable:
        """See `Store.sequence_table`."""
        return self._read_meta(_meta("frames", sequence), parquet_meta.decode_sequence, self.sequences)

    def layer_table(self, sequence: str, layer: str) -> LayerTable:
        """See `Store.layer_table`."""
        path = _meta(layer_target(layer), sequence)
        return self._read_meta(path, parquet_meta.decode_layer, lambda: self.layers(sequence))

    def encode_shard(self, target: str, shard: Shard, frames: Sequence[FrameArrays | None]) -> dict[str, bytes]:
        """See `Store.encode_shard`."""
        table = self.sequence_table(shard.sequence)
        specs, channels = self._layout(target, table)
        check_frames(target, shard, frames, specs, table.num_points)
        content = parquet_rows.encode(specs, channels, table, shard, frames)
        return {_shard_path(target, shard.sequence, shard.index): content}

    def read_frame(
        self, target: str, sequence: str, frame: int, names: Sequence[str] | None = None
    ) -> dict[str, AnyArray]:
        """See `Store.read_frame`."""
        table = self.sequence_table(sequence)
        check_frame_index(sequence, frame, table.num_points)
        specs, channels = self._layout(target, table)
        wanted, count = pick(target, specs, names), int(table.num_points[frame])
        index, row_group = divmod(frame, self.frames_per_shard)
        path = _shard_path(target, sequence, index)
        if self.root.size(path) is None:
            return {spec.name: parquet_rows.filled(spec, channels, count) for spec in wanted}
        try:
            with self.root.open_file(path) as file:
                return parquet_rows.read_row_group(file, row_group, wanted, channels, count)
        except StoreError:
            raise  # a service that does not answer: nothing is known to be damaged
        except (pa.ArrowException, OSError, ValueError, LookupError) as error:
            todo = "see what `paintpipe verify` says, then run again with --overwrite what made it"
            reason = " ".join(str(error).split())
            raise StoreError(f"can't be read ({reason})", where=self.root.where(path), todo=todo) from error

    def shard_files(self, target: str) -> set[str]:
        """See `Store.shard_files`."""
        depth = target.count("/") + 2
        return {path for path in self.root.walk(target) if path.count("/") == depth}

    def metadata_files(self) -> set[str]:
        """See `Store.metadata_files`."""
        return set(self.root.walk("meta"))

    def _layout(self, target: str, table: SequenceTable) -> tuple[tuple[ArraySpec, ...], dict[str, int]]:
        """The target's arrays, and the length of each channel dimension."""
        layer = layer_of(target)
        if layer is not None:
            held = self.layer_table(table.sequence, layer)
            return held.specs, {dimension: len(names) for dimension, names in held.coords.items()}
        if not self.has_points(table.sequence):
            raise WorkspaceError(f"{table.sequence} holds no points", where=self.root.url, todo="read the dataset's")
        return POINTS, {"feature": len(table.features)}

    def _read_meta(self, path: str, decode: Callable[[bytes], T], names: Callable[[], list[str]]) -> T:
        try:
            return self._known.once(path, lambda: decode(self.root.read(path)))
        except FileNotFoundError:
            existing = names()
            expected = "one of " + ", ".join(existing) if existing else "a store with something in it"
            raise WorkspaceError(f"no {path}", where=self.root.url, expected=expected) from None
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise StoreError("damaged metadata", where=self.root.where(path), expected="JSON") from error


def _meta(kind: str, sequence: str) -> str:
    return f"meta/{kind}/{sequence}.json"


def _shard_path(target: str, sequence: str, index: int) -> str:
    return f"{target}/sequence={sequence}/shard-{index:05d}.parquet"


def _stems(root: Folder) -> list[str]:
    """Names of the sequences that have tables."""
    return [name.removesuffix(".json") for name in root.names("meta/frames").files if name.endswith(".json")]


def stored_length(root: Folder) -> int | None:
    """Frames in a shard of the store at `root`, None where it holds no sequence that tells; `verify` says why."""
    for content in root.read_many(_meta("frames", sequence) for sequence in _stems(root)):
        with suppress(ValueError, LookupError, TypeError, RecursionError):
            return int(json.loads(content or b"")["frames_per_shard"])
    return None
