"""Which images belong to which sweep."""

from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Int64
from paintpipe.stages.ingest.nuscenes.sensor_files import SensorFile

ByCamera = dict[str, list[SensorFile]]


@dataclass(frozen=True)
class Pairing:
    """The images of one scene, by camera in order of time.

    Attributes:
        images: all that can be used, at least one a camera.
        times_us: camera → (N,) when they were taken.
        keyframes: (camera, sample) → the sample's own image.
        median_dt_us: camera → median of image time minus sweep time over the scene's keyframes, 0 where it has none.
    """

    images: ByCamera
    times_us: dict[str, Int64]
    keyframes: dict[tuple[str, int], SensorFile]
    median_dt_us: dict[str, float]

    def of(self, sweep: SensorFile) -> dict[str, SensorFile]:
        """Camera → image of a sweep.

        A keyframe takes its own sample's images. A sweep between takes, per camera, the image nearest to its time plus
        that camera's median keyframe dt (a tie goes to the earlier): the cameras fire as the LiDAR's beam passes them,
        so the image that belongs to a sweep lies a fixed while beside it.
        """
        if sweep.is_keyframe:
            own = {camera: self.keyframes.get((camera, sweep.sample)) for camera in self.images}
            return {camera: image for camera, image in own.items() if image is not None}
        return {camera: self._nearest(camera, sweep) for camera in self.images}

    def _nearest(self, camera: str, sweep: SensorFile) -> SensorFile:
        away_us = np.abs(self.times_us[camera] - (sweep.timestamp_us + self.median_dt_us[camera]))
        return self.images[camera][int(np.argmin(away_us))]


def pair(images: ByCamera, sweeps: list[SensorFile]) -> Pairing:
    """The pairing of one scene's images, given in order of time, with its sweeps."""
    times_us = {name: np.array([image.timestamp_us for image in files]) for name, files in images.items()}
    keyframes = {(name, image.sample): image for name, files in images.items() for image in files if image.is_keyframe}
    sweep_us = {sweep.sample: sweep.timestamp_us for sweep in sweeps if sweep.is_keyframe}
    median_dt_us = {name: _median_dt_us(files, sweep_us) for name, files in images.items()}
    return Pairing(images, times_us, keyframes, median_dt_us)


def _median_dt_us(images: list[SensorFile], sweep_us: dict[int, int]) -> float:
    keyframes = [image for image in images if image.is_keyframe and image.sample in sweep_us]
    dt_us = [image.timestamp_us - sweep_us[image.sample] for image in keyframes]
    return float(np.median(dt_us)) if dt_us else 0.0
