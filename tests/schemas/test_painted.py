"""The arrays of a painted frame, by their names in the store."""

import numpy as np

from paintpipe.schemas.painted import Flag, PaintedFrame, layer_arrays, layer_specs


def make_frame() -> PaintedFrame:
    """Three points of two classes, the last unpainted."""
    return PaintedFrame(
        scores=np.array([[0.25, 0.75], [1.0, 0.0], [0.0, 0.0]], dtype=np.float16),
        label=np.array([1, 0, 255], dtype=np.uint8),
        camera=np.array([0, 0, -1], dtype=np.int8),
        flags=np.array([Flag.PAINTED | Flag.VISIBLE, Flag.PAINTED, 0], dtype=np.uint8),
    )


def test_arrays_carry_the_names_of_the_specs() -> None:
    assert list(layer_arrays(make_frame())) == [spec.name for spec in layer_specs("min")]
