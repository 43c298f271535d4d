"""Reading painted layers back: which shards are done, and a frame's arrays with its points."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from paintpipe.pipeline.ledger import Mark, read_mark
from paintpipe.pipeline.store import POINTS_TARGET, LayerTable, layer_target
from paintpipe.schemas.arrays import AnyArray, Float32
from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import WorkspaceError
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.taxonomies.load import load_taxonomy
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.stores import OpenStore

SCORED = ("scores", "label", "camera", "flags")


@dataclass(frozen=True)
class Layer:
    """A painted layer: its name, what the store says of it, and the marks of its finished shards in order."""

    name: str
    table: LayerTable
    marks: tuple[Mark, ...]

    @property
    def taxonomy(self) -> Taxonomy:
        """Of its classes."""
        return load_taxonomy(str(self.table.attributes["taxonomy"]))

    @property
    def camera_names(self) -> tuple[str, ...]:
        """What `camera` counts in."""
        return tuple(self.table.coords["camera_name"])

    @property
    def tta(self) -> str:
        """Test-time augmentation in words, "" where there was none."""
        segment = self.table.attributes["painter"].get("segment", {})
        return tta_text(segment.get("tta_scales", [1.0]), segment.get("tta_flip", False))

    def num_frames(self) -> int:
        """Frames painted."""
        return sum(len(mark.shard) for mark in self.marks)


def tta_text(scales: list[float] | tuple[float, ...], flip: bool) -> str:
    """Test-time augmentation in words: "scales 0.75, 1, 1.25 + flip", "" for none."""
    parts = [f"scales {', '.join(f'{scale:g}' for scale in scales)}"] if tuple(scales) != (1.0,) else []
    return " + ".join(parts + (["flip"] if flip else []))


def open_layers(opened: OpenStore, names: tuple[str, ...], sequences: tuple[str, ...]) -> list[Layer]:
    """The layers asked for, all of them where no name is given, each with its finished shards.

    Raises:
        WorkspaceError: no such layer, or no layer at all.
    """
    prefix = "layers/"
    there = [target.removeprefix(prefix) for target in opened.ledger.targets() if target.startswith(prefix)]
    unknown = [name for name in names if name not in there]
    if unknown or not there:
        what = f"no painted layer {unknown[0]!r}" if unknown else "no layer is painted yet"
        expected = "one of " + ", ".join(there) if there else ""
        raise WorkspaceError(what, where=str(opened.store.root), expected=expected, todo="run `paintpipe paint`")
    layers = [_layer(opened, name, sequences) for name in names or there]
    if not any(layer.marks for layer in layers):
        raise WorkspaceError("nothing is painted in these sequences", where=", ".join(sequences))
    return [layer for layer in layers if layer.marks]


def _layer(opened: OpenStore, name: str, sequences: tuple[str, ...]) -> Layer:
    marks = [read_mark(path) for path in opened.ledger.mark_paths(layer_target(name))]
    kept = tuple(mark for mark in marks if mark and (not sequences or mark.shard.sequence in sequences))
    first = kept[0].shard.sequence if kept else opened.store.sequences()[0]
    return Layer(name, opened.store.layer_table(first, name), kept)


def painted_frames(layer: Layer, limit: int | None = None) -> Iterator[tuple[str, int]]:
    """(sequence, frame index) of every painted frame, in order, the first `limit`."""
    done = 0
    for mark in layer.marks:
        for frame in range(mark.shard.start, mark.shard.stop):
            if limit is not None and done >= limit:
                return
            done += 1
            yield mark.shard.sequence, frame


def frame_points(opened: OpenStore, files: FrameFiles, row: FrameRow) -> Float32 | None:
    """(N, F) float32 points of a frame: from the store where it holds them, else from the dataset."""
    shard = row.index // opened.store.frames_per_shard
    if (opened.ledger.root / POINTS_TARGET / row.sequence / f"{shard:05d}.json").is_file():
        points: Float32 = opened.store.read_frame(POINTS_TARGET, row.sequence, row.index)["points"]
        return points
    return files.points(row)


def frame_arrays(
    opened: OpenStore, layer: Layer, row: FrameRow, names: tuple[str, ...] | None = SCORED
) -> dict[str, AnyArray]:
    """A frame's arrays of a layer by name; None for all of them."""
    arrays: dict[str, Any] = opened.store.read_frame(layer_target(layer.name), row.sequence, row.index, names)
    return arrays
