"""What a point that several cameras see is painted with."""

import hashlib
from collections.abc import Sequence

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, Float64, Int8, UInt8, UInt16
from paintpipe.schemas.errors import TaxonomyError
from paintpipe.schemas.painted import Flag, PaintedFrame
from paintpipe.schemas.settings import PaintSettings
from paintpipe.stages.paint.merge_kernels import blend_rows, hash_ranks, margins, pack_rows, take_better
from paintpipe.stages.paint.provenance import Looks, looks, provenance
from paintpipe.stages.paint.views import CameraSample

BLENDS = ("mean", "max")
"""Overlap rules that make new scores of those of the cameras; the others take one camera's."""
_SEEN_ONLY = -1.0
"""Rank of a view that sees a point but has no class for it: worse than any that has one."""


def merge_views(
    num_points: int, num_classes: int, samples: Sequence[CameraSample], settings: PaintSettings, frame_key: str
) -> PaintedFrame:
    """One painted sweep from what each camera says; the order of `samples` does not matter.

    Where several cameras have a class for a point, `settings.overlap` decides: `margin` keeps the camera with the
    larger top-1 minus top-2 score, ties to the smaller |dt| (an unknown dt counts as the largest), then to the lower
    camera; `first` keeps the lowest camera; `random` draws one by a hash of (seed, frame_key, point, camera);
    `mean` and `max` blend the scores class by class, renormalise, and name the camera with the larger margin. A
    camera without a class at that pixel gives way to any that has one; if none has, the point is visible and
    unpainted, and its camera is one that sees it.

    OVERLAP marks points that two cameras or more see, DEPTH_EDGE those on an edge in the image of their camera,
    OCCLUDED those that their camera's view calls so. With
    `provenance="full"` the second view is, of the other cameras, the one with the largest margin.

    Raises:
        TaxonomyError: scores of another number of classes, or more classes than a uint8 label holds.
    """
    _check_classes(num_classes, samples)
    ordered = sorted(samples, key=_camera if settings.overlap == "first" else _tie_order)
    ranks = [_ranks(sample, settings, frame_key) for sample in ordered]
    chosen = _choose(num_points, ordered, ranks, excluded=np.full(num_points, -1, np.int8))
    if settings.overlap in BLENDS:
        scores, label = _blended(num_points, num_classes, ordered, take_max=settings.overlap == "max")
    else:
        scores, label = _picked(num_points, num_classes, ordered, chosen)
    look = looks(chosen, ordered)
    flags = _flags(num_points, ordered, label, look)
    stored = scores.view(np.float16)
    if settings.provenance == "min":
        return PaintedFrame(stored, label, look.camera, flags)
    by_margin = [np.where(sample.painted, margins(sample.scores), _SEEN_ONLY) for sample in ordered]
    second = _choose(num_points, ordered, by_margin, excluded=chosen)
    second_scores, _ = _picked(num_points, num_classes, ordered, second)
    full = provenance(stored, label, look, looks(second, ordered), second_scores.view(np.float16))
    return PaintedFrame(stored, label, look.camera, flags, full)


def _tie_order(sample: CameraSample) -> tuple[float, int]:
    """Earlier wins a tie, for a later sample must beat the best so far."""
    return (float("inf") if sample.view.dt_us is None else abs(sample.view.dt_us), sample.view.camera)


def _camera(sample: CameraSample) -> int:
    return sample.view.camera


def _ranks(sample: CameraSample, settings: PaintSettings, frame_key: str) -> Float64:
    """(M,) how much each point would like this camera: at least 0 where it is painted."""
    if settings.overlap == "first":
        rank = np.zeros(len(sample.view.projected))  # all tie, and the cameras come in order
    elif settings.overlap == "random":
        digest = hashlib.blake2b(f"{settings.seed}\n{frame_key}".encode(), digest_size=8).digest()
        rank = hash_ranks(np.uint64(int.from_bytes(digest, "little")), sample.view.camera, sample.view.projected.index)
    else:
        rank = margins(sample.scores)
    return np.where(sample.painted, rank, _SEEN_ONLY).astype(np.float64)


def _choose(num_points: int, ordered: Sequence[CameraSample], ranks: Sequence[Float64], excluded: Int8) -> Int8:
    """(N,) int8 position in `ordered` of each point's highest-ranking view, -1 where no (other) camera sees it."""
    best_rank = np.full(num_points, -np.inf)
    best_number = np.full(num_points, -1, np.int8)
    for number, (sample, rank) in enumerate(zip(ordered, ranks, strict=True)):
        take_better(sample.view.projected.index, rank.astype(np.float64), number, excluded, best_rank, best_number)
    return best_number


def _picked(num_points: int, num_classes: int, ordered: Sequence[CameraSample], chosen: Int8) -> tuple[UInt16, UInt8]:
    """(N, C) float16 bits and (N,) labels of each point's chosen view."""
    bits, label = np.zeros((num_points, num_classes), np.uint16), np.full(num_points, UNPAINTED, np.uint8)
    for number, sample in enumerate(ordered):
        index = sample.view.projected.index
        pack_rows(sample.scores, index, sample.painted & (chosen[index] == number), bits, label)
    return bits, label


def _blended(
    num_points: int, num_classes: int, ordered: Sequence[CameraSample], *, take_max: bool
) -> tuple[UInt16, UInt8]:
    """(N, C) float16 bits and (N,) labels of the renormalised mean or maximum over all views of a point."""
    painted = np.zeros(num_points, np.bool_)
    for sample in ordered:
        painted[sample.view.projected.index[sample.painted]] = True
    points = np.flatnonzero(painted).astype(np.int32)
    slot = np.cumsum(painted, dtype=np.int32) - 1
    blended = np.zeros((len(points), num_classes), np.float32)
    for sample in ordered:
        blend_rows(sample.scores, sample.painted, slot[sample.view.projected.index], take_max, blended)
    blended /= blended.sum(axis=1, keepdims=True)
    bits, label = np.zeros((num_points, num_classes), np.uint16), np.full(num_points, UNPAINTED, np.uint8)
    pack_rows(blended, points, np.ones(len(points), np.bool_), bits, label)
    return bits, label


def _flags(num_points: int, ordered: Sequence[CameraSample], label: UInt8, look: Looks) -> UInt8:
    seen_by = np.zeros(num_points, np.uint8)
    for sample in ordered:
        seen_by[sample.view.projected.index] += 1
    flags = np.where(label != UNPAINTED, np.uint8(Flag.PAINTED), np.uint8(0))
    flags |= np.where(seen_by >= 1, np.uint8(Flag.VISIBLE), np.uint8(0))
    flags |= np.where(seen_by >= 2, np.uint8(Flag.OVERLAP), np.uint8(0))
    flags |= np.where(look.occluded, np.uint8(Flag.OCCLUDED), np.uint8(0))
    flags |= np.where(look.depth_edge, np.uint8(Flag.DEPTH_EDGE), np.uint8(0))
    return flags


def _check_classes(num_classes: int, samples: Sequence[CameraSample]) -> None:
    if not 1 <= num_classes <= UNPAINTED:
        raise TaxonomyError(f"{num_classes} classes can't be labelled", expected="1 to 255 classes")
    for sample in samples:
        if sample.scores.shape[1] != num_classes:
            raise TaxonomyError(
                f"camera {sample.view.camera} has scores of {sample.scores.shape[1]} classes", expected=f"{num_classes}"
            )
