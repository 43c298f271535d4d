"""Painting one sweep: project the points into each camera, read the class scores there, settle overlaps.

The three steps are those of PointPainting (arXiv 1911.10150, section 2.2); an engine that runs networks on batches of
images calls them one at a time.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from paintpipe.schemas.arrays import Float32, UInt8
from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.errors import ConfigError, ImageError, LabelsError
from paintpipe.schemas.painted import PaintedFrame
from paintpipe.schemas.pixels import PixelClasses
from paintpipe.schemas.settings import PaintSettings, Projection
from paintpipe.stages.paint.edges import depth_edges
from paintpipe.stages.paint.occlusion import focal_px
from paintpipe.stages.paint.point_classes import paint_labels, paint_scores
from paintpipe.stages.paint.project import project_points
from paintpipe.stages.paint.sample import sample_pixels
from paintpipe.stages.paint.settle import settle_samples
from paintpipe.stages.paint.views import CameraSample, ProjectedView


def paint_frame(
    points: Float32,
    views: Sequence[CameraView],
    pixels: Mapping[str, PixelClasses],
    camera_names: tuple[str, ...],
    num_classes: int,
    settings: PaintSettings,
    frame_key: str,
) -> PaintedFrame:
    """A painted sweep, rows aligned with `points`.

    Args:
        points: (N, >=3) float32, metres in the LiDAR frame.
        views: the frame's images; a camera of the layer may lack.
        pixels: class scores or labels by camera name.
        camera_names: the layer's cameras; the store's camera index is a position in them.
        num_classes: length of the layer's taxonomy.
        settings: projection preset, overlap rule, provenance, seed.
        frame_key: what names this frame in the whole dataset; the `random` overlap rule hashes it.

    Raises:
        PointsError, CalibrationError, ImageError, ConfigError, TaxonomyError: an input that does not fit.
    """
    seen = project_frame(points, views, camera_names, settings.projection)
    samples = [sample_view(view, pixels) for view in seen]
    return settle_samples(points, samples, num_classes, settings, frame_key)


def paint_points(
    points: Float32,
    classes: UInt8 | Float32,
    views: Sequence[CameraView],
    camera_names: tuple[str, ...],
    num_classes: int,
    settings: PaintSettings,
) -> PaintedFrame:
    """A sweep painted with what is known of its points, seen by a camera or not.

    Cameras say only who sees a point: a visible point names the first camera of `camera_names` that sees it.

    Args:
        points: (N, >=3) float32, metres in the LiDAR frame.
        classes: (N,) uint8 class indices, 255 where unknown; or (N, C) float32 probabilities, 0 where unknown.
        views: the frame's images; none is needed.
        camera_names: the layer's cameras.
        num_classes: length of the layer's taxonomy.
        settings: projection preset and provenance.

    Raises:
        LabelsError: not one class or row of scores for each point.
        PointsError, CalibrationError, ConfigError, TaxonomyError: another input that does not fit.
    """
    if len(classes) != len(points):
        raise LabelsError(f"classes of {len(classes)} points", expected=f"{len(points)}, one a point")
    seen = project_frame(points, views, camera_names, settings.projection)
    if classes.ndim == 1:
        return paint_labels(points, classes.astype(np.uint8), num_classes, seen, settings)
    return paint_scores(points, classes.astype(np.float32), seen, settings)


def project_frame(
    points: Float32, views: Sequence[CameraView], camera_names: tuple[str, ...], rule: Projection
) -> tuple[ProjectedView, ...]:
    """The points that each camera sees, in order of `views`.

    Raises:
        ConfigError: a view whose camera is not one of the layer's.
        PointsError, CalibrationError: points or a camera matrix that can't be used.
    """
    return tuple(_project_view(points, view, camera_names, rule) for view in views)


def sample_view(view: ProjectedView, pixels: Mapping[str, PixelClasses]) -> CameraSample:
    """What one camera's image says about the points that it sees.

    Raises:
        ImageError: no scores for this camera, or scores that do not span its image.
    """
    if view.name not in pixels:
        raise ImageError("no class scores for this camera's image", where=view.name)
    scores, painted = sample_pixels(pixels[view.name], view.projected)
    return CameraSample(view, scores, painted)


def _project_view(points: Float32, view: CameraView, camera_names: tuple[str, ...], rule: Projection) -> ProjectedView:
    if view.camera not in camera_names:
        raise ConfigError(f"camera {view.camera!r} is not in this layer", expected="one of " + ", ".join(camera_names))
    projected = project_points(points, view, rule)
    camera = camera_names.index(view.camera)
    focal = focal_px(view.image_from_lidar)
    return ProjectedView(camera, view.camera, projected, depth_edges(projected), view.dt_us, focal)
