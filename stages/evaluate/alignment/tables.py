"""What `check-calibration` found, as tables."""

from collections.abc import Sequence

import pyarrow as pa

from paintpipe.schemas.tables import CALIBRATION_CHECK, CALIBRATION_CURVES
from paintpipe.stages.evaluate.alignment.estimate import CameraEstimate
from paintpipe.stages.evaluate.alignment.verdict import Verdict


def estimates_table(found: Sequence[tuple[CameraEstimate, Verdict]]) -> pa.Table:
    """A row a camera, in the schema CALIBRATION_CHECK."""
    rows = []
    for one, verdict in found:
        row = {
            "camera": one.camera,
            "verdict": verdict.state,
            "score_at_zero": one.score_at_zero,
            "score_at_best": one.score_at_best,
            "chance": one.chance,
            "shift_unit": one.shift_unit if one.shift else None,
            "views": one.num_views,
            "jumps": one.num_jumps,
            "words": verdict.words,
        }
        for name, axis in one.axes.items():
            unit = "" if name == "shift" else "_deg"
            row[f"{name}{unit}"] = None if axis is None else axis.value
            row[f"{name}_sd{unit}"] = None if axis is None else axis.deviation
        rows.append(row)
    return pa.Table.from_pylist(rows, CALIBRATION_CHECK)


def curves_table(found: Sequence[CameraEstimate]) -> pa.Table:
    """A row for each offset that was tried, in the schema CALIBRATION_CURVES."""
    rows = [
        {
            "camera": one.camera,
            "quantity": name,
            "unit": one.shift_unit if name == "shift" else "deg",
            "offset": float(offset),
            "score": float(score),
        }
        for one in found
        for name, axis in one.axes.items()
        if axis is not None
        for offset, score in zip(axis.offsets, axis.scores, strict=True)
    ]
    return pa.Table.from_pylist(rows, CALIBRATION_CURVES)
