"""Smoothing: a point whose pixel is in doubt asks its neighbours in space."""

from dataclasses import replace

import numpy as np

from paintpipe.schemas.arrays import Bool, Float32, Int32, UInt16
from paintpipe.schemas.painted import Flag, PaintedFrame
from paintpipe.stages.paint.directions import ring_columns, ring_sines
from paintpipe.stages.paint.merge_kernels import margins, pack_rows
from paintpipe.stages.paint.smooth_kernels import votes

OWN_WEIGHT = 50.0
"""What the point's own scores weigh: as much as those of a neighbour 9 cm away."""
EDGE_SAY = 0.3
"""A neighbour that is on an edge itself counts for less."""
_SINES, _COLUMNS = ring_sines(), ring_columns()


def smooth(points: Float32, frame: PaintedFrame) -> PaintedFrame:
    """The frame with the scores of its doubtful points averaged with those of their neighbours.

    Doubtful is a painted point on a depth edge or occluded. It asks its nearest painted neighbours that are not
    occluded (`neighbours.py` says which), whose scores weigh 1 / (d + 5 cm)², and EDGE_SAY of it on an edge. Its own
    scores weigh OWN_WEIGHT, or nothing if it is occluded. Without a neighbour it stays as it is, as all others do.
    A row still sums to 1, and the order of points does not matter.

    Args:
        points: (N, >=3) float32, metres in the LiDAR frame.
        frame: painted; its scores and labels are overwritten.
    """
    painted, occluded, edge = (_has(frame, flag) for flag in (Flag.PAINTED, Flag.OCCLUDED, Flag.DEPTH_EDGE))
    asking, voters = _rows(painted & (occluded | edge)), _rows(painted & ~occluded)
    bits: UInt16 = frame.scores.view(np.uint16)
    own = np.where(occluded[asking], np.float32(0.0), np.float32(OWN_WEIGHT))
    say = np.where(edge, np.float32(EDGE_SAY), np.float32(1.0))
    if not len(asking) or not len(voters):
        return frame
    table = np.ascontiguousarray(points, dtype=np.float32)
    scores, heard = votes(table, bits, asking, own, voters, say, _SINES, _COLUMNS)
    pack_rows(scores, asking, heard, bits, frame.label)
    return _with_margins(frame, asking[heard])


def _has(frame: PaintedFrame, flag: Flag) -> Bool:
    found: Bool = (frame.flags & np.uint8(flag)) != 0
    return found


def _rows(mask: Bool) -> Int32:
    return np.flatnonzero(mask).astype(np.int32)


def _with_margins(frame: PaintedFrame, rows: Int32) -> PaintedFrame:
    if frame.provenance is None:
        return frame
    margin = frame.provenance.margin.copy()
    margin[rows] = margins(frame.scores[rows].astype(np.float32)).astype(np.float16)
    return replace(frame, provenance=replace(frame.provenance, margin=margin))
