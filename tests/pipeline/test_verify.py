from pathlib import Path

import numpy as np
import pytest
from support.engine import STORES, layer_frames, make_layer, make_sequence, make_store, tree

from paintpipe.pipeline.commit import commit_shard
from paintpipe.pipeline.ledger import Ledger
from paintpipe.pipeline.shards import plan_shards
from paintpipe.pipeline.store import Store
from paintpipe.pipeline.verify import verify_leftovers, verify_target
from paintpipe.schemas.errors import StoreError

TARGET = "layers/net"
SHARDS = plan_shards({"00": 3}, 2)


@pytest.fixture(params=sorted(STORES))
def painted(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Store, Ledger]:
    store, ledger, sequence = make_store(request.param, tmp_path), Ledger(tmp_path / "ledger"), make_sequence()
    store.create_sequence(sequence)
    store.create_layer("00", make_layer())
    for shard in SHARDS:
        files = store.encode_shard(TARGET, shard, layer_frames(make_layer(), sequence, shard))
        rows = tuple(sequence.num_points[shard.start : shard.stop].tolist())
        commit_shard(store, ledger, TARGET, shard, files, inputs={"x": 1}, rows=rows)
    return store, ledger


def test_a_whole_store_has_no_problem(painted: tuple[Store, Ledger]) -> None:
    store, ledger = painted
    assert list(verify_target(store, ledger, TARGET)) == []
    assert list(verify_leftovers(store.root, ledger.root)) == []
    mark = ledger.done(TARGET, SHARDS[1])
    assert mark is not None
    assert mark.rows == (3,)
    assert set(mark.files) < store.shard_files(TARGET)


def test_every_kind_of_damage_is_found_where_it_is(painted: tuple[Store, Ledger]) -> None:
    store, ledger = painted
    name = sorted(store.shard_files(TARGET))[0]
    path = Path(store.root) / name
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 4
    for content, words in ((bytes(flipped), "sha256"), (whole[:-1], "bytes instead of"), (None, "missing")):
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        (problem,) = verify_target(store, ledger, TARGET)
        assert words in problem.what
        assert (problem.where, problem.target) == (str(path), TARGET)
    path.write_bytes(whole)
    assert list(verify_target(store, ledger, TARGET)) == []


def test_a_damaged_mark_its_files_and_leftovers_are_named(painted: tuple[Store, Ledger]) -> None:
    store, ledger = painted
    mark = ledger.done(TARGET, SHARDS[0])
    assert mark is not None
    Path(ledger.root.where(ledger.path(TARGET, SHARDS[0]))).write_text("{}")
    (Path(store.root) / "x.partial").mkdir()
    problems = list(verify_target(store, ledger, TARGET))
    assert [problem.what.split(":")[0] for problem in problems] == ["the mark is damaged"] + [
        "no mark names this file"
    ] * len(mark.files)
    assert [Path(problem.where).name for problem in verify_leftovers(store.root, ledger.root)] == ["x.partial"]


def test_a_failed_publish_leaves_the_shard_not_done(
    painted: tuple[Store, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, ledger = painted
    before = tree(Path(store.root))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("paintpipe.pipeline.publish.os.fsync", fail)
        patch.setattr("paintpipe.pipeline.publish._sync_folder", lambda _: None)
        with pytest.raises(StoreError, match="no space left"):
            commit_shard(store, ledger, TARGET, SHARDS[0], {"00/x": b"1"}, inputs={}, rows=(1,))
    assert ledger.done(TARGET, SHARDS[0]) is None
    assert ledger.done(TARGET, SHARDS[1]) is not None
    assert tree(Path(store.root)) == before


def test_an_overwrite_ends_with_the_new_bytes(painted: tuple[Store, Ledger]) -> None:
    store, ledger = painted
    frames = layer_frames(make_layer(), make_sequence(), SHARDS[0], seed=9)
    files = store.encode_shard(TARGET, SHARDS[0], frames)
    commit_shard(store, ledger, TARGET, SHARDS[0], files, inputs={"x": 2}, rows=(5, 0))
    assert list(verify_target(store, ledger, TARGET)) == []
    np.testing.assert_array_equal(store.read_frame(TARGET, "00", 0)["label"], frames[0]["label"])
