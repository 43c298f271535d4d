"""Reading painted layers back: which shards are done, and a frame's arrays with its points."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from paintpipe.pipeline.ledger import MARKS_AT_ONCE
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import POINTS_TARGET, LayerTable, layer_target
from paintpipe.schemas.arrays import AnyArray, Float32
from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import WorkspaceError
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.taxonomies.load import load_taxonomy
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.stored_layers import fingerprint
from paintpipe.workflows.stores import OpenStore

SCORED = ("scores", "label", "camera", "flags")


@dataclass(frozen=True)
class Layer:
    """A painted layer: its name, what the store says of it, and its finished shards in order.

    Attributes:
        fingerprints: one a shard, of what went into it and what came out.
    """

    name: str
    table: LayerTable
    shards: tuple[Shard, ...]
    fingerprints: tuple[str, ...] = ()

    def without_shards(self) -> "Layer":
        """All that a worker needs."""
        return replace(self, shards=(), fingerprints=())

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
        return painter_tta(self.table.attributes["painter"])


def painter_tta(painter: Mapping[str, Any]) -> str:
    """Test-time augmentation of a painter, or of those whose layers it reads."""
    sources = [painter] if "of" in painter else painter.get("layers", [])
    if sources:
        return "; ".join(dict.fromkeys(text for source in sources if (text := painter_tta(source["of"]))))
    segment = painter.get("segment", {})
    return tta_text(segment.get("tta_scales", [1.0]), segment.get("tta_flip", False))


def tta_text(scales: list[float] | tuple[float, ...], flip: bool) -> str:
    """Test-time augmentation in words: "scales 0.75, 1, 1.25 + flip", "" for none."""
    parts = [f"scales {', '.join(f'{scale:g}' for scale in scales)}"] if tuple(scales) != (1.0,) else []
    return " + ".join(parts + (["flip"] if flip else []))


def open_layers(
    opened: OpenStore, catalog: Catalog, names: tuple[str, ...] = (), sequences: tuple[str, ...] = ()
) -> list[Layer]:
    """The layers asked for, all of them where no name is given, each with its finished shards.

    Raises:
        WorkspaceError: no such layer or sequence, no layer at all, or a catalog that was ingested anew since.
        StoreError: files of a finished shard are gone.
    """
    prefix = "layers/"
    there = [target.removeprefix(prefix) for target in opened.ledger.targets() if target.startswith(prefix)]
    unknown = [name for name in names if name not in there]
    if unknown or not there:
        what = f"no painted layer {unknown[0]!r}" if unknown else "no layer is painted yet"
        expected = "one of " + ", ".join(there) if there else ""
        raise WorkspaceError(what, where=opened.store.root.url, expected=expected, todo="run `paintpipe paint`")
    layers = [layer for name in names or there if (layer := _layer(opened, catalog, name, sequences)) is not None]
    if not layers:
        painted = ", ".join(opened.store.sequences())
        raise WorkspaceError(f"nothing is painted in {', '.join(sequences)}", expected=f"some of {painted}")
    return layers


def _layer(opened: OpenStore, catalog: Catalog, name: str, sequences: tuple[str, ...]) -> Layer | None:
    found = (mark for _, mark in opened.ledger.marks(layer_target(name)) if mark)
    marks = (mark for mark in found if not sequences or mark.shard.sequence in sequences)
    shards: list[Shard] = []
    fingerprints: list[str] = []
    while some := list(islice(marks, MARKS_AT_ONCE)):
        opened.check_whole(some)
        shards += [mark.shard for mark in some]
        fingerprints += map(fingerprint, some)
    if not shards:
        return None
    for sequence in dict.fromkeys(shard.sequence for shard in shards):
        if catalog.column("frames", sequence, "frame_id") != list(opened.store.sequence_table(sequence).frame_ids):
            what = "the catalog was ingested anew since this was painted: its frames are others"
            todo = "ingest as before, or paint again with --overwrite"
            raise WorkspaceError(what, where=f"sequence {sequence}", todo=todo)
    table = opened.store.layer_table(shards[0].sequence, name)
    return Layer(name, table, tuple(shards), tuple(fingerprints))


def painted_frames(layer: Layer, limit: int | None = None) -> Iterator[tuple[str, int]]:
    """(sequence, frame index) of every painted frame, in order, the first `limit`."""
    for sequence, start, stop in painted_runs(layer, limit):
        yield from ((sequence, frame) for frame in range(start, stop))


def painted_runs(layer: Layer, limit: int | None = None) -> Iterator[tuple[str, int, int]]:
    """(sequence, start, stop) of every finished shard, in order, up to the first `limit` frames."""
    left = limit
    for shard in layer.shards:
        length = len(shard) if left is None else min(left, len(shard))
        if length > 0:
            yield shard.sequence, shard.start, shard.start + length
        left = None if left is None else left - length


def frame_points(opened: OpenStore, files: FrameFiles, row: FrameRow) -> Float32 | None:
    """(N, F) float32 points of a frame: from the store where it holds them, else from the dataset.

    None where they could not be read, now or when the frame was painted.
    """
    if opened.mark(POINTS_TARGET, row.sequence, row.index) is None:
        return files.points(row)
    points: Float32 = opened.store.read_frame(POINTS_TARGET, row.sequence, row.index)["points"]
    return None if len(points) and np.isnan(points).all() else points


def frame_arrays(
    opened: OpenStore, layer: Layer, row: FrameRow, names: tuple[str, ...] | None = SCORED
) -> dict[str, AnyArray]:
    """A frame's arrays of a layer by name; None for all of them."""
    arrays: dict[str, Any] = opened.store.read_frame(layer_target(layer.name), row.sequence, row.index, names)
    return arrays
