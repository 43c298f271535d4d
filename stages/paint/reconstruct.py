"""Samples rebuilt from full provenance: what each camera said of its points, without its image or the network."""

from collections.abc import Sequence

import numpy as np

from paintpipe.schemas.arrays import Float16, Int64
from paintpipe.schemas.errors import ConfigError, WorkspaceError
from paintpipe.schemas.painted import PaintedFrame, Provenance
from paintpipe.stages.paint.views import CameraSample, ProjectedView


def rebuild_samples(frame: PaintedFrame, seen: Sequence[ProjectedView], frame_key: str) -> list[CameraSample]:
    """The samples that a frame was painted from, scores rounded to float16 as `settle_samples` rounds them.

    A layer keeps two cameras a point: the one that it was painted from and, under `second/`, the other. Where each
    camera's points are is projected anew, which is exact; what is stored of pixel and depth must agree with it. A
    camera that no point of the frame names is one whose image could not be used, unless two others see all its points:
    then nobody can tell, and it counts as a third.

    Args:
        frame: with full provenance, painted by an overlap rule that keeps one camera, nothing cleared or smoothed.
        seen: the points projected into all cameras of the layer, by the projection rule that it was painted by.
        frame_key: sequence and frame, for messages.

    Raises:
        ConfigError: a third camera sees a point.
        WorkspaceError: no full provenance, or the cameras see other points than when the frame was painted.
    """
    full = frame.provenance
    if full is None:
        raise WorkspaceError("no full provenance", where=frame_key, todo="paint with --provenance full")
    used = [view for view in seen if _was_used(view, frame, full)]
    num_views = np.zeros(len(frame.label), np.int64)
    for view in used:
        num_views[view.projected.index] += 1
    _check_third(num_views, frame_key)
    _check_places(used, num_views, frame, full, frame_key)
    return [_sample(view, frame, full) for view in used]


def _was_used(view: ProjectedView, frame: PaintedFrame, full: Provenance) -> bool:
    named = view.camera in frame.camera or view.camera in full.second.camera
    return named or bool((full.second.camera[view.projected.index] >= 0).all())


def _check_third(num_views: Int64, frame_key: str) -> None:
    third = int((num_views >= 3).sum())
    if third:
        what = f"{third:,} points are seen by three cameras or more, and a layer keeps the scores of two"
        raise ConfigError(what, where=frame_key, todo="paint anew with these settings, or from fewer --cameras")


def _check_places(
    used: Sequence[ProjectedView], num_views: Int64, frame: PaintedFrame, full: Provenance, frame_key: str
) -> None:
    """The stored pixels and depths must be those of the projection, bit for bit, and no point seen may be missing."""
    num_stored = (frame.camera >= 0).astype(np.int64) + (full.second.camera >= 0)
    if np.array_equal(num_stored, num_views) and all(_same_places(view, frame, full) for view in used):
        return
    what = "its cameras see other points than when it was painted: points or calibration have changed since"
    raise WorkspaceError(what, where=frame_key, todo="ingest as before, or paint anew")


def _same_places(view: ProjectedView, frame: PaintedFrame, full: Provenance) -> bool:
    index, projected, second = view.projected.index, view.projected, full.second
    first = frame.camera[index] == view.camera
    pixel_px = np.where(first[:, None], full.pixel_px[index], second.pixel_px[index])
    depth_m = np.where(first, full.depth_m[index], second.depth_m[index])
    return (
        bool((first | (second.camera[index] == view.camera)).all())
        and np.array_equal(pixel_px[:, 0], projected.u_px)
        and np.array_equal(pixel_px[:, 1], projected.v_px)
        and np.array_equal(depth_m, projected.depth_m)
    )


def _sample(view: ProjectedView, frame: PaintedFrame, full: Provenance) -> CameraSample:
    index = view.projected.index
    first = frame.camera[index] == view.camera
    stored: Float16 = np.where(first[:, None], frame.scores[index], full.second.scores[index])
    scores = stored.astype(np.float32)
    return CameraSample(view, scores, scores.max(axis=1, initial=0.0) > 0.0)
