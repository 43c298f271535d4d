"""Which painter the user asked for: a network, masks, predictions or the ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, runtime_checkable

from paintpipe.schemas.arrays import Float32, UInt8
from paintpipe.schemas.catalog import BoxRow, FrameRow, ImageRow
from paintpipe.schemas.model_card import ModelCard
from paintpipe.schemas.pixels import CameraImage, PixelClasses
from paintpipe.schemas.settings import SegmentSettings, settings_to_dict
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.taxonomies.load import load_taxonomy
from paintpipe.workflows.frame_io import FrameFiles

PointClasses = UInt8 | Float32
"""Per point: (N,) class indices, 255 where none, or (N, C) probabilities."""


class Painter(Protocol):
    """What fills a layer."""

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

    def own_files(self, row: FrameRow, images: Sequence[ImageRow]) -> dict[str, str]:
        """What tells the painter's files for one frame from others, by path; {} where it has none of its own."""
        ...


@runtime_checkable
class PixelPainter(Painter, Protocol):
    """Knows the classes of an image's pixels."""

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


class PointPainter(Painter, Protocol):
    """Knows the classes of points without looking at images."""

    def classes(
        self, files: FrameFiles, row: FrameRow, points: Float32, boxes: Sequence[BoxRow]
    ) -> PointClasses | None:
        """The classes of one frame's points, None (and a rejected row) where they can't be known."""
        ...


class NetworkPainter:
    """An image network; built once, used by one thread at a time.

    Args:
        card: of the network.
        weights: its weights.
        settings: how to run it.
        trust_sha256: the user's word for a file that may run code.
        claimed: the settings that `identity` names, where the network is loaded to be described alone.
        image_px: (H, W) of the images to come, on which `--backend auto` compares; None where unknown.

    Attributes:
        notes: a line for each backend that `auto` tried and did not take.
    """

    def __init__(
        self,
        card: ModelCard,
        weights: Path,
        settings: SegmentSettings,
        trust_sha256: str,
        claimed: SegmentSettings | None = None,
        image_px: tuple[int, int] | None = None,
    ) -> None:
        from paintpipe.stages.segment.segmenter import load_segmenter

        self.name = card.name
        self.taxonomy = load_taxonomy(card.taxonomy)
        self.batch_size = settings.batch_size
        self._network = load_segmenter(card, weights, len(self.taxonomy), settings, trust_sha256, image_px)
        self.notes = self._network.notes
        self._lock = Lock()
        settled = replace(claimed or settings, backend=self._network.settings.backend)
        self.identity = {
            "painter": "network",
            "model": card.name,
            "architecture": card.architecture,
            "weights": self._network.weights_sha256,
            "card": _card_identity(self._network.card),
            "segment": settings_to_dict(settled) | {"device": settled.device.partition(":")[0]},
        }

    def own_files(self, row: FrameRow, images: Sequence[ImageRow]) -> dict[str, str]:
        """None: the images are the dataset's."""
        return {}

    def load(self, files: FrameFiles, row: ImageRow) -> CameraImage | None:
        """The decoded image, smaller where `--decode reduced` allows it."""
        full_px = (row.height_px, row.width_px)
        rgb = files.image(row, self.enough_px(full_px))
        return None if rgb is None else CameraImage(rgb, full_px)

    def enough_px(self, full_px: tuple[int, int]) -> tuple[int, int] | None:
        """(height, width) below which an image of this size must not be decoded; None: not below its own."""
        return self._network.resized_px(full_px) if self._network.settings.decode == "reduced" else None

    def pixels(self, loaded: Sequence[CameraImage]) -> list[PixelClasses]:
        """Scores on the network's own grid of images that are all of one size; those of a GPU stay there."""
        images, full_px = [image.rgb for image in loaded], loaded[0].full_px if loaded else None
        run = self._network.predict if self._network.settings.device == "cpu" else self._network.resident
        with self._lock:
            return list(run(images, full_px))


@dataclass(frozen=True)
class NetworkFacts:
    """A network painter as far as it can be told without running it: `Painter`."""

    name: str
    taxonomy: Taxonomy
    identity: dict[str, Any]
    notes: tuple[str, ...] = ()

    def own_files(self, row: FrameRow, images: Sequence[ImageRow]) -> dict[str, str]:
        """None, as for the network itself."""
        return {}


def _card_identity(card: ModelCard) -> dict[str, Any]:
    """What of a card decides the output: everything but prose and addresses."""
    prose = {"name", "weights", "weights_sha256", "url", "stride_px", "licence", "source", "trained_on", "notes"}
    return {key: value for key, value in sorted(vars(card).items()) if key not in prose}
