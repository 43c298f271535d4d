"""Where each point's scores come from: camera, pixel, depth, time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, Bool, Float16, Float32, Int8, UInt8
from paintpipe.schemas.painted import Provenance, SecondView
from paintpipe.stages.paint.merge_kernels import margins
from paintpipe.stages.paint.views import CameraSample


@dataclass(frozen=True)
class Looks:
    """One view a point, for all N points: (N,) camera or -1, (N, 2) u and v, (N,) depth, dt, depth edge, occluded."""

    camera: Int8
    pixel_px: Float32
    depth_m: Float32
    dt_us: Float32
    depth_edge: Bool
    occluded: Bool


def looks(number: Int8, ordered: Sequence[CameraSample]) -> Looks:
    """What each point's chosen view, (N,) position in `ordered` or -1, knows of it; NaN where there is none."""
    size = len(number)
    found = Looks(
        camera=np.full(size, -1, np.int8),
        pixel_px=np.full((size, 2), np.nan, np.float32),
        depth_m=np.full(size, np.nan, np.float32),
        dt_us=np.full(size, np.nan, np.float32),
        depth_edge=np.zeros(size, np.bool_),
        occluded=np.zeros(size, np.bool_),
    )
    for position, sample in enumerate(ordered):
        view, projected = sample.view, sample.view.projected
        rows = np.flatnonzero(number[projected.index] == position)
        points = projected.index[rows]
        found.camera[points] = view.camera
        found.pixel_px[points, 0], found.pixel_px[points, 1] = projected.u_px[rows], projected.v_px[rows]
        found.depth_m[points] = projected.depth_m[rows]
        found.dt_us[points] = np.nan if view.dt_us is None else view.dt_us
        found.depth_edge[points] = view.depth_edge[rows]
        if view.occluded is not None:
            found.occluded[points] = view.occluded[rows]
    return found


def provenance(scores: Float16, label: UInt8, look: Looks, second: Looks, second_scores: Float16) -> Provenance:
    """The arrays of `--provenance full`; the margin is that of the scores as stored, NaN where unpainted or unseen."""
    margin = np.full(len(label), np.nan, np.float16)
    points = np.flatnonzero((label != UNPAINTED) & (look.camera >= 0))
    margin[points] = margins(scores[points].astype(np.float32)).astype(np.float16)
    other = SecondView(second_scores, second.camera, second.pixel_px, second.depth_m)
    return Provenance(look.pixel_px, look.depth_m, look.dt_us, margin, other)
