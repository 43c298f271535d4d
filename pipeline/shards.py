"""Shards: runs of consecutive frames of one sequence, the unit of work, of writing and of resuming."""

from collections.abc import Mapping
from dataclasses import dataclass

from paintpipe.schemas.errors import ConfigError


@dataclass(frozen=True, order=True)
class Shard:
    """Frames `start` to `stop - 1` of a sequence.

    Attributes:
        sequence: the sequence's name.
        index: counts the shards of the sequence from 0; frames per shard times `index` is `start`.
        start: first frame.
        stop: one past the last frame.
    """

    sequence: str
    index: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class ShardCost:
    """What a shard asks for, as the catalog knows it before any file is read.

    Attributes:
        frames: of the shard.
        images: of all cameras; a run may paint from fewer.
        points: of all its frames.
    """

    frames: int
    images: int
    points: int


def plan_shards(frames_per_sequence: Mapping[str, int], frames_per_shard: int, limit: int | None = None) -> list[Shard]:
    """Every shard of a catalog, in the mapping's order.

    The plan depends on the catalog and `frames_per_shard` alone: a limit takes the first shards of the same plan,
    as many as hold at least `limit` frames, and never cuts one.

    Args:
        frames_per_sequence: frames of each sequence.
        frames_per_shard: frames of a shard; a sequence's last shard may hold fewer.
        limit: frames wanted, None for all.

    Raises:
        ConfigError: `frames_per_shard` or `limit` is not positive.
    """
    for name, value in (("frames_per_shard", frames_per_shard), ("limit", limit)):
        if value is not None and value < 1:
            raise ConfigError(f"{name} is {value}", expected="a positive number of frames")
    shards: list[Shard] = []
    wanted = limit if limit is not None else sum(frames_per_sequence.values())
    for sequence, frames in frames_per_sequence.items():
        for index, start in enumerate(range(0, frames, frames_per_shard)):
            if wanted <= 0:
                return shards
            shards.append(Shard(sequence, index, start, min(start + frames_per_shard, frames)))
            wanted -= len(shards[-1])
    return shards
