import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.pipeline.shards import Shard, plan_shards
from paintpipe.schemas.errors import ConfigError

CATALOGS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50))


def test_known_plan() -> None:
    assert plan_shards({"00": 5, "empty": 0, "01": 2}, 2) == [
        Shard("00", 0, 0, 2),
        Shard("00", 1, 2, 4),
        Shard("00", 2, 4, 5),
        Shard("01", 0, 0, 2),
    ]
    assert len(Shard("00", 2, 4, 5)) == 1


@pytest.mark.parametrize(("limit", "shards"), [(1, 1), (2, 1), (3, 2), (5, 3), (6, 4), (100, 4)])
def test_a_limit_rounds_up_to_whole_shards(limit: int, shards: int) -> None:
    assert plan_shards({"00": 5, "01": 2}, 2, limit) == plan_shards({"00": 5, "01": 2}, 2)[:shards]


@settings(deadline=None)
@given(CATALOGS, st.integers(1, 20))
def test_every_frame_is_in_exactly_one_shard(frames: dict[str, int], size: int) -> None:
    shards = plan_shards(frames, size)
    covered = [(shard.sequence, frame) for shard in shards for frame in range(shard.start, shard.stop)]
    assert covered == [(name, frame) for name, count in frames.items() for frame in range(count)]
    assert all(shard.start == shard.index * size and 0 < len(shard) <= size for shard in shards)


@settings(deadline=None)
@given(CATALOGS, st.integers(1, 20), st.integers(1, 120))
def test_a_limit_never_cuts_and_never_takes_more_than_needed(frames: dict[str, int], size: int, limit: int) -> None:
    every, some = plan_shards(frames, size), plan_shards(frames, size, limit)
    assert some == every[: len(some)]
    assert sum(map(len, some)) >= min(limit, sum(frames.values()))
    assert not some or sum(map(len, some[:-1])) < limit


@pytest.mark.parametrize(("size", "limit"), [(0, None), (-1, None), (2, 0), (2, -5)])
def test_nonsense_is_refused(size: int, limit: int | None) -> None:
    with pytest.raises(ConfigError, match="positive"):
        plan_shards({"00": 5}, size, limit)
