"""Small frames for the tests of evaluation."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Int8, Int64, UInt8
from paintpipe.stages.evaluate.points import PointsTally, evaluate_frame


@dataclass(frozen=True)
class Frame:
    """Arguments of `evaluate_frame`: five points on the x axis, all seen by camera 0 and rightly painted."""

    points: Float32
    labels: UInt8
    truth: UInt8
    camera: Int8
    flags: UInt8
    fill_labels: UInt8 | None = None

    def tally(self, num_classes: int = 3) -> PointsTally:
        return evaluate_frame(
            self.points, self.labels, self.truth, self.camera, self.flags, num_classes, self.fill_labels
        )


def make_frame(**overrides: Any) -> Frame:
    frame = Frame(
        points=np.array([[5, 0, 0, 0], [15, 0, 0, 0], [25, 0, 0, 0], [35, 0, 0, 0], [45, 0, 0, 0]], np.float32),
        labels=np.array([0, 0, 1, 1, 2], np.uint8),
        truth=np.array([0, 0, 1, 1, 2], np.uint8),
        camera=np.zeros(5, np.int8),
        flags=np.full(5, 3, np.uint8),
    )
    return replace(frame, **{key: np.asarray(value) for key, value in overrides.items()})


def counts(rows: list[list[int]]) -> Int64:
    """(C, C + 1) counts: truth by prediction, the last column unpainted."""
    return np.array(rows, dtype=np.int64)
