"""Frames as whole shards: checked, filled and stacked."""

from collections.abc import Sequence

import numpy as np

from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import FrameArrays
from paintpipe.schemas.arrays import AnyArray, Int64
from paintpipe.schemas.errors import StoreError, WorkspaceError
from paintpipe.schemas.painted import ArraySpec


def check_frames(
    target: str, shard: Shard, frames: Sequence[FrameArrays | None], specs: Sequence[ArraySpec], num_points: Int64
) -> None:
    """Hold a shard's frames against the store's contract.

    Args:
        target: for the message.
        shard: which frames of the sequence these are.
        frames: arrays by name, None for a rejected frame.
        specs: what each frame must hold.
        num_points: (F,) of the whole sequence.

    Raises:
        StoreError: a frame is missing, or an array is absent, unknown, of another dtype or another length.
    """
    where = f"{target} of {shard.sequence}, shard {shard.index}"
    if len(frames) != len(shard) or shard.stop > len(num_points):
        raise StoreError(f"{len(frames)} frames given", where=where, expected=f"whole shards, here {len(shard)} frames")
    names = {spec.name for spec in specs}
    for frame, arrays in enumerate(frames, shard.start):
        if arrays is None:
            continue
        if arrays.keys() != names:
            differing = ", ".join(sorted(arrays.keys() ^ names))
            raise StoreError(f"arrays absent or unknown: {differing}", where=f"{where}, frame {frame}")
        for spec in specs:
            _check_array(f"{where}, frame {frame}, {spec.name}", arrays[spec.name], spec, int(num_points[frame]))


def padded_block(
    spec: ArraySpec, frames: Sequence[FrameArrays | None], shape: tuple[int, ...], num_points: Int64
) -> AnyArray:
    """(n, *shape) block of one array of n frames, the spec's fill value past each frame's points.

    Raises:
        StoreError: an array's trailing shape is not the store's.
    """
    block = np.full((len(frames), *shape), spec.fill, dtype=spec.dtype)
    for row, arrays in enumerate(frames):
        if arrays is None:
            continue
        array = arrays[spec.name]
        expected = (int(num_points[row]), *shape[1:]) if spec.dims[1:2] == ("point",) else shape
        if array.shape != expected:
            raise StoreError(f"{spec.name} has shape {array.shape}", expected=f"shape {expected}")
        block[row, : len(array)] = array
    return block


def _check_array(where: str, array: AnyArray, spec: ArraySpec, num_points: int) -> None:
    if array.dtype != np.dtype(spec.dtype):
        raise StoreError(f"dtype {array.dtype}", where=where, expected=spec.dtype)
    if array.ndim != len(spec.dims) - 1:
        raise StoreError(f"{array.ndim} axes", where=where, expected=", ".join(spec.dims[1:]))
    if spec.dims[1:2] == ("point",) and len(array) != num_points:
        raise StoreError(f"{len(array)} rows", where=where, expected=f"{num_points}, one for each point of the file")


def check_frame_index(sequence: str, frame: int, num_points: Int64) -> None:
    """Raises WorkspaceError where a sequence has no such frame (negative ones included)."""
    if not 0 <= frame < len(num_points):
        raise WorkspaceError(f"{sequence} has no frame {frame}", expected=f"0 to {len(num_points) - 1}")


def pick(target: str, specs: Sequence[ArraySpec], names: Sequence[str] | None) -> list[ArraySpec]:
    """The specs named, in that order, or all; raises WorkspaceError for a name that there is not."""
    if names is None:
        return list(specs)
    by_name = {spec.name: spec for spec in specs}
    absent = [name for name in names if name not in by_name]
    if absent:
        raise WorkspaceError(f"{target} has no array {', '.join(absent)}", expected="one of " + ", ".join(by_name))
    return [by_name[name] for name in names]
