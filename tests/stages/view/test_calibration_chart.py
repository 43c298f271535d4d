"""The curves of `check-calibration` as a picture."""

import numpy as np
import pytest

from paintpipe.stages.evaluate.alignment.estimate import CameraEstimate, Measured
from paintpipe.stages.view.calibration_chart import calibration_chart

TITLE_PX = 80


def make_found(shift: Measured | None) -> CameraEstimate:
    offsets = np.linspace(-1.0, 1.0, 5)
    axis = Measured(0.5, 0.1, offsets, 0.5 - 0.2 * np.abs(offsets - 0.5))
    return CameraEstimate("front", 1, 9, axis, axis, axis, 0.4, 0.5, 0.01, shift, "ms")


@pytest.mark.parametrize("panels", [3, 4])
def test_a_long_verdict_leaves_the_panels_in_their_places(panels: int) -> None:
    one = make_found(None)
    found = make_found(one.yaw if panels == 4 else None)
    short, long = (calibration_chart(found, title) for title in ("ok", "looks off $x$: " + "so many words " * 20))
    assert short.shape == (525, 465 * panels, 3)
    np.testing.assert_array_equal(short[TITLE_PX:], long[TITLE_PX:])
    assert (short[:TITLE_PX] != long[:TITLE_PX]).any()
