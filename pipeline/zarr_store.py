"""The painted store as zarr v3: one group per sequence, one zarr shard per pipeline shard and array."""

import json
from collections.abc import Sequence
from contextlib import suppress

from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.open import Place, open_folder
from paintpipe.pipeline.frames import check_frame_index, check_frames, padded_block, pick
from paintpipe.pipeline.metadata import create_or_match
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import FrameArrays, LayerTable, SequenceTable, layer_of
from paintpipe.pipeline.zarr_nodes import chunk_path, layer_files, points_files, sequence_files
from paintpipe.pipeline.zarr_reader import ZarrReader
from paintpipe.pipeline.zarr_shard import encode_chunks
from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import WorkspaceError
from paintpipe.schemas.painted import POINTS, ArraySpec


class ZarrStore:
    """`paintpipe.pipeline.store.Store` over zarr v3, readable by plain zarr and xarray; safe for several threads.

    Metadata is never consolidated, so that a layer added later is seen.

    Args:
        root: the `painted.zarr` folder, or its path or URL; it need not exist yet.
        frames_per_shard: frames in a shard, as the store was or will be created with.
    """

    def __init__(self, root: Place, frames_per_shard: int) -> None:
        self.root: Folder = open_folder(root)
        self.frames_per_shard = frames_per_shard
        self._reader = ZarrReader(self.root)

    def __reduce__(self) -> tuple[type["ZarrStore"], tuple[Folder, int]]:
        return ZarrStore, (self.root, self.frames_per_shard)  # what was read stays behind

    def create_sequence(self, table: SequenceTable, *, with_points: bool = True) -> None:
        """See `Store.create_sequence`."""
        files = sequence_files(table)
        if with_points:
            files |= points_files(table, self.frames_per_shard)
        create_or_match(self.root, files)

    def create_layer(self, sequence: str, table: LayerTable) -> None:
        """See `Store.create_layer`."""
        create_or_match(self.root, layer_files(self.sequence_table(sequence), table, self.frames_per_shard))

    def drop(self, sequence: str, target: str) -> None:
        """See `Store.drop`."""
        self.root.remove_folder(f"{sequence}/{target}")
        self._reader.forget()

    def drop_sequence(self, sequence: str) -> None:
        """See `Store.drop_sequence`."""
        self.root.remove_folder(sequence)
        self._reader.forget()

    def sequences(self) -> list[str]:
        """See `Store.sequences`."""
        return self._reader.groups("")

    def layers(self, sequence: str) -> list[str]:
        """See `Store.layers`."""
        return self._reader.groups(f"{sequence}/layers")

    def has_points(self, sequence: str) -> bool:
        """See `Store.has_points`."""
        return self.root.size(f"{sequence}/points/zarr.json") is not None

    def sequence_table(self, sequence: str) -> SequenceTable:
        """See `Store.sequence_table`."""
        return self._reader.sequence_table(sequence)

    def layer_table(self, sequence: str, layer: str) -> LayerTable:
        """See `Store.layer_table`."""
        return self._reader.layer_table(sequence, layer)

    def encode_shard(self, target: str, shard: Shard, frames: Sequence[FrameArrays | None]) -> dict[str, bytes]:
        """See `Store.encode_shard`."""
        specs, num_points = self._specs(shard.sequence, target), self.sequence_table(shard.sequence).num_points
        check_frames(target, shard, frames, specs, num_points)
        files: dict[str, bytes] = {}
        for spec in specs:
            path = _array_path(shard.sequence, target, spec.name)
            shape = self._reader.array(path).shape
            chunks = (
                padded_block(spec, [arrays], shape[1:], num_points[frame : frame + 1])
                for frame, arrays in enumerate(frames, shard.start)
            )
            files[f"{path}/{chunk_path(shard.index, len(shape))}"] = encode_chunks(chunks, self.frames_per_shard)
        return files

    def read_frame(
        self, target: str, sequence: str, frame: int, names: Sequence[str] | None = None
    ) -> dict[str, AnyArray]:
        """See `Store.read_frame`."""
        num_points = self.sequence_table(sequence).num_points
        check_frame_index(sequence, frame, num_points)
        arrays: dict[str, AnyArray] = {}
        for spec in pick(target, self._specs(sequence, target), names):
            values = self._reader.values(_array_path(sequence, target, spec.name), frame)
            arrays[spec.name] = values[: int(num_points[frame])] if "point" in spec.dims else values
        return arrays

    def shard_files(self, target: str) -> set[str]:
        """See `Store.shard_files`."""
        layer = layer_of(target)
        found: set[str] = set()
        for sequence in self.sequences():
            if self.has_points(sequence) if layer is None else layer in self.layers(sequence):
                for spec in self._specs(sequence, target):
                    found.update(self.root.walk(f"{_array_path(sequence, target, spec.name)}/c"))
        return found

    def metadata_files(self) -> set[str]:
        """See `Store.metadata_files`."""
        return {path for path in self.root.walk() if path.rpartition("/")[2] == "zarr.json"}

    def _specs(self, sequence: str, target: str) -> tuple[ArraySpec, ...]:
        layer = layer_of(target)
        if layer is not None:
            return self.layer_table(sequence, layer).specs
        if not self.has_points(sequence):
            raise WorkspaceError(f"{sequence} holds no points", where=self.root.url, todo="read them from the dataset")
        return POINTS


def _array_path(sequence: str, target: str, name: str) -> str:
    return f"{sequence}/{name}" if layer_of(target) is None else f"{sequence}/{target}/{name}"


def stored_length(root: Folder) -> int | None:
    """Frames in a shard of the store at `root`, None where it holds no array that tells; `verify` says why."""
    for sequence in root.names().folders:
        layers = [f"layers/{name}/label" for name in root.names(f"{sequence}/layers").folders]
        for content in root.read_many(f"{sequence}/{name}/zarr.json" for name in ("points", *layers)):
            with suppress(ValueError, LookupError, TypeError, RecursionError):
                return int(json.loads(content or b"")["chunk_grid"]["configuration"]["chunk_shape"][0])
    return None
