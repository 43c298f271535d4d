"""Frame and image rows of one scene."""

from collections.abc import Iterable
from itertools import repeat
from typing import Any

import numpy as np

from paintpipe.schemas.catalog import FrameRow, ImageRow, RejectedRow
from paintpipe.schemas.errors import ImageError, InputFileError
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest import checks
from paintpipe.stages.ingest.nuscenes.calibration import Calibration
from paintpipe.stages.ingest.nuscenes.columns import frozen_rows
from paintpipe.stages.ingest.nuscenes.geometry import camera_SE3_lidar
from paintpipe.stages.ingest.nuscenes.scene import Scene
from paintpipe.stages.ingest.nuscenes.sensor_files import SensorFile

FEATURES = ("x", "y", "z", "intensity", "ring")
LABELS_FORMAT = "uint8"
Calibrations = dict[str, Calibration]


class FrameBuilder:
    """Makes the rows of one scene, looking at each file once.

    Args:
        root: of the dataset.
        name: of the scene.
        split: official one, None where it has none.
        scene: its files.
        sample_tokens: by place in `Samples`.
        calibrations: by token.
        labels: LIDAR_TOP sample_data token → label file.
    """

    def __init__(
        self,
        root: Root,
        name: str,
        split: str | None,
        scene: Scene,
        sample_tokens: list[str],
        calibrations: Calibrations,
        labels: dict[str, str],
    ) -> None:
        self.rejected: list[RejectedRow] = []
        self._root, self._name, self._split, self._scene = root, name, split, scene
        self._sample_tokens, self._calibrations, self._labels = sample_tokens, calibrations, labels
        self._sizes_px: dict[str, tuple[int, int] | None] = {}

    def frames(self, limit: int | None) -> list[tuple[FrameRow, SensorFile]]:
        """The scene's first `limit` sweeps that can be used, by time."""
        frames: list[tuple[FrameRow, SensorFile]] = []
        for sweep in self._scene.sweeps:
            if limit is not None and len(frames) >= limit:
                break
            try:
                num_points = checks.count_points(self._root, sweep.path, len(FEATURES))
            except InputFileError as error:
                self.rejected.append(checks.rejected(sweep.path, error))
                continue
            frames.append((self._frame(sweep, len(frames), num_points), sweep))
        return frames

    def _frame(self, sweep: SensorFile, index: int, num_points: int) -> FrameRow:
        ego_SE3_lidar = self._calibrations[sweep.calibration_token].ego_SE3_sensor
        global_SE3_ego = self._scene.poses.of(sweep)
        labels_path = self._usable_labels(sweep.token, num_points)
        return FrameRow(
            sequence=self._name,
            index=index,
            frame_id=sweep.token,
            points_path=sweep.path,
            num_points=num_points,
            point_features=FEATURES,
            sample_token=self._sample_tokens[sweep.sample],
            sweep_token=sweep.token,
            timestamp_us=sweep.timestamp_us,
            split=self._split,
            is_keyframe=sweep.is_keyframe,
            labels_path=labels_path,
            labels_format=None if labels_path is None else LABELS_FORMAT,
            ego_SE3_lidar=ego_SE3_lidar,
            global_SE3_ego=global_SE3_ego,
            global_SE3_lidar=global_SE3_ego @ ego_SE3_lidar,
            previous_sweeps=self._scene.previous_sweeps(sweep.token),
        )

    def _usable_labels(self, token: str, num_points: int) -> str | None:
        path = self._labels.get(token)
        if path is None:
            return None
        try:
            checks.check_labels(self._root, path, LABELS_FORMAT, num_points)
        except InputFileError as error:
            self.rejected.append(checks.rejected(path, error))
            return None
        return path

    def images(self, frames: list[tuple[FrameRow, SensorFile]]) -> list[ImageRow]:
        """The images of those frames, by frame and camera."""
        pairs = [
            (frame, sweep, camera, image, size_px)
            for frame, sweep in frames
            for camera, image in self._scene.pairing.of(sweep).items()
            if (size_px := self._size_px(image)) is not None
        ]
        moved = camera_SE3_lidar(
            [sweep for _, sweep, _, _, _ in pairs],
            [image for _, _, _, image, _ in pairs],
            self._scene.poses,
            self._calibrations,
        )
        K = np.array([self._calibrations[image.calibration_token].K for _, _, _, image, _ in pairs]).reshape(-1, 3, 3)
        columns: dict[str, Iterable[Any]] = {
            "sequence": repeat(self._name, len(pairs)),
            "index": [frame.index for frame, _, _, _, _ in pairs],
            "frame_id": [frame.frame_id for frame, _, _, _, _ in pairs],
            "camera": [camera for _, _, camera, _, _ in pairs],
            "image_path": [image.path for _, _, _, image, _ in pairs],
            "width_px": [width_px for _, _, _, _, (width_px, _) in pairs],
            "height_px": [height_px for _, _, _, _, (_, height_px) in pairs],
            "K": K,
            "camera_SE3_lidar": moved,
            "image_from_lidar": K @ moved[:, :3],
            "token": [image.token for _, _, _, image, _ in pairs],
            "timestamp_us": [image.timestamp_us for _, _, _, image, _ in pairs],
            "dt_us": [image.timestamp_us - sweep.timestamp_us for _, sweep, _, image, _ in pairs],
            "global_SE3_ego": [self._scene.poses.of(image) for _, _, _, image, _ in pairs],
        }
        return frozen_rows(ImageRow, columns)

    def _size_px(self, image: SensorFile) -> tuple[int, int] | None:
        """(width, height) of an image from its header; None (and a rejected row, once) where it can't be used."""
        if image.path not in self._sizes_px:
            try:
                self._sizes_px[image.path] = _checked_size(self._root, image)
            except InputFileError as error:
                self.rejected.append(checks.rejected(image.path, error))
                self._sizes_px[image.path] = None
        return self._sizes_px[image.path]


def _checked_size(root: Root, image: SensorFile) -> tuple[int, int]:
    """(width, height) from the header, held against what the table says where that is not 0."""
    width_px, height_px = checks.read_image_size(root, image.path)
    if (image.size_px[0] or width_px, image.size_px[1] or height_px) != (width_px, height_px):
        expected = f"{image.size_px[0]}x{image.size_px[1]} as sample_data {image.token} says"
        raise ImageError(f"an image of {width_px}x{height_px} px", where=image.path, expected=expected)
    return width_px, height_px
