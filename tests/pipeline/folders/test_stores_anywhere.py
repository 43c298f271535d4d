"""Stores, marks and their verification, on every kind of folder."""

import pickle

import numpy as np
import pytest
from support.engine import STORES, layer_frames, make_layer, make_sequence
from support.together import together

from paintpipe.pipeline.commit import commit_shard
from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.ledger import Ledger, Mark
from paintpipe.pipeline.shards import Shard, plan_shards
from paintpipe.pipeline.store import Store
from paintpipe.pipeline.verify import verify_leftovers, verify_target
from paintpipe.schemas.errors import StoreError, WorkspaceError

TARGET = "layers/net"
SEQUENCE = make_sequence()
SHARDS = plan_shards({"00": 3}, 2)
pytestmark = [pytest.mark.parametrize("kind", sorted(STORES)), pytest.mark.usefixtures("no_sync")]


def created(kind: str, folder: Folder) -> tuple[Store, Ledger]:
    store: Store = STORES[kind](folder.folder(f"painted.{kind}"), 2)
    store.create_sequence(SEQUENCE)
    store.create_layer("00", make_layer())
    return store, Ledger(folder.folder("ledger"))


def commit(store: Store, ledger: Ledger, shard: Shard, seed: int = 0) -> Mark:
    files = store.encode_shard(TARGET, shard, layer_frames(make_layer(), SEQUENCE, shard, seed))
    rows = tuple(SEQUENCE.num_points[shard.start : shard.stop].tolist())
    return commit_shard(store, ledger, TARGET, shard, files, inputs={"seed": seed}, rows=rows)


def test_a_store_is_written_read_verified_and_dropped(kind: str, folder: Folder) -> None:
    store, ledger = created(kind, folder)
    inputs = {"seed": 0}
    assert ledger.pending(TARGET, SHARDS, lambda _: inputs, store.root) == SHARDS
    marks = [commit(store, ledger, shard) for shard in SHARDS]
    assert ledger.pending(TARGET, SHARDS, lambda _: inputs, store.root) == []
    assert [mark for _, mark in ledger.marks(TARGET)] == marks
    assert ledger.targets() == [TARGET]
    again: Store = pickle.loads(pickle.dumps(store))
    assert (again.sequences(), again.layers("00"), again.has_points("00")) == (["00"], ["net"], True)
    for shard in SHARDS:
        for frame, expected in enumerate(layer_frames(make_layer(), SEQUENCE, shard), shard.start):
            for name, array in again.read_frame(TARGET, "00", frame).items():
                np.testing.assert_array_equal(array, expected[name])
    assert again.shard_files(TARGET) == {name for mark in marks for name in mark.files}
    assert list(verify_target(again, ledger, TARGET)) == []
    assert list(verify_leftovers(again.root, ledger.root)) == []
    store.drop("00", TARGET)
    assert (store.layers("00"), store.shard_files(TARGET)) == ([], set())
    with pytest.raises(WorkspaceError, match="net"):
        store.layer_table("00", "net")
    store.drop_sequence("00")
    assert store.sequences() == []
    with pytest.raises(WorkspaceError, match="00"):
        store.sequence_table("00")


def test_damage_is_found(kind: str, folder: Folder) -> None:
    store, ledger = created(kind, folder)
    mark = commit(store, ledger, SHARDS[0])
    name = sorted(mark.files)[0]
    content = bytearray(store.root.read(name))
    content[len(content) // 2] ^= 4
    store.root.publish({name: bytes(content)})
    (problem,) = verify_target(store, ledger, TARGET)
    assert (problem.where, "has changed" in problem.what) == (store.root.where(name), True)
    store.root.publish({name: bytes(content[:-1])})
    assert ledger.pending(TARGET, SHARDS[:1], lambda _: {"seed": 0}, store.root) == SHARDS[:1]
    store.root.remove(name)
    (problem,) = verify_target(store, ledger, TARGET)
    assert problem.what.startswith("is missing")
    ledger.root.publish({ledger.path(TARGET, SHARDS[0]): b"{}"})
    assert ledger.done(TARGET, SHARDS[0]) is None
    assert "damaged" in next(verify_target(store, ledger, TARGET)).what


def test_writers_of_one_shard_do_no_harm_to_one_another(kind: str, folder: Folder) -> None:
    store, ledger = created(kind, folder)
    results = together([lambda: commit(store, ledger, SHARDS[0])] * 8)
    assert [result for result in results if not isinstance(result, Mark)] == []
    assert list(verify_target(store, ledger, TARGET)) == []
    assert ledger.done(TARGET, SHARDS[0]) == results[0]


def test_a_lost_worker_that_comes_late_never_takes_the_mark_away(
    kind: str, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, ledger = created(kind, folder)
    mark = commit(store, ledger, SHARDS[0])

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store.root, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            commit(store, ledger, SHARDS[0])
        assert ledger.done(TARGET, SHARDS[0]) == mark
        # With other bytes to come, the mark must go first.
        with pytest.raises(KeyboardInterrupt):
            commit(store, ledger, SHARDS[0], seed=1)
        assert ledger.done(TARGET, SHARDS[0]) is None
    assert commit(store, ledger, SHARDS[0], seed=1) == ledger.done(TARGET, SHARDS[0])


def test_what_was_made_otherwise_is_refused(kind: str, folder: Folder) -> None:
    store, _ = created(kind, folder)
    created(kind, folder)
    with pytest.raises(StoreError, match="taxonomy"):
        store.create_layer("00", make_layer(taxonomy="other"))
