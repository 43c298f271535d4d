"""Painted points as records of named fields, as foxglove.PointCloud packs them."""

import numpy as np

from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.schemas.painted import Flag

COLOURS = ("red", "green", "blue", "alpha")
_BYTES = (("label", np.uint8), ("camera", np.int8), ("flags", np.uint8), *((name, np.uint8) for name in COLOURS))


def record_type(features: tuple[str, ...], channels: tuple[str, ...]) -> np.dtype[np.void]:
    """The layout of a point: features of the point file, best score, one score a channel, then single bytes.

    Args:
        features: columns of the points; the first three are x, y, z.
        channels: score columns to hold beside the best one.
    """
    floats = ["x", "y", "z", *feature_names(features), "score", *score_names(channels)]
    fields = [(name, np.dtype("<f4")) for name in floats] + [(name, np.dtype(kind)) for name, kind in _BYTES]
    sizes = [kind.itemsize for _, kind in fields]
    offsets = [sum(sizes[:place]) for place in range(len(sizes))]
    stride = -(-sum(sizes) // 4) * 4  # records begin at whole words
    names, formats = [name for name, _ in fields], [kind for _, kind in fields]
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": stride})


def feature_names(features: tuple[str, ...]) -> list[str]:
    """Field names of the point columns behind x, y, z; one that is taken gets a prefix."""
    taken = {"x", "y", "z", "score", *(name for name, _ in _BYTES)}
    return [f"points_{name}" if name in taken or name.startswith("score_") else name for name in features[3:]]


def score_names(channels: tuple[str, ...]) -> list[str]:
    """Field names of the score columns."""
    return [f"score_{name}" for name in channels]


def pack(frame: ExportFrame, facts: ExportFacts, with_scores: bool) -> AnyArray:
    """(N,) records of `record_type`: unpainted points have score 0, label 255, camera -1, and are dark grey."""
    channels = facts.channels if with_scores else ()
    records = np.zeros(len(frame.points), dtype=record_type(facts.features, channels))
    columns = ["x", "y", "z", *feature_names(facts.features)]
    for column, name in enumerate(columns):
        records[name] = frame.points[:, column]
    painted = np.flatnonzero(frame.flags & Flag.PAINTED)
    records["score"][painted] = frame.scores[painted].max(axis=1, initial=0.0)
    for column, name in enumerate(score_names(channels)):
        records[name] = frame.scores[:, column]
    records["label"], records["camera"], records["flags"] = frame.label, frame.camera, frame.flags
    rgb = facts.taxonomy.palette()[frame.label]
    for channel, name in enumerate(COLOURS[:3]):
        records[name] = rgb[:, channel]
    records["alpha"] = 255
    return records
