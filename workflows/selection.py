"""Which painted frames a temperature is fitted on, and which are held out to see what it is worth."""

from collections.abc import Iterator

from paintpipe.schemas.errors import ConfigError
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.layers import Layer, painted_runs

Run = tuple[str, int, int]
"""(sequence, start, stop) of frames that follow each other."""


def labelled_runs(
    catalog: Catalog,
    layer: Layer,
    sequences: tuple[str, ...],
    split: str | None,
    held_out: tuple[str, ...],
    limit: int | None,
) -> tuple[list[Run], list[Run]]:
    """Runs of painted frames to fit on, and those held out.

    Args:
        catalog: of the dataset.
        layer: with its finished shards.
        sequences: to fit on, () for all that are not held out.
        split: only frames of this split are fitted on.
        held_out: names, each of a sequence or of a split.
        limit: of the frames to fit on, and of those held out, the first so many.

    Raises:
        ConfigError: a name that is not there, frames that would be both, or nothing left to fit on.
    """
    runs = list(painted_runs(layer))
    painted = list(dict.fromkeys(sequence for sequence, _, _ in runs))
    splits = {name: catalog.column("frames", name, "split") for name in painted}
    known = {value for values in splits.values() for value in values if value}
    _check_names(sequences, painted, "sequence")
    _check_names((split,) if split else (), sorted(known), "split")
    _check_names(held_out, [*painted, *sorted(known)], "sequence or split")

    def is_held_out(sequence: str, frame: int) -> bool:
        return sequence in held_out or splits[sequence][frame] in held_out

    def is_asked_for(sequence: str, frame: int) -> bool:
        return (not sequences or sequence in sequences) and split in (None, splits[sequence][frame])

    frames = [(sequence, frame) for sequence, start, stop in runs for frame in range(start, stop)]
    out = [place for place in frames if is_held_out(*place)]
    fit = [place for place in frames if is_asked_for(*place)]
    both = set(fit) & set(out)
    if both and (sequences or split):
        sequence, _ = min(both)
        what = f"{len(both):,} frames, of {sequence} the first, are to be fitted on and held out"
        raise ConfigError(what, todo="hold out frames that are not fitted on")
    fit = [place for place in fit if place not in both]
    if not fit:
        raise ConfigError("no painted frame is left to fit on", expected="frames that are not held out")
    length = len(runs[0]) and runs[0][2] - runs[0][1]
    return list(_runs(fit[:limit], length)), list(_runs(out[:limit], length))


def _check_names(names: tuple[str, ...], there: list[str], what: str) -> None:
    unknown = [name for name in names if name not in there]
    if unknown:
        raise ConfigError(f"no painted {what} {unknown[0]!r}", expected="one of " + ", ".join(there) if there else "")


def _runs(frames: list[tuple[str, int]], longest: int) -> Iterator[Run]:
    """Frames that follow each other, together, at most so many."""
    start = 0
    for stop in range(1, len(frames) + 1):
        first, last = frames[start], frames[stop - 1]
        follows = stop < len(frames) and frames[stop] == (last[0], last[1] + 1)
        if not follows or last[1] - first[1] + 1 == longest:
            yield first[0], first[1], last[1] + 1
            start = stop
