"""From what each camera says of its points to a painted sweep: occlusion, overlap and depth edges, in this order."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.painted import PaintedFrame
from paintpipe.schemas.settings import PaintSettings
from paintpipe.stages.paint.halves import as_stored
from paintpipe.stages.paint.occlusion import occluded
from paintpipe.stages.paint.overlap import BLENDS, merge_views
from paintpipe.stages.paint.scan_lines import line_spacing_rad
from paintpipe.stages.paint.smooth import smooth
from paintpipe.stages.paint.views import CameraSample


def settle_samples(
    points: Float32, samples: Sequence[CameraSample], num_classes: int, settings: PaintSettings, frame_key: str
) -> PaintedFrame:
    """One painted sweep from what each camera says, with every policy of `settings` applied.

    Nothing but the arguments goes in: samples that were rebuilt from a layer's full provenance give the bytes of the
    samples that the layer was painted from. A sample's `view` holds all that policies need: `projected` (index, u, v
    and depth; col and row are not read), `depth_edge` (`depth_edges(projected)`), `dt_us`, and `focal_px`
    (`focal_px(image_from_lidar)`, read only where `settings.occlusion` is not "off").

    Args:
        points: (N, >=3) float32, metres in the LiDAR frame.
        samples: one a camera, in any order.
        num_classes: length of the layer's taxonomy.
        settings: overlap, occlusion and edge policies, provenance, seed.
        frame_key: what names this frame in the whole dataset; the `random` overlap rule hashes it.

    Raises:
        TaxonomyError: scores of another number of classes, or more classes than a uint8 label holds.
    """
    if len(samples) > 1 or settings.overlap in BLENDS:  # else no score is reckoned with; smoothing reads stored ones
        samples = as_stored(samples)  # so that `paintpipe repaint`, which has no others, gives the same bytes
    samples = mark_occluded(points, samples, settings)
    if settings.occlusion == "clear":
        samples = [_cleared(sample) for sample in samples]
    frame = merge_views(len(points), num_classes, samples, settings, frame_key)
    return smooth(points, frame) if settings.edges == "smooth" else frame


def mark_occluded(points: Float32, samples: Sequence[CameraSample], settings: PaintSettings) -> Sequence[CameraSample]:
    """The samples with their occluded points marked, unless `settings.occlusion` is "off"."""
    if settings.occlusion == "off":
        return samples
    spacing_rad = line_spacing_rad(points)
    views = [sample.view for sample in samples]
    views = [replace(view, occluded=occluded(view.projected, view.focal_px, spacing_rad)) for view in views]
    return [replace(sample, view=view) for sample, view in zip(samples, views, strict=True)]


def _cleared(sample: CameraSample) -> CameraSample:
    """The sample without a class for occluded points, so that any other camera's is taken before."""
    seen = ~np.asarray(sample.view.occluded)
    return replace(sample, painted=sample.painted & seen, scores=sample.scores * seen[:, None])
