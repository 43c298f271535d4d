"""The arrays that pictures of a painted frame are drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.arrays import Float32, UInt8
from paintpipe.schemas.catalog import BoxRow, FrameRow, ImageRow
from paintpipe.schemas.errors import InputFileError, PaintpipeError
from paintpipe.schemas.pixels import PixelScores, on_host
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.schemas.source import Root
from paintpipe.stages.paint.project import project_points
from paintpipe.stages.segment.upsample import full_size_labels
from paintpipe.stages.view.overlay import overlay_labels, overlay_points
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.choose_painter import PainterChoice, choose_painter
from paintpipe.workflows.frame_io import FrameFiles, camera_view
from paintpipe.workflows.layers import Layer, frame_arrays, frame_points
from paintpipe.workflows.painters import PixelPainter
from paintpipe.workflows.stores import OpenStore


@dataclass(frozen=True)
class FramePictures:
    """A painted frame as pictures need it: its row, points, labels and boxes."""

    row: FrameRow
    points: Float32
    label: UInt8
    boxes: list[BoxRow]
    images: list[tuple[ImageRow, UInt8]]


class PictureSource:
    """Reads frames of one layer; segments images again where the layer's painter is at hand."""

    def __init__(
        self, workspace: Workspace, catalog: Catalog, opened: OpenStore, layer: Layer, root: Root, choice: PainterChoice
    ) -> None:
        self.workspace, self.catalog, self.opened, self.layer, self.root = workspace, catalog, opened, layer, root
        self._choice = choice

    def frame(self, sequence: str, index: int) -> FramePictures:
        """One frame.

        Raises:
            InputFileError: its points can't be read.
        """
        row = self.catalog.frames(sequence, index, index + 1)[0]
        files = FrameFiles(self.root)
        points = frame_points(self.opened, files, row)
        if points is None:
            raise InputFileError("the points of this frame can't be read", where=row.points_path)
        label: Any = frame_arrays(self.opened, self.layer, row, ("label",))["label"]
        rows = [image for image in self.catalog.images(sequence, index, index + 1) if self._wanted(image)]
        images = [(image, pixels) for image in rows if (pixels := files.image(image)) is not None]
        return FramePictures(row, points, label, self.catalog.boxes(sequence, index, index + 1), images)

    def points_on(self, frame: FramePictures, row: ImageRow, image: UInt8, scale: float = 1.0) -> UInt8:
        """(H, W, 3) the image with the painted points that its camera sees."""
        rule = self.layer.table.attributes["projection"]
        seen = project_points(frame.points, camera_view(row), rule)
        label = frame.label[seen.index]
        taxonomy = self.layer.taxonomy
        return overlay_points(image, seen.col, seen.row, label, seen.depth_m, taxonomy, scale=scale)

    def segmented(self, row: ImageRow, image: UInt8) -> UInt8 | None:
        """(H, W, 3) the image with the class of each pixel; None where the layer's painter is no longer at hand."""
        if self.painter is None:
            return None
        loaded = self.painter.load(FrameFiles(self.root), row)
        if loaded is None:
            return None
        pixels = on_host(self.painter.pixels([loaded])[0])
        size = (row.height_px, row.width_px)
        labels = full_size_labels(pixels, size) if isinstance(pixels, PixelScores) else pixels.values
        return overlay_labels(image, labels, self.painter.taxonomy)

    @cached_property
    def painter(self) -> PixelPainter | None:
        """What painted the layer, built again from what the workspace remembers."""
        facts = self.workspace.read_config().get("layers", {}).get(self.layer.name, {})
        stored = self.layer.table.attributes["painter"]
        choice = _remembered(facts, stored, self._choice)
        if choice is None:
            return None
        try:
            painter = choose_painter(choice, self.catalog.info)
        except PaintpipeError:
            return None  # weights or masks have moved: the picture goes without this panel
        if not isinstance(painter, PixelPainter):
            return None
        same = painter.identity.get("weights") == stored.get("weights")
        return painter if same or self._choice.model or self._choice.weights else None

    def _wanted(self, image: ImageRow) -> bool:
        return image.camera in self.layer.camera_names


def _remembered(facts: Mapping[str, Any], stored: Mapping[str, Any], given: PainterChoice) -> PainterChoice | None:
    """The painter of a layer: what the user names now, else what painted it; None for one without pixels.

    Args:
        facts: what the workspace remembers of the layer.
        stored: what the layer says of its painter; a network is run again as it was run then.
        given: the user's words now.
    """
    kind, model = stored.get("painter"), given.model
    if kind == "network" and model is None:
        model = facts.get("model") or stored.get("model")
    if model is not None:
        known = facts.get("weights") if model == facts.get("model") else None
        weights = given.weights or (Path(known) if known else None)
        return PainterChoice(model, weights, given.trust_model, segment=_as_stored(stored, given.segment))
    if kind == "masks" and facts.get("from_masks"):
        return PainterChoice(from_masks=Path(facts["from_masks"]), taxonomy=facts.get("taxonomy"))
    return None


def _as_stored(stored: Mapping[str, Any], given: SegmentSettings) -> SegmentSettings:
    """How the layer's network was run, on the user's device and by what is installed here."""
    known = {item.name for item in fields(SegmentSettings)} - {"device", "backend"}
    kept = {name: value for name, value in stored.get("segment", {}).items() if name in known}
    tuples: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    return replace(given, **tuples)
