"""Reading the files of frames: bytes through the root, hashed on the way, decoded by the stages."""

import hashlib
import io
from dataclasses import dataclass, field

from paintpipe.pipeline.turns import Turns
from paintpipe.schemas.arrays import Float32, UInt8, UInt32
from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.catalog import FrameRow, ImageRow, RejectedRow
from paintpipe.schemas.errors import InputFileError, StoreError
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest.formats import decode_labels, decode_points
from paintpipe.stages.ingest.images import decode_image, image_size

MAX_FILE_BYTES = 400_000_000
"""Ten million points of five doubles; a sparse file of any size is made in an instant."""


def camera_view(row: ImageRow) -> CameraView:
    """How LiDAR points reach the image of a catalog row."""
    offset_m = 0.0 if row.P_rect is None else float(row.P_rect[2, 3])
    return CameraView(row.camera, row.width_px, row.height_px, row.image_from_lidar, offset_m, row.dt_us)


@dataclass
class FrameFiles:
    """Reads a shard's files; keeps the sha256 of each and a row for each that failed.

    Only one thread at a time uses an instance.

    Attributes:
        root: of the dataset.
        sha256: by path.
        rejected: what could not be used.
        turns: for decoding; reading waits for no turn.
    """

    root: Root
    sha256: dict[str, str] = field(default_factory=dict)
    rejected: list[RejectedRow] = field(default_factory=list)
    turns: Turns = field(default_factory=Turns)

    def read(self, path: str) -> bytes:
        """The whole file.

        Raises:
            InputFileError: it is gone or can't be read.
            StoreError: disk or service do not answer: every other file would fail as well.
        """
        try:
            with self.root.open_bytes(path) as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except StoreError:
            raise
        except OSError as error:
            raise InputFileError(f"can't be read ({error.strerror or error})", where=path) from error
        if len(data) > MAX_FILE_BYTES:
            raise InputFileError("larger than 400 MB", where=path, expected="a sweep or an image of one frame")
        with self.turns.take():
            self.sha256[path] = hashlib.sha256(data).hexdigest()
        return data

    def points(self, row: FrameRow) -> Float32 | None:
        """(N, F) float32 points of a frame, None (and a rejected row) where they can't be used."""
        try:
            data = self.read(row.points_path)
            with self.turns.take():
                points = decode_points(data, len(row.point_features), row.points_path, row.points_format)
            if len(points) != row.num_points:
                what = f"{len(points)} points, but the catalog says {row.num_points}"
                raise InputFileError(what, where=row.points_path, todo="run `paintpipe ingest` again")
        except InputFileError as error:
            self.reject(row.points_path, error)
            return None
        return points

    def labels(self, row: FrameRow) -> UInt32 | None:
        """(N,) raw class ids of a frame's points, None where it has none or they can't be used."""
        if row.labels_path is None or row.labels_format is None:
            return None
        try:
            data = self.read(row.labels_path)
            with self.turns.take():
                return decode_labels(data, row.labels_format, row.num_points, row.labels_path)
        except InputFileError as error:
            self.reject(row.labels_path, error)
            return None

    def image(self, row: ImageRow, at_least_px: tuple[int, int] | None = None) -> UInt8 | None:
        """(H, W, 3) RGB image of a catalog row, None (and a rejected row) where it can't be used.

        Args:
            row: of the image, whose size in the file must be the catalog's.
            at_least_px: see `decode_image`.
        """
        path = row.image_path
        try:
            data = self.read(path)
            width_px, height_px = image_size(io.BytesIO(data), path)
            if (width_px, height_px) != (row.width_px, row.height_px):
                what = f"{width_px}x{height_px} px, but the catalog says {row.width_px}x{row.height_px}"
                raise InputFileError(what, where=path, todo="run `paintpipe ingest` again")
            with self.turns.take():
                return decode_image(data, path, at_least_px)
        except InputFileError as error:
            self.reject(path, error)
            return None

    def reject(self, path: str, error: InputFileError) -> None:
        """Note that a file could not be used."""
        self.rejected.append(RejectedRow(path, "paint", error.line()))
