"""A camera as projection needs it."""

from dataclasses import dataclass

from paintpipe.schemas.arrays import Float64


@dataclass(frozen=True)
class CameraView:
    """One image of one frame and how LiDAR points reach it.

    Attributes:
        camera: name, such as `image_2` or `CAM_FRONT`.
        width_px: image width.
        height_px: image height.
        image_from_lidar: (3, 4) float64 from homogeneous LiDAR points to homogeneous pixels.
        depth_offset_m: `P2[2, 3]` of a KITTI camera, which the `openpcdet` preset takes off the depth; else 0.
        dt_us: image time minus sweep time, None where either is unknown.
    """

    camera: str
    width_px: int
    height_px: int
    image_from_lidar: Float64
    depth_offset_m: float = 0.0
    dt_us: int | None = None
