"""`paintpipe evaluate --images`: a network against labelled images, with and without test-time augmentation."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.overlap import prefetch
from paintpipe.pipeline.progress import track
from paintpipe.pipeline.roots import LocalRoot
from paintpipe.pipeline.tables import to_markdown
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.arrays import Int64, UInt8
from paintpipe.schemas.pixels import CameraImage, PixelScores, on_host
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.evaluate.images import (
    ImagePair,
    classes_of_ids,
    evaluate_image,
    find_pairs,
    labels_mapped,
    labels_of_scores,
)
from paintpipe.stages.evaluate.images_tables import images_table
from paintpipe.stages.ingest.images import decode_image, decode_label_map, image_size
from paintpipe.stages.taxonomies.load import load_mapping, load_taxonomy
from paintpipe.workflows.choose_painter import PainterChoice, network
from paintpipe.workflows.evaluate import write_tables
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.layers import tta_text
from paintpipe.workflows.painters import NetworkPainter

LABELS = "cityscapes19"
"""What the ids of Cityscapes' label images mean."""


@dataclass(frozen=True)
class ImagesRequest:
    """Which network to judge on which images."""

    workspace: Path
    images: Path
    labels: Path
    model: str
    weights: Path | None = None
    trust_model: str = ""
    segment: SegmentSettings = field(default_factory=SegmentSettings)
    quiet: bool = False


@dataclass(frozen=True)
class ImagesResult:
    """What the images say of a network: the table `images`, and where it lies."""

    table: pa.Table
    folder: Path

    def text(self) -> str:
        """What the command prints."""
        return f"{to_markdown(self.table, 4)}\n\ntables: {self.folder}"

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {"folder": self.folder, "tables": {"images": self.table.to_pylist()}, "problems": [], "hints": []}


def evaluate_images(request: ImagesRequest) -> ImagesResult:
    """MIoU over the classes present, image by image and over all; with `--tta`, plain and augmented side by side.

    Raises:
        InputFileError: no image has a label image of its name, or one can't be read.
        WorkspaceLockedError: another run works in this workspace.
    """
    pairs = find_pairs(_files_below(request.images), _files_below(request.labels))
    plain = replace(request.segment, tta_scales=(1.0,), tta_flip=False)
    settings = [plain] if plain == request.segment else [plain, request.segment]
    workspace = Workspace(request.workspace)
    with workspace_lock(workspace.ledger):
        workspace.clean_staging()
        table = pa.concat_tables([_judge(request, each, pairs) for each in settings])
        write_tables(workspace.tables, {"images": table}, "comparison-images.md")
    return ImagesResult(table, workspace.tables)


def _files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _judge(request: ImagesRequest, settings: SegmentSettings, pairs: list[ImagePair]) -> pa.Table:
    choice = PainterChoice(request.model, request.weights, request.trust_model, segment=settings)
    painter = network(choice)
    counts: dict[str, Int64] = {}
    loaded = zip(pairs, prefetch(pairs, _loader(request, painter), depth=2), strict=True)
    for pair, (image, truth) in track(loaded, "evaluate images", "image", quiet=request.quiet, total=len(pairs)):
        counts[pair.name] = evaluate_image(truth, _predict(painter, image, truth), len(load_taxonomy(LABELS)))
    return images_table(painter.name, tta_text(settings.tta_scales, settings.tta_flip), counts)


def _loader(request: ImagesRequest, painter: NetworkPainter) -> Callable[[ImagePair], tuple[CameraImage, UInt8]]:
    images, labels = FrameFiles(LocalRoot(request.images)), FrameFiles(LocalRoot(request.labels))
    taxonomy = load_taxonomy(LABELS)

    def load(pair: ImagePair) -> tuple[CameraImage, UInt8]:
        truth = classes_of_ids(decode_label_map(labels.read(pair.label), pair.label), taxonomy)
        data = images.read(pair.image)
        full_px = image_size(io.BytesIO(data), pair.image)[::-1]
        return CameraImage(decode_image(data, pair.image, painter.enough_px(full_px)), full_px), truth

    return load


def _predict(painter: NetworkPainter, image: CameraImage, truth: UInt8) -> UInt8:
    """(H, W) classes of the label images at their size; classes that those don't have become 255."""
    scores = on_host(painter.pixels([image])[0])
    assert isinstance(scores, PixelScores)
    labels = labels_of_scores(scores, (truth.shape[0], truth.shape[1]), painter.taxonomy)
    if painter.taxonomy.name == LABELS:
        return np.asarray(labels, dtype=np.uint8)
    return labels_mapped(labels, load_mapping(painter.taxonomy.name, LABELS))
