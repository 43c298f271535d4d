"""What a painted store is, whatever its file format.

A store holds, for each sequence, its points and any number of layers. A *target* names one of them: `points` or
`layers/<name>`. The coordinator alone creates sequences and layers; workers encode whole shards in memory, and
`paintpipe.pipeline.commit` publishes and marks them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.shards import Shard
from paintpipe.schemas.arrays import AnyArray, Float64, Int64
from paintpipe.schemas.errors import ConfigError, StoreError
from paintpipe.schemas.painted import ArraySpec

STORE_FORMAT = 1
"""Raised when the layout of stores changes."""

UNKNOWN_TIME_US = int(np.iinfo(np.int64).min)
"""The timestamp of a frame whose time is unknown."""

POINTS_TARGET = "points"
_LAYER_PREFIX = "layers/"

FrameArrays = Mapping[str, AnyArray]
"""One frame's arrays by the names of their specs, rows aligned with the point file."""


@dataclass(frozen=True)
class SequenceTable:
    """A sequence's per-frame tables.

    Attributes:
        sequence: name; letters, digits and `._+-` only, since it names a folder.
        frame_ids: F names.
        num_points: (F,) int64 points of each frame.
        timestamps_us: (F,) int64, `UNKNOWN_TIME_US` where unknown.
        global_SE3_lidar: (F, 4, 4) float64, NaN where unknown.
        features: names of the columns of `points`.
    """

    sequence: str
    frame_ids: tuple[str, ...]
    num_points: Int64
    timestamps_us: Int64
    global_SE3_lidar: Float64
    features: tuple[str, ...]

    def __post_init__(self) -> None:
        check_name(self.sequence, "sequence")
        frames = len(self.frame_ids)
        shapes = (self.num_points.shape, self.timestamps_us.shape, self.global_SE3_lidar.shape)
        if frames == 0 or shapes != ((frames,), (frames,), (frames, 4, 4)):
            raise StoreError(f"tables of {frames} frames have shapes {shapes}", where=self.sequence)

    @property
    def max_points(self) -> int:
        """Length of the point axis: the longest sweep, at least 1."""
        return max(1, int(self.num_points.max()))


@dataclass(frozen=True)
class LayerTable:
    """What a layer holds.

    Attributes:
        layer: name; letters, digits and `._+-` only.
        specs: its arrays.
        coords: names along each dimension other than frame and point (`class`, `uv`), and those that integer arrays
            count in (`camera_name`).
        attributes: JSON-ready; kept with the layer. `versions` alone may differ when a run is taken up again.
    """

    layer: str
    specs: tuple[ArraySpec, ...]
    coords: Mapping[str, tuple[str, ...]]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.layer, "layer")
        for spec in self.specs:
            absent = set(spec.dims) - {"frame", "point"} - self.coords.keys()
            if absent or spec.dims[:1] != ("frame",):
                raise StoreError(f"array {spec.name} has dimensions {spec.dims}, without names for {absent or 'frame'}")


class Store(Protocol):
    """A painted store in one file format.

    Attributes:
        root: folder that the paths of `encode_shard` are relative to.
        frames_per_shard: fixed for the store.
    """

    root: Folder
    frames_per_shard: int

    def create_sequence(self, table: SequenceTable, *, with_points: bool = True) -> None:
        """Create a sequence's tables, and its `points` if asked; nothing happens where they are there already.

        Raises:
            StoreError: what is there differs from `table`, or the disk refuses.
        """
        ...

    def create_layer(self, sequence: str, table: LayerTable) -> None:
        """Create a layer of a sequence; nothing happens where it is there already. Raises StoreError as above."""
        ...

    def drop(self, sequence: str, target: str) -> None:
        """Delete a layer or the points of a sequence (its marks must be gone already). Raises StoreError."""
        ...

    def drop_sequence(self, sequence: str) -> None:
        """Delete a sequence with its points and layers (their marks must be gone already). Raises StoreError."""
        ...

    def sequences(self) -> list[str]:
        """Names of the sequences."""
        ...

    def layers(self, sequence: str) -> list[str]:
        """Names of a sequence's layers."""
        ...

    def has_points(self, sequence: str) -> bool:
        """Whether the store holds the sequence's points."""
        ...

    def sequence_table(self, sequence: str) -> SequenceTable:
        """A sequence's tables. Raises WorkspaceError where it is absent."""
        ...

    def layer_table(self, sequence: str, layer: str) -> LayerTable:
        """What a layer holds. Raises WorkspaceError where it is absent."""
        ...

    def encode_shard(self, target: str, shard: Shard, frames: Sequence[FrameArrays | None]) -> dict[str, bytes]:
        """The files of one whole shard, by path relative to `root`. Writes nothing; safe for several threads.

        Args:
            target: `points` or `layers/<name>`, created before.
            shard: which frames.
            frames: their arrays, None for a frame that was rejected (its rows are filled).

        Raises:
            StoreError: an array is absent, of another dtype or not as long as the frame's point file.
        """
        ...

    def read_frame(
        self, target: str, sequence: str, frame: int, names: Sequence[str] | None = None
    ) -> dict[str, AnyArray]:
        """A frame's arrays (all, or those named), with as many rows as the frame has points.

        A frame whose shard was never written reads as fill values: ask the ledger what is done.

        Raises:
            WorkspaceError: no such sequence, layer or array.
            StoreError: the file is damaged.
        """
        ...

    def shard_files(self, target: str) -> set[str]:
        """Paths relative to `root` of all files on disk that belong to shards of a target, marked or not."""
        ...

    def metadata_files(self) -> set[str]:
        """Paths relative to `root` of all JSON files with a checksum of their own (`paintpipe.pipeline.seal`)."""
        ...


def layer_target(layer: str) -> str:
    """The target of a layer."""
    return _LAYER_PREFIX + layer


def layer_of(target: str) -> str | None:
    """The layer that a target names, None for the points."""
    if target == POINTS_TARGET:
        return None
    if not target.startswith(_LAYER_PREFIX):
        raise ConfigError(f"unknown target {target!r}", expected="points or layers/NAME")
    return check_name(target.removeprefix(_LAYER_PREFIX), "layer")


def check_name(name: str, what: str) -> str:
    """`name`, if it may name a folder of a store; raises ConfigError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", name) or name.endswith(".partial"):
        raise ConfigError(
            f"{what} name {name!r} can't name a folder",
            expected="letters, digits and any of . _ + -, not ending in .partial",
        )
    return name


def layer_table(
    layer: str,
    specs: tuple[ArraySpec, ...],
    class_names: Sequence[str],
    camera_names: Sequence[str],
    attributes: Mapping[str, Any],
) -> LayerTable:
    """A LayerTable for class scores: dimension `class`, coordinate `camera_name`, and `uv` where pixels are kept."""
    coords = {"class": tuple(class_names), "camera_name": tuple(camera_names)}
    if any("uv" in spec.dims for spec in specs):
        coords["uv"] = ("u", "v")
    return LayerTable(layer, specs, coords, attributes)
