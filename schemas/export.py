"""What an export is made of: the user's settings, one frame in memory, and what holds for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from paintpipe.schemas.arrays import Float32, Float64, Int8, UInt8
from paintpipe.schemas.catalog import BoxRow, DatasetInfo, FrameRow, ImageRow
from paintpipe.schemas.taxonomy import Taxonomy

Background = Literal["auto", "keep", "drop"]

EXPORT_FORMAT = 2
"""Raised whenever the same store and settings would give other bytes than before."""


@dataclass(frozen=True)
class ExportSettings:
    """What the user may set for an export; every field changes bytes.

    Attributes:
        taxonomy: that scores are mapped to, "" for the target's usual one of this dataset.
        classes: score columns to keep, in this order; () for all of the taxonomy.
        splits: dataset splits to export, () for all.
        one_hot: 1 for the best class of a painted point, 0 elsewhere, instead of scores.
        background: whether the background (or `other`) column stays; `auto` is what the target does.
        pad_channels: score columns in all, those behind the classes being 0; 0 for no padding.
        fov_only: keep only points that some camera sees.
        fill: rule for the label of unpainted points, "" for none.
        sweeps: earlier sweeps that come with a keyframe, None for the target's usual number.
        options: (name, value) of what one target alone knows (`--option NAME=VALUE`), as typed.
    """

    taxonomy: str = ""
    classes: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    one_hot: bool = False
    background: Background = "auto"
    pad_channels: int = 0
    fov_only: bool = False
    fill: str = ""
    sweeps: int | None = None
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ExportSweep:
    """A sweep before a keyframe, in its own LiDAR frame.

    Attributes:
        row: its catalog row.
        points: (M, F) float32 as published.
        scores: (M, C) float32, columns as those of the frame.
        frame_SE3_sweep: (4, 4) float64, from this sweep's LiDAR frame to the keyframe's.
        lag_s: keyframe's time minus the sweep's.
    """

    row: FrameRow
    points: Float32
    scores: Float32
    frame_SE3_sweep: Float64
    lag_s: float


@dataclass(frozen=True)
class ExportFrame:
    """One painted frame with all that targets ask of it; rows of the arrays are aligned.

    Attributes:
        row: its catalog row.
        images: of the frame, in the catalog's order of cameras.
        boxes: of the frame.
        points: (N, F) float32; those of the point file in its order, or with `fov_only` those that a camera sees.
        scores: (N, C) float32, the columns of `ExportFacts.channels`: mapped, chosen, one-hot and padded as asked.
        label: (N,) uint8 in `ExportFacts.taxonomy`, 255 where unpainted and no fill rule says otherwise.
        camera: (N,) int8 index into the layer's camera names, -1 where none.
        flags: (N,) uint8 of `Flag`.
        sweeps: the sweeps before it, nearest first, for targets that ask for them.
    """

    row: FrameRow
    images: tuple[ImageRow, ...]
    boxes: tuple[BoxRow, ...]
    points: Float32
    scores: Float32
    label: UInt8
    camera: Int8
    flags: UInt8
    sweeps: tuple[ExportSweep, ...] = ()


@dataclass(frozen=True)
class ExportFacts:
    """What holds for every frame of an export.

    Attributes:
        info: of the dataset.
        layer: name of the painted layer.
        taxonomy: that `label` counts in: the target's usual one or the user's, with all its classes.
        channels: names of the score columns in order; padding is named `pad0`, `pad1`, ….
        features: names of the point columns.
        camera_names: what `camera` counts in.
        settings: as settled: taxonomy, background and sweeps are never left open here.
        card: JSON-ready: source dataset and licence, painter, settings, digests.
    """

    info: DatasetInfo
    layer: str
    taxonomy: Taxonomy
    channels: tuple[str, ...]
    features: tuple[str, ...]
    camera_names: tuple[str, ...]
    settings: ExportSettings
    card: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FrameExport:
    """What a target makes of one frame.

    Attributes:
        files: content by path relative to the export's folder; the same frame gives the same bytes.
        facts: JSON-ready, small: what `finish` needs to know of the frame beside its catalog rows (points in each box,
            say). Kept with the shard's mark, so that a resumed export reads no frame again.
    """

    files: Mapping[str, bytes]
    facts: Mapping[str, Any] = field(default_factory=dict)
