"""Gathering the rows of one sequence: what can be used becomes a row, what can't becomes a rejected row."""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import FrameRow, ImageRow, SequenceRows
from paintpipe.schemas.errors import InputFileError
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest import checks
from paintpipe.stages.ingest.cameras import CameraGeometry

T = TypeVar("T")


class Collector:
    """The rows of one sequence as they grow.

    Args:
        root: of the dataset.
        limit: how many frames to keep, None for all.
    """

    def __init__(self, root: Root, limit: int | None) -> None:
        self.root = root
        self.limit = limit
        self.rows = SequenceRows()
        self._absent: Counter[str] = Counter()

    @property
    def full(self) -> bool:
        """Whether there are as many frames as were asked for."""
        return self.limit is not None and len(self.rows.frames) >= self.limit

    @property
    def next_index(self) -> int:
        """The index of the next frame that is kept."""
        return len(self.rows.frames)

    def reject(self, path: str, error: Exception) -> None:
        """Note that a file can't be used."""
        self.rows.rejected.append(checks.rejected(path, error))

    def count_points(self, path: str, num_features: int = 4, points_format: str = "float32") -> int | None:
        """How many points a file holds; None (and a rejected row) where it can't be used."""
        try:
            return checks.count_points(self.root, path, num_features, points_format)
        except InputFileError as error:
            self.reject(path, error)
            return None

    def usable_labels(self, path: str, labels_format: str, num_points: int) -> str | None:
        """The path of a label file that fits; None (and a rejected row) where it does not."""
        try:
            checks.check_labels(self.root, path, labels_format, num_points)
        except InputFileError as error:
            self.reject(path, error)
            return None
        return path

    def list_files(self, folder: str, suffixes: tuple[str, ...]) -> dict[str, str]:
        """Name without suffix → path of a folder's files; {} where it is absent or (a rejected row) unreachable."""
        try:
            return checks.files_by_stem(self.root, folder, suffixes)
        except InputFileError as error:
            self.reject(folder, error)
            return {}

    def read_optional(self, path: str, parse: Callable[[str, str], T]) -> T | None:
        """What `parse(text, path)` makes of a file; None where it is absent or (a rejected row) can't be used."""
        return self.read_needed(path, parse) if self.has(path) else None

    def read_needed(self, path: str, parse: Callable[[str, str], T]) -> T | None:
        """As `read_optional`, but an absent file is a rejected row too."""
        try:
            return parse(checks.read_text(self.root, path), path)
        except InputFileError as error:
            self.reject(path, error)
            return None

    def has(self, path: str) -> bool:
        """Whether a file is there; one that can't be reached counts as there, and fails when it is read."""
        try:
            return self.root.size(path) is not None
        except (InputFileError, OSError):
            return True

    def add_absent(self, folder: str) -> None:
        """Count a file that a folder lacks; `finish` makes one row of all of them."""
        self._absent[folder] += 1

    def add_image(
        self,
        frame: FrameRow,
        camera: str,
        path: str,
        geometry: CameraGeometry,
        timestamp_us: int | None = None,
        expected_px: tuple[int, int] | None = None,
    ) -> None:
        """Add the image of a frame, or a rejected row.

        Args:
            frame: the kept frame.
            camera: name.
            path: of the image.
            geometry: its matrices.
            timestamp_us: when it was taken, None where that is unknown.
            expected_px: (width, height) that the calibration is for, None where it does not say.
        """
        try:
            size_px = checks.read_image_size(self.root, path)
            if expected_px is not None and size_px != expected_px:
                what = f"{size_px[0]}x{size_px[1]} px, but the calibration is for {expected_px[0]}x{expected_px[1]}"
                raise InputFileError(what, where=path, todo="use the images as published")
        except InputFileError as error:
            self.reject(path, error)
            return
        self.rows.images.append(_image_row(frame, camera, path, size_px, geometry, timestamp_us))

    def finish(self) -> SequenceRows:
        """The rows, with one rejected row for each folder that lacked files."""
        for folder, missing in sorted(self._absent.items()):
            self.rows.rejected.append(checks.absent(folder, missing, len(self.rows.frames), "frames"))
        self._absent.clear()
        return self.rows


def _image_row(
    frame: FrameRow,
    camera: str,
    path: str,
    size_px: tuple[int, int],
    geometry: CameraGeometry,
    timestamp_us: int | None,
) -> ImageRow:
    dt_us = None if timestamp_us is None or frame.timestamp_us is None else timestamp_us - frame.timestamp_us
    return ImageRow(
        sequence=frame.sequence,
        index=frame.index,
        frame_id=frame.frame_id,
        camera=camera,
        image_path=path,
        width_px=size_px[0],
        height_px=size_px[1],
        K=geometry.K,
        camera_SE3_lidar=geometry.camera_SE3_lidar,
        image_from_lidar=geometry.image_from_lidar,
        timestamp_us=timestamp_us,
        dt_us=dt_us,
        global_SE3_ego=frame.global_SE3_ego,
        P_rect=geometry.P_rect,
        R_rect=geometry.R_rect,
        cam_SE3_velo=geometry.cam_SE3_velo,
        velo_SE3_imu=geometry.velo_SE3_imu,
    )


def item_at(values: Float64 | None, number: int | None) -> Float64 | None:
    """Row `number` of a table of poses or times; None where the table or the row is absent."""
    if values is None or number is None or number >= len(values):
        return None
    item: Float64 = values[number]
    return item
