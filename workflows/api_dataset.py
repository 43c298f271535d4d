"""A painted workspace as a PyTorch dataset: map-style, picklable, and safe in the workers of a DataLoader."""

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch.utils.data import Dataset

from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.catalog import BoxRow
from paintpipe.schemas.errors import ConfigError, WorkspaceError
from paintpipe.schemas.export import Background, ExportFrame, ExportSettings
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.export.target import FrameTarget
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.export_frames import FrameSource, ShardFrames
from paintpipe.workflows.export_plan import make_plan
from paintpipe.workflows.export_prepare import Prepared, prepare

Item = dict[str, Any]
PER_POINT = ("points", "scores", "label", "camera", "flags")
"""Keys of an item whose tensors have a row for each point."""


@dataclass(frozen=True)
class _AsStored:
    """A target that leaves every choice to the user."""

    keyframes_only: bool
    name: str = "dataset"

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        return settings


@dataclass(frozen=True)
class _Place:
    """A frame, and whether the store holds its points."""

    sequence: str
    index: int
    points_stored: bool


class PaintedDataset(Dataset[Item]):
    """The painted frames of a workspace, in catalog order; each item is a dictionary of tensors.

    `points` (N, F) float32 and `scores` (N, C) float32 as the columns of `features` and `channels`; `label` (N,) uint8,
    255 where unpainted; `camera` (N,) int8, -1 where none; `flags` (N,) uint8; `boxes` (B, 7) float32: geometric centre
    x y z, length width height (m) and yaw (rad) in the LiDAR's frame; `box_labels` (B,) int64 in `taxonomy`, -1 where
    it has no such class; `box_names`; `sequence`, `index`, `frame_id`, `split`.

    Only frames that are painted whole are here: `num_left_out` tells of the others. Nothing is read before it is asked
    for, each process opens the store for itself, and a pickle holds no data.

    Args:
        workspace: folder that `paintpipe ingest` and `paint` worked in.
        layer: its name, by default the only one or the one painted last.
        sequences: () for all.
        splits: () for all.
        taxonomy: that scores and labels are mapped to, None for the layer's own.
        classes: score columns, () for all of the taxonomy.
        one_hot: 1 for a point's best class instead of scores.
        background: whether the background's score column stays; `auto` keeps it.
        pad_channels: score columns in all, 0 for no padding.
        fov_only: only points that some camera sees.
        keyframes_only: without the frames between keyframes.
        transform: called with each item, in the worker; must be picklable where workers are spawned.

    Raises:
        WorkspaceError: no catalog, no such layer, or no painted frame among those asked for.
        ConfigError: a sequence, split or class that there is not.
        TaxonomyError: the layer can't be mapped to the taxonomy.
    """

    def __init__(
        self,
        workspace: str | Path,
        layer: str | None = None,
        *,
        sequences: Sequence[str] = (),
        splits: Sequence[str] = (),
        taxonomy: str | None = None,
        classes: Sequence[str] = (),
        one_hot: bool = False,
        background: Background = "auto",
        pad_channels: int = 0,
        fov_only: bool = False,
        keyframes_only: bool = False,
        transform: Callable[[Item], Any] | None = None,
    ) -> None:
        settings = ExportSettings(
            taxonomy=taxonomy or "",
            classes=tuple(classes),
            splits=tuple(splits),
            one_hot=one_hot,
            background=background,
            pad_channels=pad_channels,
            fov_only=fov_only,
        )
        self.workspace = Path(workspace).absolute()
        target = cast("FrameTarget", _AsStored(keyframes_only))
        run = prepare(self.workspace, target, layer, settings, tuple(sequences))
        self.transform = transform
        self._source = replace(run.source, layer=replace(run.source.layer, shards=()))
        self._places, self.num_left_out = _places(run)
        self._own: tuple[int, FrameSource, Catalog] | None = None

    @cached_property
    def taxonomy(self) -> Taxonomy:
        """What `label` and `box_labels` count in."""
        return self._source.facts.taxonomy

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the score columns."""
        return self._source.facts.channels

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns of `points`."""
        return self._source.facts.features

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> Any:
        """The frame of this number, as the transform makes it; raises IndexError, StoreError, PointsError."""
        place = self._places[number]
        source, catalog = self._opened()
        rows = catalog.part(place.sequence, place.index, place.index + 1)
        reader = ShardFrames(source, rows, place.sequence, place.index, place.index + 1, place.points_stored)
        item = _item(reader(place.index), self.taxonomy)
        return item if self.transform is None else self.transform(item)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_own": None}

    def _opened(self) -> tuple[FrameSource, Catalog]:
        """The store as this very process has opened it: what a forked worker inherits belongs to its parent."""
        if self._own is None or self._own[0] != os.getpid():
            self._own = os.getpid(), copy.deepcopy(self._source), open_catalog(Workspace(self.workspace).catalog)
        return self._own[1:]


def collate_points(items: Sequence[Item]) -> dict[str, Any]:
    """A batch of ragged clouds: per-point tensors one after the other, everything else as lists.

    Returns:
        The keys of the items. Those of `PER_POINT` are (ΣN, …) tensors; with them come `batch` (ΣN,) int64, which item
        each point is of, and `offsets` (B + 1,) int64, where each item begins.

    Raises:
        ConfigError: the per-point tensors of an item differ in length.
    """
    counts = [_num_points(item) for item in items]
    batch: dict[str, Any] = {
        key: torch.cat([item[key] for item in items]) if key in PER_POINT else [item[key] for item in items]
        for key in items[0]
    }
    lengths = torch.tensor([0, *counts], dtype=torch.int64)
    batch["batch"] = torch.repeat_interleave(torch.arange(len(items)), lengths[1:])
    batch["offsets"] = lengths.cumsum(0)
    return batch


def _num_points(item: Item) -> int:
    lengths = {key: len(item[key]) for key in PER_POINT if key in item}
    if len(set(lengths.values())) != 1:
        todo = "let the transform keep the same points in each"
        raise ConfigError(f"per-point tensors of different lengths: {lengths}", expected="one length", todo=todo)
    return next(iter(lengths.values()))


def _places(run: Prepared) -> tuple[tuple[_Place, ...], int]:
    """The frames that can be read, and how many can't."""
    plan = make_plan(run.catalog, run.opened, run.source.layer.name, run.wanted(None), 0, set())
    places = tuple(
        _Place(part.shard.sequence, index, bool(part.points)) for part in plan.parts for index in part.frames
    )
    left_out = plan.num_unpainted + sum(len(part.rejects) for part in plan.parts)
    if not places:
        what = f"no frame asked for is painted in layer {run.source.layer.name}"
        raise WorkspaceError(what, todo="run `paintpipe paint`, or ask for other sequences or splits")
    return places, left_out


def _item(frame: ExportFrame, taxonomy: Taxonomy) -> Item:
    arrays = {name: torch.from_numpy(np.array(getattr(frame, name))) for name in PER_POINT}
    labels = [taxonomy.index(box.class_name) for box in frame.boxes]
    return {
        **arrays,
        "boxes": torch.tensor([_box(box) for box in frame.boxes], dtype=torch.float32).reshape(-1, 7),
        "box_labels": torch.tensor([-1 if label is None else label for label in labels], dtype=torch.int64),
        "box_names": tuple(box.class_name for box in frame.boxes),
        "sequence": frame.row.sequence,
        "index": frame.row.index,
        "frame_id": frame.row.frame_id,
        "split": frame.row.split,
    }


def _box(box: BoxRow) -> list[float]:
    return [*map(float, box.center_m), *map(float, box.size_lwh_m), float(box.yaw_rad)]
