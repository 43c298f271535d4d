"""A painted frame made by hand."""

import numpy as np

from paintpipe.schemas.painted import Flag, PaintedFrame


def make_frame() -> PaintedFrame:
    """Three points of two classes, the last unpainted."""
    return PaintedFrame(
        scores=np.array([[0.25, 0.75], [1.0, 0.0], [0.0, 0.0]], dtype=np.float16),
        label=np.array([1, 0, 255], dtype=np.uint8),
        camera=np.array([0, 0, -1], dtype=np.int8),
        flags=np.array([Flag.PAINTED | Flag.VISIBLE, Flag.PAINTED, 0], dtype=np.uint8),
    )
