"""Which painter the user asked for: a network, masks, predictions or the ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, runtime_checkable

from paintpipe.schemas.arrays import Float32, UInt8
from paintpipe.schemas.catalog import BoxRow, DatasetInfo, FrameRow, ImageRow
from paintpipe.schemas.errors import ConfigError, ImageError, InputFileError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.schemas.pixels import PixelClasses
from paintpipe.schemas.settings import SegmentSettings, settings_to_dict
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.taxonomies.load import load_taxonomy
from paintpipe.workflows.frame_io import FrameFiles

PointClasses = UInt8 | Float32
"""Per point: (N,) class indices, 255 where none, or (N, C) probabilities."""


@runtime_checkable
class PixelPainter(Protocol):
    """Knows the classes of an image's pixels."""

    @property
    def name(self) -> str:
        """Name of the layer unless the user says otherwise."""
        ...

    @property
    def taxonomy(self) -> Taxonomy:
        """Of its classes."""
        ...

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides its output, JSON-ready; goes into every mark and into the store."""
        ...

    @property
    def batch_size(self) -> int:
        """Images it wants at once."""
        ...

    def load(self, files: FrameFiles, row: ImageRow) -> Any | None:
        """What `pixels` needs of one image (decoded on the loader's thread), None where it can't be used."""
        ...

    def pixels(self, loaded: Sequence[Any]) -> list[PixelClasses]:
        """The classes of each of several images of one size."""
        ...


class PointPainter(Protocol):
    """Knows the classes of points without looking at images."""

    @property
    def name(self) -> str:
        """Name of the layer unless the user says otherwise."""
        ...

    @property
    def taxonomy(self) -> Taxonomy:
        """Of its classes."""
        ...

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides its output, JSON-ready; goes into every mark and into the store."""
        ...

    def classes(
        self, files: FrameFiles, row: FrameRow, points: Float32, boxes: Sequence[BoxRow]
    ) -> PointClasses | None:
        """The classes of one frame's points, None (and a rejected row) where they can't be known."""
        ...


class NetworkPainter:
    """An image network; built once, used by one thread at a time."""

    def __init__(self, card: ModelCard, weights: Path, settings: SegmentSettings, trust_sha256: str) -> None:
        from paintpipe.stages.segment.segmenter import load_segmenter

        self.name = card.name
        self.taxonomy = load_taxonomy(card.taxonomy)
        self.batch_size = settings.batch_size
        self._network = load_segmenter(card, weights, len(self.taxonomy), settings, trust_sha256)
        self._lock = Lock()
        self.identity = {
            "painter": "network",
            "model": card.name,
            "architecture": card.architecture,
            "weights": self._network.weights_sha256,
            "card": _card_identity(self._network.card),
            "segment": settings_to_dict(settings),
        }

    def load(self, files: FrameFiles, row: ImageRow) -> UInt8 | None:
        """The decoded image."""
        return files.image(row)

    def pixels(self, loaded: Sequence[UInt8]) -> list[PixelClasses]:
        """Scores on the network's own grid."""
        with self._lock:
            return list(self._network.predict(loaded))


def _card_identity(card: ModelCard) -> dict[str, Any]:
    """What of a card decides the output: everything but prose and addresses."""
    prose = {"name", "weights", "weights_sha256", "url", "licence", "source", "trained_on", "notes"}
    return {key: value for key, value in sorted(vars(card).items()) if key not in prose}


@dataclass(frozen=True)
class MaskPainter:
    """Label maps or score arrays that another tool wrote, named like the images."""

    files: FrameFiles
    taxonomy: Taxonomy
    identity: dict[str, Any]
    name: str = "masks"
    batch_size: int = 1

    def load(self, files: FrameFiles, row: ImageRow) -> PixelClasses | None:
        """The mask of an image: its path below the masks' folder, as .png or .npy."""
        from paintpipe.stages.paint.masks import decode_mask

        masks = replace(files, root=self.files.root)
        for suffix in (".png", ".npy"):
            path = str(Path(row.image_path).with_suffix(suffix))
            try:
                if self.files.root.size(path) is None:
                    continue
                data = masks.read(path)
                return decode_mask(data, suffix, row.width_px, row.height_px, len(self.taxonomy), path)
            except InputFileError as error:
                files.reject(path, error)
                return None
        files.reject(row.image_path, ImageError("no mask", expected="one below the masks' folder, as .png or .npy"))
        return None

    def pixels(self, loaded: Sequence[PixelClasses]) -> list[PixelClasses]:
        """They are known already."""
        return list(loaded)


@dataclass(frozen=True)
class PredictionPainter:
    """Per-point predictions of any LiDAR network, named like the point files."""

    files: FrameFiles
    taxonomy: Taxonomy
    identity: dict[str, Any]
    name: str = "predictions"

    def classes(
        self, files: FrameFiles, row: FrameRow, points: Float32, boxes: Sequence[BoxRow]
    ) -> PointClasses | None:
        """Decoded from the first of the places where such tools write them."""
        from paintpipe.stages.paint.predictions import decode_predictions

        source = replace(files, root=self.files.root)
        candidates = prediction_paths(row)
        try:
            for path in candidates:
                if self.files.root.size(path) is not None:
                    data, suffix = source.read(path), Path(path).suffix
                    return decode_predictions(data, suffix, row.num_points, self.taxonomy, path)
        except InputFileError as error:
            files.reject(path, error)
            return None
        files.reject(row.points_path, InputFileError("no prediction", expected=" or ".join(candidates)))
        return None


def prediction_paths(row: FrameRow) -> list[str]:
    """Where a LiDAR network's output for a frame may lie, below the predictions' folder.

    SemanticKITTI submissions: `sequences/NN/predictions/ID.label`; nuScenes: `lidarseg/SPLIT/TOKEN_lidarseg.bin`, of
    which the file name is enough; anything else: `SEQUENCE/ID.npy` and the like.
    """
    found = [f"sequences/{row.sequence}/predictions/{row.frame_id}.label"]
    if row.sweep_token:
        found += [f"{folder}{row.sweep_token}_lidarseg.bin" for folder in ("", "lidarseg/test/", "lidarseg/val/")]
    stems = (f"{row.sequence}/{row.frame_id}", row.frame_id)
    return found + [stem + suffix for stem in stems for suffix in (".label", ".bin", ".npy")]


@dataclass(frozen=True)
class OraclePainter:
    """The ground truth: point labels where the dataset has them, boxes otherwise."""

    taxonomy: Taxonomy
    identity: dict[str, Any]
    from_labels: bool
    name: str = "oracle"

    def classes(
        self, files: FrameFiles, row: FrameRow, points: Float32, boxes: Sequence[BoxRow]
    ) -> PointClasses | None:
        """Class indices, 255 where the ground truth is silent."""
        from paintpipe.stages.paint.oracle import oracle_from_boxes, oracle_from_labels

        if not self.from_labels:
            return oracle_from_boxes(points, boxes, self.taxonomy)
        labels = files.labels(row)
        return None if labels is None else oracle_from_labels(labels, self.taxonomy)


def oracle(info: DatasetInfo) -> OraclePainter:
    """The oracle of a dataset.

    Raises:
        ConfigError: it has neither point labels nor boxes.
    """
    name = info.labels_taxonomy or info.boxes_taxonomy
    if name is None:
        raise ConfigError(f"{info.dataset} as ingested has neither point labels nor boxes", todo="paint with a network")
    identity = {"painter": "oracle", "taxonomy": name, "from": "labels" if info.labels_taxonomy else "boxes"}
    return OraclePainter(load_taxonomy(name), identity, info.labels_taxonomy is not None)
