"""Painted layers as a source: what another layer is made from, shard by shard."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from paintpipe.pipeline.ledger import Mark
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import POINTS_TARGET, LayerTable, layer_target
from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.catalog import FrameRow, RejectedRow
from paintpipe.schemas.errors import WorkspaceError
from paintpipe.schemas.painted import PaintedFrame, Provenance, SecondView
from paintpipe.schemas.source import Root
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.stores import OpenStore


def stored_layer(opened: OpenStore, name: str) -> LayerTable:
    """What the store says of a layer.

    Raises:
        WorkspaceError: there is no such layer.
    """
    there: list[str] = []
    for sequence in opened.store.sequences():
        layers = opened.store.layers(sequence)
        if name in layers:
            return opened.store.layer_table(sequence, name)
        there += layers
    expected = "one of " + ", ".join(dict.fromkeys(there)) if there else ""
    raise WorkspaceError(f"no painted layer {name!r}", where=opened.store.root.url, expected=expected)


@dataclass(frozen=True)
class Sources:
    """Layers of one store, and the points that they are of; safe for several threads.

    Attributes:
        opened: the store.
        root: of the dataset, for points that the store does not hold.
        names: of the layers.
    """

    opened: OpenStore
    root: Root
    names: tuple[str, ...]
    _marks: dict[str, tuple[tuple[str, int], Mark | None]] = field(default_factory=dict, compare=False, repr=False)

    def done(self, shard: Shard) -> bool:
        """Whether every layer has this shard."""
        return all(self.opened.ledger.done(layer_target(name), shard) is not None for name in self.names)

    def fingerprints(self, row: FrameRow) -> dict[str, str]:
        """What tells the shards that a frame is made from, and its points, from others."""
        targets = [POINTS_TARGET, *map(layer_target, self.names)]
        marks = {target: self._mark(target, row) for target in targets}
        found = {f"{target} of {row.sequence}": fingerprint(mark) for target, mark in marks.items() if mark}
        if marks[POINTS_TARGET] is None:
            found[row.points_path] = str(self.root.size(row.points_path))
        return found

    def points(self, files: FrameFiles, row: FrameRow) -> Float32 | None:
        """(N, F) float32 points: from the store where it holds them, NaN where they could not be used.

        Else from the dataset, None where they can't be used.
        """
        if self._mark(POINTS_TARGET, row) is None:
            return files.points(row)
        points: Float32 = self.opened.store.read_frame(POINTS_TARGET, row.sequence, row.index)["points"]
        return points

    def frames(self, files: FrameFiles, row: FrameRow) -> list[PaintedFrame]:
        """The frame in each layer, with its provenance where that is full; what a layer could not use is noted again.

        Raises:
            WorkspaceError: a layer has not painted this frame.
        """
        found = []
        for name in self.names:
            mark = self._mark(layer_target(name), row)
            if mark is None:
                where, todo = f"{row.sequence}/{row.frame_id}", "run `paintpipe paint` for that layer first"
                raise WorkspaceError(f"layer {name} is not painted for this frame", where=where, todo=todo)
            if row.index in mark.rejects:
                reason = f"in layer {name}: {mark.rejects[row.index]}"
                files.rejected.append(RejectedRow(row.points_path, "paint", reason))
            found.append(_frame(self.opened.store.read_frame(layer_target(name), row.sequence, row.index)))
        return found

    def _mark(self, target: str, row: FrameRow) -> Mark | None:
        """The mark of the frame's shard; a shard's frames are asked for one after the other."""
        place = (row.sequence, row.index // self.opened.store.frames_per_shard)
        known = self._marks.get(target)
        if known is None or known[0] != place:
            known = self._marks[target] = (place, self.opened.mark(target, row.sequence, row.index))
        return known[1]


def fingerprint(mark: Mark) -> str:
    """Of what went into a shard and of what came out of it."""
    content = {"inputs": mark.digest, "files": {path: item.sha256 for path, item in mark.files.items()}}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _frame(arrays: dict[str, Any]) -> PaintedFrame:
    main = {name: arrays[name] for name in ("scores", "label", "camera", "flags")}
    if "margin" not in arrays:
        return PaintedFrame(**main)
    second = SecondView(**{name: arrays[f"second/{name}"] for name in ("scores", "camera", "pixel_px", "depth_m")})
    full = {name: arrays[name] for name in ("pixel_px", "depth_m", "dt_us", "margin")}
    return PaintedFrame(**main, provenance=Provenance(**full, second=second))
