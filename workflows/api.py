"""The Python API: a painted store opened for reading, sequence by sequence and frame by frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.folders.open import open_folder
from paintpipe.pipeline.store import POINTS_TARGET, UNKNOWN_TIME_US, LayerTable, SequenceTable, layer_target
from paintpipe.schemas.arrays import AnyArray, Float16, Float32, Float64, Int8, UInt8
from paintpipe.schemas.errors import WorkspaceError
from paintpipe.schemas.settings import StoreFormat
from paintpipe.workflows.stores import OpenStore, check_painted_at, existing_store, open_at


@dataclass(frozen=True)
class PaintedLayer:
    """One layer of one frame; rows aligned with the points.

    Attributes:
        scores: (N, C) float16, a row sums to 1 where painted and is 0 elsewhere.
        label: (N,) uint8 arg-max class, 255 where unpainted.
        camera: (N,) int8 index into `camera_names`, -1 where none.
        flags: (N,) uint8 bits of `paintpipe.schemas.painted.Flag`.
        classes: names of the C classes.
        camera_names: names of the cameras.
        arrays: every array of the layer by name, those of `--provenance full` among them.
        attributes: taxonomy, painter, settings, versions.
    """

    scores: Float16
    label: UInt8
    camera: Int8
    flags: UInt8
    classes: tuple[str, ...]
    camera_names: tuple[str, ...]
    arrays: dict[str, AnyArray]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class PaintedFrameView:
    """One frame of a painted store; arrays are read when asked for.

    Attributes:
        sequence: name of the drive.
        index: position in the sequence.
        frame_id: the dataset's name of the frame.
        timestamp_us: None where unknown.
        num_points: rows of every array.
        features: columns of `points`.
        global_SE3_lidar: (4, 4), NaN where unknown.
    """

    opened: OpenStore
    sequence: str
    index: int
    frame_id: str
    timestamp_us: int | None
    num_points: int
    features: tuple[str, ...]
    global_SE3_lidar: Float64

    @property
    def points(self) -> Float32:
        """(N, F) float32, the point file's rows in its order.

        Raises:
            WorkspaceError: the store was painted with `--no-points`, or this frame's shard is not done.
        """
        self._check_done(POINTS_TARGET)
        points: Float32 = self.opened.store.read_frame(POINTS_TARGET, self.sequence, self.index)["points"]
        return points

    def layer(self, name: str) -> PaintedLayer:
        """The frame in a layer.

        Raises:
            WorkspaceError: no such layer, or this frame is not painted in it yet.
        """
        there = self.opened.store.layers(self.sequence)
        if name not in there:
            expected = "one of " + ", ".join(there) if there else ""
            raise WorkspaceError(f"no layer {name!r}", where=self.sequence, expected=expected)
        self._check_done(layer_target(name))
        table: LayerTable = self.opened.store.layer_table(self.sequence, name)
        arrays = self.opened.store.read_frame(layer_target(name), self.sequence, self.index)
        main: dict[str, Any] = {key: arrays[key] for key in ("scores", "label", "camera", "flags")}
        names = (tuple(table.coords["class"]), tuple(table.coords["camera_name"]))
        return PaintedLayer(
            **main, classes=names[0], camera_names=names[1], arrays=arrays, attributes=dict(table.attributes)
        )

    def _check_done(self, target: str) -> None:
        if self.opened.mark(target, self.sequence, self.index) is None:
            where = f"{self.sequence}/{self.frame_id}"
            raise WorkspaceError(f"{target} is not painted for this frame", where=where, todo="run `paintpipe paint`")


@dataclass(frozen=True)
class PaintedSequence:
    """The frames of one sequence, by position."""

    opened: OpenStore
    table: SequenceTable

    def __len__(self) -> int:
        return len(self.table.frame_ids)

    def __getitem__(self, index: int) -> PaintedFrameView:
        """Frame `index`; negative indices count from the end. Raises IndexError."""
        table, size = self.table, len(self)
        if not -size <= index < size:
            raise IndexError(f"frame {index} of {size} in {table.sequence}")
        index %= size
        time_us = int(table.timestamps_us[index])
        return PaintedFrameView(
            self.opened,
            table.sequence,
            index,
            table.frame_ids[index],
            None if time_us == UNKNOWN_TIME_US else time_us,
            int(table.num_points[index]),
            table.features,
            table.global_SE3_lidar[index],
        )

    def __iter__(self) -> Iterator[PaintedFrameView]:
        return (self[index] for index in range(len(self)))


@dataclass(frozen=True)
class PaintedStore:
    """A painted dataset."""

    opened: OpenStore

    @cached_property
    def sequences(self) -> tuple[str, ...]:
        """Names of the sequences."""
        return tuple(self.opened.store.sequences())

    def layers(self, sequence: str | None = None) -> tuple[str, ...]:
        """Names of the layers of a sequence, by default of the first."""
        return tuple(self.opened.store.layers(sequence or self.sequences[0]))

    def sequence(self, name: str) -> PaintedSequence:
        """A sequence's frames.

        Raises:
            WorkspaceError: there is no such sequence.
        """
        if name not in self.sequences:
            raise WorkspaceError(f"no sequence {name!r}", expected="one of " + ", ".join(self.sequences))
        return PaintedSequence(self.opened, self.opened.store.sequence_table(name))


def open_painted(path: str | Path, store_format: StoreFormat | None = None) -> PaintedStore:
    """Open a painted dataset for reading.

    Args:
        path: a workspace, what `paint --store` was told, or the `painted.zarr` or `painted.parquet` in either; a path
            or a URL.
        store_format: which store, where a workspace holds both; by default the one painted last.

    Raises:
        WorkspaceError: nothing is painted there.
    """
    folder = open_folder(str(path))
    kinds: dict[str, StoreFormat] = {".zarr": "zarr", ".parquet": "parquet"}
    kind = kinds.get(PurePosixPath(folder.url).suffix)
    if kind is None and isinstance(folder, LocalFolder):
        return PaintedStore(existing_store(folder.path, store_format))
    if kind is not None:
        folder = LocalFolder(folder.path.resolve().parent) if isinstance(folder, LocalFolder) else _parent(folder)
    return PaintedStore(check_painted_at(folder, open_at(folder, store_format or kind)))


def _parent(folder: Folder) -> Folder:
    return open_folder(folder.url.rpartition("/")[0])
