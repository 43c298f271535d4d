"""Small synthetic datasets and ways to look at them."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from support.roots import DirectoryRoot

from paintpipe.schemas.arrays import Bool, Int64, UInt8
from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.catalog import ImageRow, SequenceRows
from paintpipe.stages.ingest.reader import IngestOptions, open_dataset
from paintpipe.stages.paint.edges import depth_edges
from paintpipe.stages.paint.project import project_points
from paintpipe.stages.synth.settings import SynthSettings

SMALL = SynthSettings(seed=3, frames=2, keyframes=1, image_size_px=(64, 192), beams=16, azimuths=180)


@dataclass(frozen=True)
class Seen:
    """The points that a camera sees: rows, the mask's class at their pixels, and whether on a depth edge."""

    rows: Int64
    mask: UInt8
    edge: Bool


def read_rows(name: str, root: Path, sweeps: bool = False) -> SequenceRows:
    """The first sequence of a dataset, by the ordinary reader."""
    reader = open_dataset(name, DirectoryRoot(root), IngestOptions(sweeps=sweeps))
    assert reader.synthetic
    assert reader.rejected == []
    return reader.read(reader.sequences()[0], None)


def look(root: Path, points: np.ndarray, image: ImageRow) -> Seen:
    """Project a sweep into an image and read its mask there."""
    view = CameraView(image.camera, image.width_px, image.height_px, image.image_from_lidar)
    projected = project_points(points, view)
    mask = cv2.imread(str((root / "masks" / image.image_path).with_suffix(".png")), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (image.height_px, image.width_px)
    return Seen(projected.index, mask[projected.row, projected.col], depth_edges(projected))


def files_of(root: Path) -> dict[str, bytes]:
    """Every file's bytes by its path."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
