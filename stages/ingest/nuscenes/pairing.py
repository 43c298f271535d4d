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
        images: all that can be used.
        keyframes: (camera, sample) → the sample's own image.
        median_dt_us: camera → median of image time minus sweep time over the scene's keyframes, 0 where it has none.
    """

    images: ByCamera
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
        images = self.images[camera]
        times_us = self._times_us(camera)
        away_us = np.abs(times_us - (sweep.timestamp_us + self.median_dt_us[camera]))
        return images[int(np.argmin(away_us))]

    def _times_us(self, camera: str) -> Int64:
        return np.array([image.timestamp_us for image in self.images[camera]], dtype=np.int64)


def pair(images: ByCamera, sweeps: list[SensorFile]) -> Pairing:
    """The pairing of one scene's images with its sweeps."""
    keyframes = {
        (camera, image.sample): image for camera, files in images.items() for image in files if image.is_keyframe
    }
    sweep_us = {sweep.sample: sweep.timestamp_us for sweep in sweeps if sweep.is_keyframe}
    dt_us: dict[str, list[int]] = {camera: [] for camera in images}
    for (camera, sample), image in keyframes.items():
        if sample in sweep_us:
            dt_us[camera].append(image.timestamp_us - sweep_us[sample])
    return Pairing(images, keyframes, {camera: float(np.median(times)) if times else 0.0 for camera, times in dt_us.items()})
