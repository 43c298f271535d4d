"""The table of image segmentation."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from paintpipe.schemas import tables
from paintpipe.schemas.arrays import Int64
from paintpipe.stages.evaluate.confusion import accuracy, present_miou
from paintpipe.stages.evaluate.tables import as_table


def images_table(model: str, tta: str, counts: Mapping[str, Int64]) -> pa.Table:
    """One row an image, and a last one, `all`, from one matrix over all; `counts` as `evaluate_image` gives them."""
    every = {**counts, "all": np.sum(list(counts.values()), axis=0)} if counts else {}
    rows = (
        {
            "model": model,
            "tta": tta,
            "image": name,
            "miou": present_miou(matrix),
            "accuracy": accuracy(matrix),
            "num_classes": int((matrix.sum(axis=1) > 0).sum()),
            "num_pixels": int(matrix.sum()),
        }
        for name, matrix in every.items()
    )
    return as_table(rows, tables.IMAGES)
