"""What passes between the steps of painting: the points of one camera, and what its image says about them."""

from dataclasses import dataclass

from paintpipe.schemas.arrays import Bool, Float32
from paintpipe.stages.paint.project import Projected


@dataclass(frozen=True)
class ProjectedView:
    """The M points that one camera sees.

    Attributes:
        camera: position in the layer's list of camera names.
        name: the camera's name.
        projected: the points.
        depth_edge: (M,) bool, on a depth edge of this image.
        dt_us: image time minus sweep time, None where unknown.
        focal_px: focal length, by which an angle becomes pixels (`focal_px` of `occlusion.py`).
        occluded: (M,) bool, behind another point of this view; None where nobody looked.
    """

    camera: int
    name: str
    projected: Projected
    depth_edge: Bool
    dt_us: int | None = None
    focal_px: float = 0.0
    occluded: Bool | None = None


@dataclass(frozen=True)
class CameraSample:
    """What one camera's image says about the M points that it sees.

    Attributes:
        view: the camera and its points.
        scores: (M, C) float32, rows that sum to 1 where painted, of 0 elsewhere.
        painted: (M,) bool, False where the image has no class at that pixel.
    """

    view: ProjectedView
    scores: Float32
    painted: Bool
