"""Whether a painted frame keeps the store's contract, asked of every frame before it is stored."""

import numpy as np

from paintpipe.schemas.painted import PaintedFrame
from paintpipe.stages.paint.check_kernels import (
    NEGATIVE,
    NO_FAULT,
    NOT_BEST,
    NOT_EMPTY,
    WRONG_LABEL,
    WRONG_SUM,
    first_fault,
)

_VALUE_OF = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
_WORDS = {
    NO_FAULT: "",
    NOT_EMPTY: "an unpainted point has scores or a label",
    NEGATIVE: "a score is negative",
    WRONG_SUM: "scores of a painted point do not sum to 1",
    WRONG_LABEL: "a label is outside the taxonomy",
    NOT_BEST: "a label is not the arg-max of its scores",
}


def check_painted(frame: PaintedFrame, num_points: int, num_classes: int) -> str:
    """What breaks the store's contract in this frame, "" where nothing does."""
    if frame.scores.shape != (num_points, num_classes):
        return f"scores have shape {frame.scores.shape}, not {(num_points, num_classes)}"
    shapes = {array.shape for array in (frame.label, frame.camera, frame.flags)}
    if shapes != {(num_points,)}:
        return f"label, camera and flags have shapes {sorted(shapes)}, not {(num_points,)}"
    bits = np.ascontiguousarray(frame.scores).view(np.uint16)
    return _WORDS[first_fault(bits, frame.label, frame.flags, _VALUE_OF)]
