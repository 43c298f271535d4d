"""What travels to workers: constructor arguments and nothing that was read or locked."""

import pickle
from pathlib import Path

import pytest
from support.engine import STORES, layer_frames, make_layer, make_sequence, make_store

from paintpipe.pipeline.commit import commit_shard
from paintpipe.pipeline.ledger import Ledger
from paintpipe.pipeline.roots import LocalRoot
from paintpipe.pipeline.shards import Shard

SHARD = Shard("00", 0, 0, 2)


def test_a_root_is_carried_without_what_it_remembers(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.bin").write_bytes(b"12345")
    root = LocalRoot(tmp_path)
    before = pickle.dumps(root)
    assert root.size("a/one.bin") == 5
    assert pickle.dumps(root) == before
    assert pickle.loads(before).size("a/one.bin") == 5


@pytest.mark.parametrize("kind", sorted(STORES))
@pytest.mark.usefixtures("no_sync")
def test_a_store_and_its_ledger_are_carried_and_go_on_there(kind: str, tmp_path: Path) -> None:
    store, ledger = make_store(kind, tmp_path), Ledger(tmp_path / "ledger")
    before = pickle.dumps((store, ledger))
    store.create_sequence(make_sequence())
    store.create_layer("00", make_layer())
    frames = layer_frames(make_layer(), make_sequence(), SHARD)
    assert store.encode_shard("layers/net", SHARD, frames)
    assert pickle.dumps((store, ledger)) == before, "tables that were read are not carried"
    there, marks = pickle.loads(before)
    files = there.encode_shard("layers/net", SHARD, frames)
    commit_shard(there, marks, "layers/net", SHARD, files, inputs={"x": 1}, rows=(5, 0))
    assert ledger.done("layers/net", SHARD) is not None
    assert (store.read_frame("layers/net", "00", 0)["label"] == frames[0]["label"]).all()
