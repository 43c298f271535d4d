"""Which coordinate frame hangs below which: global, ego, lidar and the cameras."""

from dataclasses import dataclass

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import FrameRow, ImageRow
from paintpipe.schemas.export import ExportFrame
from paintpipe.schemas.geometry import invert_se3

GLOBAL, EGO, LIDAR = "global", "ego", "lidar"


@dataclass(frozen=True)
class Placement:
    """A coordinate frame within its parent, as far as the dataset tells."""

    parent: str
    child: str
    parent_SE3_child: Float64


def camera_frame(camera: str) -> str:
    """Name of a camera's coordinate frame: x right, y down, z forward."""
    return f"camera/{camera}"


def placements(frame: ExportFrame) -> list[Placement]:
    """The coordinate frames of a sweep and its images.

    A camera's place is relative to the LiDAR at the sweep's time with the ego's motion until the image taken in, as
    the points were painted: projecting the cloud into the image gives the pixels that the scores come from.
    """
    cameras = [_camera(image) for image in frame.images]
    return [*_sweep(frame.row), *cameras]


def _sweep(row: FrameRow) -> list[Placement]:
    if row.ego_SE3_lidar is not None and row.global_SE3_ego is not None:
        return [Placement(GLOBAL, EGO, row.global_SE3_ego), Placement(EGO, LIDAR, row.ego_SE3_lidar)]
    if row.global_SE3_lidar is not None:
        return [Placement(GLOBAL, LIDAR, row.global_SE3_lidar)]
    return []


def _camera(image: ImageRow) -> Placement:
    return Placement(LIDAR, camera_frame(image.camera), invert_se3(image.camera_SE3_lidar))
