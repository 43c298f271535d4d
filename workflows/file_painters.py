"""Painters that read what others wrote: masks, predictions, and the ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.catalog import BoxRow, DatasetInfo, FrameRow, ImageRow
from paintpipe.schemas.errors import ConfigError, InputFileError
from paintpipe.schemas.pixels import PixelClasses
from paintpipe.schemas.source import Root
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.ingest.fingerprint import fingerprint
from paintpipe.stages.paint.masks import decode_mask
from paintpipe.stages.paint.oracle import oracle_from_boxes, oracle_from_labels
from paintpipe.stages.paint.predictions import decode_predictions
from paintpipe.stages.taxonomies.load import load_taxonomy
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.painters import PointClasses


@dataclass(frozen=True)
class MaskPainter:
    """Label maps or score arrays that another tool wrote: an image's path below `root`, as .png or .npy."""

    root: Root
    taxonomy: Taxonomy
    identity: dict[str, Any]
    name: str = "masks"
    batch_size: int = 1

    def own_files(self, row: FrameRow, images: Sequence[ImageRow]) -> dict[str, str]:
        """The masks of the frame's images."""
        paths = [self._find(image) for image in images]
        return {path: fingerprint(self.root, path) for path in paths if path}

    def load(self, files: FrameFiles, row: ImageRow) -> PixelClasses | None:
        """The decoded mask of an image, None (and a rejected row) where it has none that can be used."""
        path = self._find(row)
        try:
            if path is None:
                raise InputFileError("no mask for this image", expected="one below the masks' folder, .png or .npy")
            data = FrameFiles(self.root).read(path)
            return decode_mask(data, Path(path).suffix, row.width_px, row.height_px, len(self.taxonomy), path)
        except InputFileError as error:
            files.reject(row.image_path, error)
            return None

    def pixels(self, loaded: Sequence[PixelClasses]) -> list[PixelClasses]:
        """They are known already."""
        return list(loaded)

    def absent(self, row: FrameRow, images: Sequence[ImageRow]) -> list[str]:
        """What is missing for a frame, a line for each."""
        return [f"{image.image_path}: no mask for this image" for image in images if self._find(image) is None]

    def _find(self, row: ImageRow) -> str | None:
        paths = [str(Path(row.image_path).with_suffix(suffix)) for suffix in (".png", ".npy")]
        return next((path for path in paths if self.root.size(path) is not None), None)


@dataclass(frozen=True)
class PredictionPainter:
    """Per-point predictions of any LiDAR network, named like the point files."""

    root: Root
    taxonomy: Taxonomy
    identity: dict[str, Any]
    name: str = "predictions"

    def own_files(self, row: FrameRow, images: Sequence[ImageRow]) -> dict[str, str]:
        """The frame's prediction."""
        path = self._find(row)
        return {path: fingerprint(self.root, path)} if path else {}

    def classes(
        self, files: FrameFiles, row: FrameRow, points: Float32, boxes: Sequence[BoxRow]
    ) -> PointClasses | None:
        """Decoded from the first of the places where such tools write them."""
        path = self._find(row)
        try:
            if path is None:
                raise InputFileError("no prediction for this sweep", expected=" or ".join(prediction_paths(row)))
            data = FrameFiles(self.root).read(path)
            return decode_predictions(data, Path(path).suffix, row.num_points, self.taxonomy, path)
        except InputFileError as error:
            files.reject(row.points_path, error)
            return None

    def absent(self, row: FrameRow, images: Sequence[ImageRow]) -> list[str]:
        """What is missing for a frame, a line for each."""
        return [f"{row.points_path}: no prediction for this sweep"] if self._find(row) is None else []

    def _find(self, row: FrameRow) -> str | None:
        return next((path for path in prediction_paths(row) if self.root.size(path) is not None), None)


def prediction_paths(row: FrameRow) -> list[str]:
    """Where a LiDAR network's output for a frame may lie, below the predictions' folder.

    SemanticKITTI submissions: `sequences/NN/predictions/ID.label`; nuScenes: `TOKEN_lidarseg.bin`, alone or as in
    submissions; anything else: `SEQUENCE/ID.npy` and the like.
    """
    found = [f"sequences/{row.sequence}/predictions/{row.frame_id}.label"]
    if row.sweep_token:
        sets = dict.fromkeys(name for name in (row.split, "test", "val") if name)
        found += [f"{folder}{row.sweep_token}_lidarseg.bin" for folder in ("", *(f"lidarseg/{name}/" for name in sets))]
    stems = (f"{row.sequence}/{row.frame_id}", row.frame_id)
    return found + [stem + suffix for stem in stems for suffix in (".label", ".bin", ".npy")]


@dataclass(frozen=True)
class OraclePainter:
    """The ground truth: point labels where the dataset has them, boxes otherwise."""

    root: Root
    taxonomy: Taxonomy
    identity: dict[str, Any]
    from_labels: bool
    name: str = "oracle"

    def own_files(self, row: FrameRow, images: Sequence[ImageRow]) -> dict[str, str]:
        """The frame's label file; boxes are in the catalog."""
        path = row.labels_path if self.from_labels else None
        return {path: str(self.root.size(path))} if path else {}

    def classes(
        self, files: FrameFiles, row: FrameRow, points: Float32, boxes: Sequence[BoxRow]
    ) -> PointClasses | None:
        """Class indices, 255 where the ground truth is silent."""
        if not self.from_labels:
            return oracle_from_boxes(points, boxes, self.taxonomy)
        labels = files.labels(row)
        return None if labels is None else oracle_from_labels(labels, self.taxonomy)


def oracle(info: DatasetInfo, root: Root) -> OraclePainter:
    """The oracle of a dataset.

    Raises:
        ConfigError: it has neither point labels nor boxes.
    """
    name = info.labels_taxonomy or info.boxes_taxonomy
    if name is None:
        raise ConfigError(f"{info.dataset} as ingested has neither point labels nor boxes", todo="paint with a network")
    identity = {"painter": "oracle", "taxonomy": name, "from": "labels" if info.labels_taxonomy else "boxes"}
    return OraclePainter(root, load_taxonomy(name), identity, info.labels_taxonomy is not None)
